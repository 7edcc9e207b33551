"""Files of credentials: Docker's config.json and podman's auth.json, which share one form. A path in, a value out; and entries
written back, with all else in the file kept as it was.

Docker's "config.json" and containers-auth.json(5). Entries are never shown.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from wherry.errors import UnavailableError
from wherry.kit.files import atomic_write, disk_errors
from wherry.kit.secret import Secret
from wherry.kit.text import one_line
from wherry.kit.value import Value, decodable
from wherry.store.registry.account import Credentials

LARGEST = 4 << 20


class Entry(Value, frozen=True, kw_only=True):
    """One member of `auths`, as it is written."""

    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""
    registrytoken: str = ""


class AuthFile(Value, frozen=True, kw_only=True, rename="camel"):
    """What of such a file is about credentials. A member of `auths` that is empty stands for one that a helper keeps."""

    auths: dict[str, Entry] = {}
    cred_helpers: dict[str, str] = {}
    creds_store: str = ""


def read(path: Path) -> AuthFile:
    """The file; without anything in it when it is not there. UnavailableError [docker-config]."""
    data = _bytes(path)
    if not data.strip():
        return AuthFile()
    try:
        return msgspec.json.decode(data, type=decodable(AuthFile))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _broken(path, f"it is not what Docker writes: {one_line(str(error))[:200]}") from None


def credentials(entry: Entry, path: Path) -> Credentials | None:
    """What an entry means; None when it holds nothing."""
    if entry.registrytoken:
        return Credentials(secret=Secret(entry.registrytoken), kind="registry", source=str(path))
    if entry.identitytoken:
        return Credentials(secret=Secret(entry.identitytoken), kind="identity", source=str(path))
    user, secret = entry.username, entry.password
    if entry.auth:
        try:
            user, colon, secret = base64.b64decode(entry.auth, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise _broken(path, "an entry of it is no base64 text") from None
        if not colon:
            raise _broken(path, "an entry of it holds no user and password")
    return Credentials(user=user, secret=Secret(secret.rstrip("\0")), source=str(path)) if user or secret else None


def put(path: Path, key: str, credentials: Credentials | None, same: Callable[[str], bool]) -> None:
    """Writes an entry of `auths` under `key`, in the place of those whose key means the same; without credentials an empty
    one, as Docker does for what a helper keeps."""
    entry: dict[str, str] = {}
    if credentials is not None and credentials.kind == "identity":
        entry = {"identitytoken": credentials.secret.reveal()}
    elif credentials is not None:
        entry = {"auth": credentials.basic().removeprefix("Basic ")}

    def change(auths: dict[str, Any]) -> bool:
        for old in [old for old in auths if same(old)]:
            del auths[old]
        auths[key] = entry
        return True

    _rewrite(path, change)


def remove(path: Path, wanted: Callable[[str], bool]) -> bool:
    """Takes the entries away whose key is wanted; False, and nothing is written, when there are none."""

    def change(auths: dict[str, Any]) -> bool:
        found = [key for key in auths if wanted(key)]
        for key in found:
            del auths[key]
        return bool(found)

    return path.is_file() and _rewrite(path, change)


def _rewrite(path: Path, change: Callable[[dict[str, Any]], bool]) -> bool:
    """Reads, changes and replaces the file whole, mode 0600; what it links to when it is a link. One writer at a time."""
    path = Path(os.path.realpath(path))
    with disk_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(path.parent):
        read(path)
        try:
            tree = json.loads(_bytes(path).strip() or b"{}")
            changed = change(tree.setdefault("auths", {}))
            text = json.dumps(tree, indent="\t", allow_nan=False) + "\n"
        except (ValueError, RecursionError):
            raise _broken(path, "it is no JSON text that could be written again") from None
        if not changed:
            return False
        atomic_write(path, text.encode(), mode=0o600, durable=True)
    return True


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two logins at once would lose one of them."""
    with disk_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with disk_errors(path), path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _broken(path, "it is larger than 4 MiB")
    return data


def _broken(path: Path, why: str) -> UnavailableError:
    return UnavailableError(
        "docker-config",
        "a file of registry credentials cannot be used",
        where=str(path),
        why=why,
        next="mend it, or log in again",
    )
