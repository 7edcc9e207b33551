"""How a registry is told who asks. A 401 and credentials in, an Authorization header out; asks token servers.

RFC 7235 challenges; distribution's "Token Authentication" (Bearer). A password or identity token goes to the
registry's own host, or to a token server known to belong to it, and to nobody else (D01): the challenge is the
server's word, and a server may be hostile.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from wherry.errors import RefusedError, UnavailableError, WherryError
from wherry.kit.hosts import is_loopback
from wherry.kit.ports import Http, Request, Response
from wherry.kit.secret import Secret
from wherry.kit.text import one_line
from wherry.kit.value import Value, decodable
from wherry.store.registry import errors, url
from wherry.store.registry.account import Credentials

#: Registry → its token server, where the two have different hosts and both are documented.
TOKEN_HOSTS: Final = (("registry-1.docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com"))
CLIENT: Final = "wherry"
#: Seconds that a token is good for when its server says nothing ("Token Response Fields").
LIFETIME: Final = 60.0
LONGEST: Final = 86400.0
#: Most resource scopes that are asked for at once.
SCOPES: Final = 8

_SCHEME = re.compile(r"(?:^|,)\s*(Bearer|Basic)(?=\s|,|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'(?<![A-Za-z0-9_-])([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_TOKEN = re.compile(r"[\x21-\x7e]{1,32768}", re.ASCII)


class Challenge(Value, frozen=True, kw_only=True):
    """What a 401 asks for."""

    scheme: str
    """bearer or basic."""
    realm: str = ""
    service: str = ""
    scope: str = ""


class _Token(Value, frozen=True, kw_only=True):
    token: str | None = None
    access_token: str | None = None
    expires_in: int | float | str | None = None
    issued_at: str | None = None


def challenge(response: Response) -> Challenge | None:
    """The challenge we can answer, Bearer before Basic; None when there is none. Several headers are joined by commas."""
    header = response.header("WWW-Authenticate")[:8192]
    quoted = [(one.start(2), one.end(2)) for one in _PARAMETER.finditer(header)]
    found = tuple(
        one for one in _SCHEME.finditer(header) if not any(start <= one.start(1) < end for start, end in quoted)
    )
    ends = (*(scheme.start() for scheme in found[1:]), len(header))
    known = []
    for scheme, end in zip(found, ends, strict=False):
        values = {key.lower(): text or plain for key, text, plain in _PARAMETER.findall(header[scheme.end() : end])}
        known.append(
            Challenge(
                scheme=scheme[1].lower(),
                realm=values.get("realm", ""),
                service=values.get("service", ""),
                scope=values.get("scope", ""),
            )
        )
    return next((one for one in known if one.scheme == "bearer" and one.realm), None) or next(
        (one for one in known if one.scheme == "basic"), None
    )


class TokenRequest(Value, frozen=True, kw_only=True):
    """A token that is wanted: for which registry, to do what."""

    registry: str
    """The registry's base URL."""
    challenge: Challenge
    scopes: tuple[str, ...]
    """`repository:NAME:pull,push`."""
    credentials: Credentials | None
    token_hosts: tuple[tuple[str, str], ...] = ()
    """Pairs of registry and token host that the user trusts, beside those known."""


class Answer(Value, frozen=True, kw_only=True):
    """What a token server gave."""

    token: Secret
    seconds: float
    """How long it is still good."""


def bearer(http: Http, wanted: TokenRequest) -> Answer:
    """A token from the token server; an anonymous one when there are no credentials. RefusedError [foreign-realm] or [steered],
    UnavailableError [wrong-password], [registry-denied] and others, CorruptError [registry-answer]."""
    realm = wanted.challenge.realm
    url.allowed(realm, wanted.registry)
    if wanted.credentials and not _may_know(realm, wanted):
        own, other = urlsplit(wanted.registry).netloc, one_line(urlsplit(realm).netloc)
        host = one_line(urlsplit(realm).hostname or "")
        raise RefusedError(
            "foreign-realm",
            f"{own} wants its password sent to {other}",
            where=one_line(realm.partition("?")[0][:200]),
            why="credentials go to the host they were stored for, or to one known to belong to it",
            next=f'if it is yours: [registry."{own}"] token-hosts = ["{host}"] in registries.toml',
        )
    identity = wanted.credentials is not None and wanted.credentials.kind == "identity"
    response = http(_post(wanted) if identity else _get(wanted))
    if response.status != 200:
        raise _refusal(response, wanted)
    return _read(response, realm)


def header(token: Secret) -> Secret:
    """The Authorization header's value for a token (RFC 6750)."""
    return Secret(f"Bearer {token.reveal()}")


def scopes_of(wanted: str, asked: str) -> tuple[str, ...]:
    """The scopes of a request, and what the challenge names beside them for the same repositories or for the registry as a whole:
    some registries (Harbor, Artifactory) want exactly theirs. Each scope once, in order."""
    own = tuple(wanted.split(" "))
    about = (*(scope.rpartition(":")[0] + ":" for scope in own if scope), "registry:")
    theirs = (scope for scope in asked[:4096].split(" ") if scope.startswith(about) and not _covered(scope, own))
    return tuple(dict.fromkeys(scope for scope in (*own, *theirs) if scope))[:SCOPES]


def _covered(scope: str, by: tuple[str, ...]) -> bool:
    """True when one of `by` is about the same resource and has all its actions."""
    resource, _, actions = scope.rpartition(":")
    known = (one.rpartition(":") for one in by)
    return any(name == resource and set(actions.split(",")) <= set(own.split(",")) for name, _, own in known)


def wrong_password(registry: str, credentials: Credentials, why: str = "") -> UnavailableError:
    """The error for credentials that are not accepted."""
    host = url.name_of(registry)
    return UnavailableError(
        "wrong-password",
        f"{host} does not accept the credentials of {one_line(str(credentials))}",
        where=host,
        why=why,
        next=f"wherry registry login {shlex.quote(host)}",
    )


def nobody(registry: str, scope: str) -> UnavailableError:
    """The error for a registry that wants to know who asks, when there are no credentials for it."""
    host = url.name_of(registry)
    what = scope.partition(" ")[0].removeprefix("repository:")
    return UnavailableError(
        "registry-denied",
        f"{host} wants to know who asks, and nobody is logged in there",
        where=f"{host}/{what}" if what else host,
        next=f"wherry registry login {shlex.quote(host)}",
    )


def _may_know(realm: str, wanted: TokenRequest) -> bool:
    """The registry's own host at any port when TLS proves that host; else its own origin, or a pair that is listed."""
    host, own = urlsplit(realm).hostname or "", urlsplit(wanted.registry).hostname or ""
    if url.same_origin(realm, wanted.registry) or (host == own and realm.startswith("https://")):
        return True
    listed = (own, host) in (*TOKEN_HOSTS, *wanted.token_hosts)
    return listed and (realm.startswith("https://") or is_loopback(host))


def _asked(wanted: TokenRequest) -> list[tuple[str, str]]:
    service = [("service", wanted.challenge.service)] if wanted.challenge.service else []
    return [*service, *(("scope", scope) for scope in wanted.scopes if scope)]


def _get(wanted: TokenRequest) -> Request:
    realm, query = wanted.challenge.realm, urlencode(_asked(wanted), safe=":")
    joint = "&" if urlsplit(realm).query else "?"
    headers = (("Authorization", wanted.credentials.basic()),) if wanted.credentials else ()
    return Request(method="GET", url=f"{realm}{joint}{query}" if query else realm, headers=headers)


def _post(wanted: TokenRequest) -> Request:
    """An identity token is changed for an access token (distribution, "Requesting a Token" by OAuth2)."""
    assert wanted.credentials is not None
    form = {
        "grant_type": "refresh_token",
        "service": wanted.challenge.service,
        "client_id": CLIENT,
        "scope": " ".join(wanted.scopes),
        "refresh_token": wanted.credentials.secret.reveal(),
    }
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    return Request(method="POST", url=wanted.challenge.realm, headers=headers, body=urlencode(form).encode())


def _read(response: Response, realm: str) -> Answer:
    body, date = b"", response.header("Date")
    while len(body) <= errors.LARGEST and (chunk := response.read(errors.LARGEST)):
        body += chunk
    response.close()
    try:
        answer = msgspec.json.decode(body, type=decodable(_Token))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        answer = _Token()
    token = answer.token or answer.access_token or ""
    if len(body) > errors.LARGEST or not _TOKEN.fullmatch(token):
        raise errors.odd(realm, "its token server's answer holds no token")
    return Answer(token=Secret(token), seconds=lifetime(answer.expires_in, answer.issued_at or "", date))


def lifetime(expires: float | str | None, issued: str, date: str) -> float:
    """Seconds that a token is still good for. `issued` is believed only beside the same server's `date`: clocks may be wrong,
    but both of theirs are wrong alike. What is no time at all counts as not said."""
    try:
        seconds = float(expires) if expires is not None else LIFETIME
    except (ValueError, OverflowError):
        seconds = LIFETIME
    if not 0 < seconds < float("inf"):
        seconds = LIFETIME
    try:
        began = msgspec.convert(issued, type=datetime) if issued else None
        from email.utils import parsedate_to_datetime

        age = (parsedate_to_datetime(date) - began).total_seconds() if began and date else 0.0
    except (msgspec.MsgspecError, ValueError, TypeError, IndexError, OverflowError):
        age = 0.0
    return min(seconds - age if 0 < age < seconds else seconds, LONGEST)


def _refusal(response: Response, wanted: TokenRequest) -> WherryError:
    answer = errors.said(response)
    wrong = (
        (401,) if wanted.credentials is None or wanted.credentials.kind == "password" else (400, 401)
    )  # RFC 6749, 5.2
    if wanted.credentials and answer.status in wrong:
        return wrong_password(wanted.registry, wanted.credentials, answer.words)
    host = urlsplit(wanted.registry).netloc
    return errors.failure(answer, url=wanted.challenge.realm, doing=f"log in to {host}")
