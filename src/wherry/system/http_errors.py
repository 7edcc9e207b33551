"""What went wrong on the network, in plain words. A library's error in, one of ours out; touches nothing."""

from __future__ import annotations

import os
import re
import time
from typing import Final

from wherry.errors import UnavailableError, UsageError, WherryError
from wherry.kit.text import one_line

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
        return UnavailableError(
            "unreachable",
            f"the name {host} has no address",
            where=host,
            next="check its spelling, the network and the name server",
        )
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
        return UnavailableError(
            "certificate",
            f"the certificate of {host} is not accepted: {verification.verify_message}",
            where=host,
            next="if it is signed by your own authority, name its file in SSL_CERT_FILE",
        )
    return UnavailableError(
        "tls", f"no TLS with {host}: {reason(error)}", where=host, next="does it speak plain HTTP on that port?"
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
