"""How a registry is told who asks. A 401 and credentials in, an Authorization header out; asks token servers.

RFC 7235 challenges; distribution's "Token Authentication" (Bearer). A password or identity token goes to the
registry's own host, or to a token server known to belong to it, and to nobody else (D01): the challenge is the
server's word, and a server may be hostile.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from wherry.errors import RefusedError, WherryError
from wherry.kit.hosts import is_loopback
from wherry.kit.ports import Http, Request, Response
from wherry.kit.secret import Secret
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.store.registry import errors, url
from wherry.store.registry.credentials import Credentials

#: Registry → its token server, where the two have different hosts and both are documented.
TOKEN_HOSTS: Final = (("registry-1.docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com"))
CLIENT: Final = "wherry"

_SCHEME = re.compile(r"(?:^|,)\s*(Bearer|Basic)(?=\s|,|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
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


def challenge(response: Response) -> Challenge | None:
    """The challenge we can answer, Bearer before Basic; None when there is none. Several headers are joined by commas."""
    header = response.header("WWW-Authenticate")[:8192]
    found = tuple(_SCHEME.finditer(header))
    ends = (*(scheme.start() for scheme in found[1:]), len(header))
    known = []
    for scheme, end in zip(found, ends, strict=False):
        values = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(header[scheme.end() : end])}
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
    scope: str
    """`repository:NAME:pull,push`."""
    credentials: Credentials | None
    token_hosts: tuple[tuple[str, str], ...] = ()
    """Pairs of registry and token host that the user trusts, beside those known."""


def bearer(http: Http, wanted: TokenRequest) -> str:
    """The Authorization header's value from the token server; anonymous when there are no credentials."""
    realm = wanted.challenge.realm
    url.allowed(realm, wanted.registry)
    if wanted.credentials and not _may_know(realm, wanted):
        raise RefusedError(
            "foreign-realm",
            f"{urlsplit(wanted.registry).netloc} wants its password sent to {one_line(urlsplit(realm).netloc)}",
            where=one_line(realm.partition("?")[0][:200]),
            why="credentials go to the host they were stored for, or to one known to belong to it",
            next="if that token server is yours, name it in wherry's own configuration",
        )
    request = _post(wanted) if wanted.credentials and wanted.credentials.identity else _get(wanted)
    response = http(request)
    if response.status != 200:
        raise _refusal(response, wanted)
    return "Bearer " + _read(response, realm).reveal()


def _may_know(realm: str, wanted: TokenRequest) -> bool:
    """The registry's own host at any port when TLS proves that host; else its own origin, or a pair that is listed."""
    host, own = urlsplit(realm).hostname or "", urlsplit(wanted.registry).hostname or ""
    if url.same_origin(realm, wanted.registry) or (host == own and realm.startswith("https://")):
        return True
    listed = (own, host) in (*TOKEN_HOSTS, *wanted.token_hosts)
    return listed and (realm.startswith("https://") or is_loopback(host))


def _get(wanted: TokenRequest) -> Request:
    asked = {"service": wanted.challenge.service, "scope": wanted.scope or wanted.challenge.scope}
    query = {key: value for key, value in asked.items() if value}
    headers = (("Authorization", wanted.credentials.basic()),) if wanted.credentials else ()
    return Request(method="GET", url=url.with_query(wanted.challenge.realm, **query), headers=headers)


def _post(wanted: TokenRequest) -> Request:
    """An identity token is changed for an access token (distribution, "Requesting a Token" by OAuth2)."""
    assert wanted.credentials is not None
    form = {
        "grant_type": "refresh_token",
        "service": wanted.challenge.service,
        "client_id": CLIENT,
        "scope": wanted.scope or wanted.challenge.scope,
        "refresh_token": wanted.credentials.secret.reveal(),
    }
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    return Request(method="POST", url=wanted.challenge.realm, headers=headers, body=urlencode(form).encode())


def _read(response: Response, realm: str) -> Secret:
    body = b""
    while len(body) <= errors.LARGEST and (chunk := response.read(errors.LARGEST)):
        body += chunk
    response.close()
    try:
        answer = msgspec.json.decode(body, type=_Token)
    except (msgspec.MsgspecError, ValueError):
        answer = _Token()
    token = answer.token or answer.access_token or ""
    if len(body) > errors.LARGEST or not _TOKEN.fullmatch(token):
        raise errors.odd(realm, "its token server's answer holds no token")
    return Secret(token)


def _refusal(response: Response, wanted: TokenRequest) -> WherryError:
    answer = errors.said(response)
    return errors.failure(answer, url=wanted.challenge.realm, doing=f"log in to {urlsplit(wanted.registry).netloc}")
