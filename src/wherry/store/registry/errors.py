"""What a registry said, in words. An answer in, an error out; touches nothing.

Bodies are bounded and shown as text from outside; queries of addresses, which may hold signatures, are not shown (D09).
"""

from __future__ import annotations

import re
import shlex
from urllib.parse import urlsplit

import msgspec

from wherry.errors import CorruptError, UnavailableError, WherryError
from wherry.kit.ports import Response
from wherry.kit.text import one_line
from wherry.kit.value import Value, decodable

LARGEST = 64 << 10
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that another try may change."""
#: A header of ours that a server says back (D09).
_SENT = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/._~=-]{8,}", re.IGNORECASE)


class _Fault(Value, frozen=True, kw_only=True):
    code: str = ""
    message: str = ""


class _Faults(Value, frozen=True, kw_only=True):
    errors: tuple[_Fault, ...] = ()


class Said(Value, frozen=True, kw_only=True):
    """A registry's answer to something it did not do."""

    status: int
    codes: tuple[str, ...] = ()
    words: str = ""


def said(response: Response) -> Said:
    """Reads and closes the answer; at most 64 KiB of it."""
    body = b""
    try:
        while len(body) < LARGEST and (chunk := response.read(LARGEST - len(body))):
            body += chunk
    except UnavailableError:
        body = b""
    finally:
        response.close()
    try:
        faults = msgspec.json.decode(body, type=decodable(_Faults)).errors
    except (msgspec.MsgspecError, ValueError):
        faults = ()
    words = "; ".join(": ".join(part for part in (fault.code, fault.message) if part) for fault in faults)
    plain = body[:1000].decode("utf-8", "replace") if not faults and not body.lstrip().startswith(b"<") else ""
    return Said(
        status=response.status,
        codes=tuple(fault.code for fault in faults[:20]),
        words=one_line(_SENT.sub(r"\1 ***", words or plain).strip()[:500]),
    )


def failure(answer: Said, *, url: str, doing: str) -> WherryError:
    """The error for an answer that ends it. `doing` completes "could not ...": "push app:1"."""
    host = urlsplit(url).netloc
    why = answer.words and f"it said {answer.status}: {answer.words}"
    why = why or f"it answered with status {answer.status} and no reason"
    where = f"{host}{urlsplit(url).path}"
    message = f"could not {doing}: {host} "
    if answer.status == 507 or (400 <= answer.status < 500 and "quota" in answer.words.lower()):
        return UnavailableError(
            "registry-quota",
            message + "has no room left for it",
            where=where,
            why=why,
            next="delete what is not needed there, or ask for a larger quota",
        )
    if answer.status in (401, 403):
        return UnavailableError(
            "registry-denied",
            message + "does not allow it with the credentials at hand",
            where=where,
            why=why,
            next=f"wherry registry login {shlex.quote(host)}",
        )
    if answer.status == 404:
        return UnavailableError(
            "registry-not-found",
            message + "knows no such repository, tag or digest",
            where=where,
            why=why,
            next="check the name; some registries want a repository made first",
        )
    if answer.status == 429:
        return UnavailableError(
            "registry-busy", message + "limits how often it is asked", where=where, why=why, next="log in, or try later"
        )
    if answer.status >= 500:
        return UnavailableError(
            "registry-failed", message + "failed, also after several tries", where=where, why=why, next="try later"
        )
    step = f'if it wants TLS: [registry."{host}"] plain-http = false in registries.toml'
    tls = answer.status == 400 and url.startswith("http:")
    return UnavailableError("registry-refused", message + "refused it", where=where, why=why, next=step if tls else ())


def partial(answer: Said, *, url: str, doing: str) -> WherryError:
    """The error for a registry that takes no image without the layers that may not be handed on."""
    host = urlsplit(url).netloc
    return UnavailableError(
        "registry-refused",
        f"could not {doing}: layers of it may not be handed on, and {host} takes no image without them",
        where=f"{host}{urlsplit(url).path}",
        why=f"it said {answer.status}: {answer.words}",
        next="have their addresses allowed there (validation.manifests.urls), or use another registry",
    )


def odd(url: str, what: str) -> CorruptError:
    """The error for an answer that no registry should give."""
    parts = urlsplit(url)
    return CorruptError(
        "registry-answer",
        f"{one_line(parts.netloc)} did not answer as a registry does: {what}",
        where=one_line(url.partition("?")[0][:200]),
    )
