"""A push's blobs, begun before the program that pushes is imported. A layout, a digest and a registry of this machine in, bytes
on their way out; starts threads. Standard library only.

It only helps: the long way asks for each blob what became of it (`found`), goes on where it broke off, and does all else
itself: it looks at the documents, asks, tries again, and puts the manifests. Bytes go out unseen, as they do there: the registry
hashes them, and keeps what has the digest that it was told. Nobody is told who we are: a registry that wants to know gets nothing
from here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import threading

from wherry.cache.noop import wire
from wherry.cache.noop.outputs import LARGEST
from wherry.cli.present import DIGEST

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

AT_ONCE = 6
SWITCH = 0.0005
"""Seconds after which another thread may have the interpreter: each of its steps here is short, and then its bytes are on their
way, while what is imported beside it takes ten times as long."""
TICK = 0.2
"""Seconds between two looks at how far it is."""
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""A FIFO in a foreign layout would hang us."""
#: Layers that may not be handed on (`store.content`).
_KEPT_BACK = (".nondistributable.", ".foreign.")


class _Sending:
    """One blob, and how far it is."""

    def __init__(self, file: str, size: int) -> None:
        self.file, self.size = file, size
        self.done = 0
        self.there = False
        self.location = ""
        """Where its upload was begun."""
        self.ended = threading.Event()

    def tell(self, done: int) -> None:
        self.done = done


_begun: dict[str, _Sending] = {}
"""By the blob's address."""


def begin(layout: str, digest: str, server: tuple[str, int], repository: str) -> None:
    """Sends the blobs of the image `digest` in `layout` to the host and port `server`; none unless each is a file of its size.
    Any OSError, ValueError, LookupError, TypeError, AttributeError or RuntimeError: this is for the long way."""
    path = f"/v2/{repository}/blobs/"
    rows = dict(_blobs(layout, digest))
    todo = list(rows.items())
    sys.setswitchinterval(SWITCH)
    for _ in range(min(AT_ONCE, len(todo))):
        threading.Thread(target=_work, args=(todo, server, path), daemon=True).start()
    _begun.update({f"http://{server[0]}:{server[1]}{path}{name}": row for name, row in rows.items()})


def found(address: str, told: Callable[[int], None], /) -> tuple[bool, str]:
    """The `early` port (`kit.ports.Early`): waits for the blob at `address`."""
    row = _begun.get(address)
    if row is None:
        return False, ""
    while not row.ended.wait(TICK):
        told(row.done)
    return row.there, row.location


def _work(todo: list[tuple[str, _Sending]], server: tuple[str, int], path: str) -> None:
    while True:
        try:
            digest, row = todo.pop(0)
        except IndexError:
            return
        try:
            _send(digest, row, server, path)
        except (OSError, ValueError, LookupError):
            pass
        finally:
            row.ended.set()


def _send(digest: str, row: _Sending, server: tuple[str, int], path: str) -> None:
    """Asks, begins, sends (distribution-spec, "Pushing a blob monolithically: POST then PUT"). A definite no leaves no location
    behind: there is nothing to go on with."""
    if wire.ask(server, "HEAD", path + digest)[0] != 404:
        return
    status, headers, _ = wire.ask(server, "POST", f"{path}uploads/")
    own = f"http://{server[0]}:{server[1]}"
    location = headers.get("location", "").removeprefix(own)
    if status != 202 or not location.startswith("/") or location.startswith("//"):
        return
    row.location = own + location
    target = f"{location}{'&' if '?' in location else '?'}digest={digest}"
    file = os.open(row.file, FLAGS)
    try:
        status, headers, _ = wire.put(server, target, file, row.size, row.tell)
    finally:
        os.close(file)
    row.there = status == 201 and headers.get("docker-content-digest", digest) == digest
    row.location = ""


def _blobs(layout: str, digest: str) -> Iterator[tuple[str, _Sending]]:
    """Config and layers of an image, or of each in an index."""
    top = _document(layout, digest)
    children = {child["digest"] for child in top["manifests"]} if "manifests" in top else ()
    for manifest in [_document(layout, child) for child in children] or [top]:
        for one in (*manifest["layers"], manifest["config"]):
            row = _Sending(_path(layout, one["digest"]), one["size"])
            if any(word in one["mediaType"] for word in _KEPT_BACK) or row.size == 0:
                continue
            status = os.stat(row.file)  # noqa: PTH116 - pathlib costs milliseconds here
            if not stat.S_ISREG(status.st_mode) or type(row.size) is not int or status.st_size != row.size:
                raise ValueError(row.file)
            yield one["digest"], row


def _document(layout: str, digest: str) -> dict[str, Any]:
    with os.fdopen(os.open(_path(layout, digest), FLAGS), "rb") as file:
        data = file.read(LARGEST)
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise ValueError(digest)
    document: dict[str, Any] = json.loads(data)
    return document


def _path(layout: str, digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise ValueError(digest)
    return f"{layout}/blobs/sha256/{digest[7:]}"
