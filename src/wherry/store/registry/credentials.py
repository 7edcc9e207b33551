"""Who we are to a registry. A host, Docker's config file and its helpers in, credentials out; reads that file, runs
the helper.

The host must be equal to the letter (D07). A helper that is named must answer: nobody else's credentials are tried
instead (D06).
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from pathlib import Path

import msgspec

from wherry.errors import UnavailableError
from wherry.kit.files import atomic_write, disk_errors
from wherry.kit.ports import Command
from wherry.kit.secret import Secret
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.oci.reference import DOCKER_HUB
from wherry.store.keeper import Ports

HUB_KEYS = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")
HUB_SERVER = "https://index.docker.io/v1/"
LARGEST = 4 << 20
HELPER_SECONDS = 30.0
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_NOT_FOUND = "credentials not found"


class Credentials(Value, frozen=True, kw_only=True):
    """A name and password, or an identity token to be changed for others (then without a name)."""

    user: str = ""
    secret: Secret
    identity: bool = False

    def basic(self) -> str:
        """The Authorization header's value (RFC 7617)."""
        pair = f"{self.user}:{self.secret.reveal()}".encode()
        return "Basic " + base64.b64encode(pair).decode()


class _Auth(Value, frozen=True, kw_only=True):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _Config(Value, frozen=True, kw_only=True, rename="camel"):
    auths: dict[str, _Auth] = {}
    cred_helpers: dict[str, str] = {}
    creds_store: str = ""


class _Answer(Value, frozen=True, kw_only=True, rename="pascal"):
    username: str = ""
    secret: str = ""


def find(host: str, repository: str, ports: Ports) -> Credentials | None:
    """The credentials for `host`/`repository`, or None when there are none; UnavailableError [docker-config] or
    [credential-helper]."""
    path = config_file(ports)
    config = _read(path)
    known = HUB_KEYS if host == DOCKER_HUB else (host,)
    server = HUB_SERVER if host == DOCKER_HUB else host
    named = next((config.cred_helpers[key] for key in config.cred_helpers if _host(key) in known), "")
    helper = named or config.creds_store
    if helper and (found := _ask(helper, server, ports)):
        return found
    return None if named else _from_auths(config, known, repository, path)


def config_file(ports: Ports) -> Path:
    """Docker's config.json: in $DOCKER_CONFIG, else in ~/.docker."""
    folder = ports.variable("DOCKER_CONFIG") or f"{ports.variable('HOME')}/.docker"
    return Path(folder) / "config.json"


def _read(path: Path) -> _Config:
    if not path.is_file():
        return _Config()
    with disk_errors(path):
        data = path.read_bytes()
    try:
        return msgspec.json.decode(data[:LARGEST], type=_Config)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnavailableError(
            "docker-config",
            f"Docker's config file cannot be read: {one_line(str(error))}",
            where=str(path),
            next="mend it",
        ) from None


def _host(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _from_auths(config: _Config, known: tuple[str, ...], repository: str, path: Path) -> Credentials | None:
    """The entry with the longest path that `repository` lies in; `v1` and `v2` are no paths (Docker writes them)."""
    best: tuple[int, _Auth] | None = None
    for key, auth in config.auths.items():
        scope = key.removeprefix("https://").removeprefix("http://").partition("/")[2].strip("/")
        scope = "" if scope in ("v1", "v2") else scope
        inside = not scope or repository == scope or repository.startswith(f"{scope}/")
        if _host(key) in known and inside and (best is None or len(scope) > best[0]):
            best = (len(scope), auth)
    return _decoded(best[1], path) if best else None


def _decoded(auth: _Auth, path: Path) -> Credentials | None:
    if auth.identitytoken:
        return Credentials(secret=Secret(auth.identitytoken), identity=True)
    user, secret = auth.username, auth.password
    if auth.auth:
        try:
            user, _, secret = base64.b64decode(auth.auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise UnavailableError(
                "docker-config",
                "an entry of Docker's config file is no base64 text",
                where=str(path),
                next="log in again",
            ) from None
    return Credentials(user=user, secret=Secret(secret.rstrip("\0"))) if user or secret else None


def _ask(helper: str, server: str, ports: Ports) -> Credentials | None:
    """Runs `docker-credential-HELPER get` (docker-credential-helpers, README); None when it knows nothing of `server`."""
    program = ports.which(f"docker-credential-{helper}") if _HELPER.fullmatch(helper) else ""
    if not program:
        raise _helper_error(helper, "it is not installed")
    asked = Path(ports.scratch) / f"server-{secrets.token_hex(8)}"
    atomic_write(asked, server.encode(), mode=0o600)
    command = Command(
        argv=(program, "get"),
        environment=ports.environment,
        stdin=str(asked),
        timeout=HELPER_SECONDS,
        limit=1 << 20,
        directory=ports.scratch,
    )
    try:
        done = ports.run(command)
    finally:
        asked.unlink()
    if done.code:
        words = (done.stdout + done.stderr).decode("utf-8", "replace")
        if _NOT_FOUND in words:
            return None
        raise _helper_error(helper, f"it ended with status {done.code}")
    try:
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except (msgspec.MsgspecError, ValueError):
        raise _helper_error(helper, "its answer is not what helpers say") from None
    if answer.username == "<token>":
        return Credentials(secret=Secret(answer.secret), identity=True)
    return Credentials(user=answer.username, secret=Secret(answer.secret)) if answer.secret else None


def _helper_error(helper: str, why: str) -> UnavailableError:
    return UnavailableError(
        "credential-helper",
        f"the credential helper docker-credential-{one_line(helper[:64])} gave no credentials",
        why=why,
        next="mend it, or take it out of Docker's config.json",
    )
