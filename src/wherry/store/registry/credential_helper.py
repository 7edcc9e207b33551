"""Credential helpers, by their protocol. A server's name in, credentials out, or kept or forgotten there; runs
`docker-credential-NAME get|store|erase` (docker-credential-helpers, README).

A helper that is named must answer: nobody else's credentials are tried instead (D06). Names and hosts with control
characters or path separators never reach one (D10). Secrets go through pipes, never over a disk.
"""

from __future__ import annotations

import re

import msgspec

from wherry.errors import UnavailableError
from wherry.kit.ports import Command, Completed
from wherry.kit.secret import Secret
from wherry.kit.text import one_line
from wherry.kit.value import Value, decodable
from wherry.store.keeper import Ports
from wherry.store.registry.account import Credentials

SECONDS = 30.0
LARGEST = 1 << 20
TOKEN_USER = "<token>"  # noqa: S105 - the protocol's word for "the secret is an identity token"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_NOT_FOUND = "credentials not found"


class _Answer(Value, frozen=True, kw_only=True, rename="pascal"):
    username: str = ""
    secret: str = ""


def get(helper: str, server: str, ports: Ports) -> Credentials | None:
    """What the helper has for `server`; None when it knows nothing of it. UnavailableError [credential-helper]."""
    done = _run(helper, "get", server, ports)
    if done.code:
        if _NOT_FOUND in (done.stdout + done.stderr).decode("utf-8", "replace"):
            return None
        raise _error(helper, f"it ended with status {done.code}")
    try:
        answer = msgspec.json.decode(done.stdout, type=decodable(_Answer))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _error(helper, "its answer is not what helpers say") from None
    source = f"docker-credential-{helper}"
    if answer.username == TOKEN_USER:
        return Credentials(secret=Secret(answer.secret), kind="identity", source=source)
    return Credentials(user=answer.username, secret=Secret(answer.secret), source=source) if answer.secret else None


def store(helper: str, server: str, credentials: Credentials, ports: Ports) -> None:
    """Hands credentials to the helper. UnavailableError [credential-helper]."""
    user = TOKEN_USER if credentials.kind == "identity" else credentials.user
    text = {"ServerURL": server, "Username": user, "Secret": credentials.secret.reveal()}
    done = _run(helper, "store", msgspec.json.encode(text).decode(), ports)
    if done.code:
        raise _error(helper, f"it ended with status {done.code}", did="kept nothing")


def erase(helper: str, server: str, ports: Ports) -> bool:
    """Has the helper forget `server`; False when it knew nothing of it."""
    if get(helper, server, ports) is None:
        return False
    done = _run(helper, "erase", server, ports)
    if done.code:
        raise _error(helper, f"it ended with status {done.code}", did="forgot nothing")
    return True


def _run(helper: str, verb: str, text: str, ports: Ports) -> Completed:
    program = ports.which(f"docker-credential-{helper}") if _NAME.fullmatch(helper) else ""
    if not program:
        raise _error(helper, "it is not installed", did=_DID[verb])
    if any(ord(one) < 0x20 or ord(one) == 0x7F for one in text):
        raise _error(helper, "what it would be asked holds control characters", did=_DID[verb])
    command = Command(
        argv=(program, verb),
        environment=ports.environment,
        input=Secret(text),
        timeout=SECONDS,
        limit=LARGEST,
        directory=ports.scratch,
    )
    try:
        return ports.run(command)
    except UnavailableError as error:
        if error.name not in _WHY:
            raise
        raise _error(helper, _WHY[error.name], did=_DID[verb]) from error


_DID = {"get": "gave no credentials", "store": "kept nothing", "erase": "forgot nothing"}
_WHY = {
    "program-timeout": f"it did not end within {SECONDS:g} s",
    "program-output": "it said far more than helpers say",
    "program-start": "it could not be started",
}


def _error(helper: str, why: str, did: str = "gave no credentials") -> UnavailableError:
    return UnavailableError(
        "credential-helper",
        f"the credential helper docker-credential-{one_line(helper[:64])} {did}",
        why=why,
        next="mend it, or take it out of Docker's config.json",
    )
