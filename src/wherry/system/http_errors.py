"""What went wrong on the network, in plain words. A library's error in, one of ours out; touches nothing."""

from __future__ import annotations

import os
import re
import time
from typing import Final

from wherry.errors import UnavailableError, UsageError, WherryError
from wherry.kit.text import one_line

_OURS: Final = (
    "{}_ALERT_CERTIFICATE_REQUIRED",
    "{}_ALERT_BAD_CERTIFICATE",
    "{}_ALERT_UNKNOWN_CA",
    "{}_ALERT_CERTIFICATE_EXPIRED",
    "{}_ALERT_CERTIFICATE_UNKNOWN",
    "{}_ALERT_UNSUPPORTED_CERTIFICATE",
)
AGAIN: Final = "run the same command again; what was done stays done"


def host_of(url: str) -> str:
    """For people: `host:port`, or the socket's path; never a query or user information."""
    if url.startswith("unix://"):
        return one_line(url.removeprefix("unix://").partition(":")[0])
    return one_line(url.partition("//")[2].partition("/")[0].rpartition("@")[2])


def shown(url: str) -> str:
    """An address for a message: without user information and query, controls shown."""
    return one_line(re.sub(r"//[^/]*@", "//", url.partition("?")[0]))


def check_deadline(end: float, host: str) -> None:
    """Raises UnavailableError [no-answer] when the whole exchange has taken too long; `end` is on the monotonic clock."""
    if time.monotonic() > end:
        raise UnavailableError(
            "no-answer", f"{host} is too slow: the exchange took longer than allowed", where=host, next=AGAIN
        )


def plain_error(error: Exception, host: str, timeout: float) -> WherryError:
    """`error` of urllib3, ssl or the system as UnavailableError or UsageError."""
    import ssl

    from urllib3 import exceptions as theirs

    if isinstance(error, theirs.NameResolutionError):
        return _nameless(error, host)
    if isinstance(error, theirs.ProxyError):
        return UnavailableError(
            "proxy",
            f"the proxy on the way to {host} did not help: {reason(error)}",
            where=host,
            next="check HTTPS_PROXY and NO_PROXY",
        )
    if isinstance(error, theirs.NewConnectionError):  # which is a ConnectTimeoutError to urllib3
        return _unreachable(error, host)
    if isinstance(error, theirs.ConnectTimeoutError | theirs.ReadTimeoutError | TimeoutError):
        return UnavailableError("no-answer", f"{host} said nothing for {timeout:g} s", where=host, next=AGAIN)
    if isinstance(error, theirs.SSLError | ssl.SSLError):
        return _tls(error, host)
    if isinstance(error, theirs.ProtocolError):
        return UnavailableError(
            "connection-lost", f"{host} cut the connection before its answer was complete", where=host, next=AGAIN
        )
    if isinstance(error, theirs.LocationParseError | ValueError):
        return UsageError("bad-url", f"{host} is no address that wherry may ask", where=host)
    return _unreachable(error, host)


def _nameless(error: Exception, host: str) -> UnavailableError:
    """A name server that says no will say so again; one that does not answer may answer later."""
    import socket

    said = {one.errno for one in _chain(error) if isinstance(one, socket.gaierror)}
    if said & {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        return UnavailableError(
            "no-such-host", f"the name {host} has no address", where=host, next="check its spelling, and the network"
        )
    return UnavailableError(
        "unreachable", f"no name server says where {host} is", where=host, next="check the network and the name server"
    )


def _unreachable(error: Exception, host: str) -> UnavailableError:
    return UnavailableError(
        "unreachable",
        f"could not reach {host}: {reason(error)}",
        where=host,
        next="check that it runs, and the network",
    )


def _tls(error: Exception, host: str) -> UnavailableError:
    import ssl

    verification = next((one for one in _chain(error) if isinstance(one, ssl.SSLCertVerificationError)), None)
    if verification is not None:
        return _not_believed(verification.verify_code, verification.verify_message, host)
    if wants_certificate(error):
        return UnavailableError(
            "client-certificate",
            f"{host} wants to see a client certificate, and did not accept ours or got none",
            where=host,
            next=f'name it in registries.toml: [registry."{host}"] client-certificate and client-key',
        )
    return UnavailableError(
        "tls", f"no TLS with {host}: {reason(error)}", where=host, next="does it speak plain HTTP on that port?"
    )


def wants_certificate(error: BaseException) -> bool:
    """True when the other side ended TLS because of our certificate (RFC 8446, 6.2)."""
    import ssl

    reasons = {one.reason or "" for one in _chain(error) if isinstance(one, ssl.SSLError)}
    return bool(reasons & {alert.format(version) for alert in _OURS for version in ("TLSV13", "TLSV1", "SSLV3")})


def _not_believed(code: int, words: str, host: str) -> UnavailableError:
    """By X509_V_ERR_* of OpenSSL: the date, the name, else the authority."""
    message = f"the certificate of {host} is not accepted: {one_line(words)}"
    if code in (9, 10):
        return UnavailableError(
            "certificate-expired",
            message,
            where=host,
            why="it is out of date, or this machine's clock is wrong",
            next="tell whoever runs the server; look at the clock with: date",
        )
    if code in (62, 63, 64):
        return UnavailableError(
            "certificate-name",
            message,
            where=host,
            why="it is a certificate for another name; somebody else may be answering",
            next="ask the server by a name that its certificate holds",
        )
    return UnavailableError(
        "certificate",
        message,
        where=host,
        why="no authority that this machine believes has signed it",
        next=(
            f'if it is your own: [registry."{host}"] ca = "FILE.pem" in registries.toml',
            "for everything on this machine: SSL_CERT_FILE",
        ),
    )


def reason(error: BaseException) -> str:
    """The system's own words for the deepest cause: `connection refused`."""
    import ssl

    for one in reversed(_chain(error)):
        if isinstance(one, ssl.SSLError) and one.reason:
            return one.reason.replace("_", " ").lower()
        if isinstance(one, OSError):
            return one_line(os.strerror(one.errno) if one.errno else str(one)).lower()
    return "it failed"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it was made from, by cause, context or argument, as urllib3 nests them."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
