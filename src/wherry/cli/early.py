"""A push without the program that pushes: what is there of it when nothing is unusual. A layout, a digest and a registry of this
machine in, what was sent out; starts threads. Standard library only.

Blobs are begun at once. Most images are there before anybody misses a sign of life, and then their manifests follow from here
(`finish`). Of a large one the blobs stay on their way while the long way is imported; that asks for each what became of it
(`found`), goes on where it broke off, and does all else itself. So it does whenever anything is refused or unclear: nothing here
tries again, and nobody is told who we are.

As there, blobs go out unseen: the registry hashes them, and keeps what has the digest that it was told; manifests come last.
"""

from __future__ import annotations

import hashlib
import os
import queue
import stat
import sys
import threading
import time

from wherry.cache.noop import wire
from wherry.cli import plain

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

AT_ONCE = 6
SOON = 1.0
"""Seconds that all blobs are waited for: that takes no time of the processors, which the registry beside us needs; importing the
rest does. The rest has signs of life, which a person who looks on should not miss for longer."""
UNSEEN = 20.0
"""The same where nobody looks on: into a log they come after half a minute (`progress.HEARTBEAT`)."""
SWITCH = 0.0005
"""Seconds after which another thread may have the interpreter: each of its steps here is short, and then its bytes are on their
way, while what is imported beside it takes ten times as long."""
TICK = 0.2
"""Seconds between two looks at how far it is."""
LARGEST = 4 << 20
"""Bytes of a document (`store.documents`)."""
MOST = 100
"""Images of an index; as many beneath it as their limit there allows."""
#: Layers that may not be handed on (`store.content`).
_KEPT_BACK = (".nondistributable.", ".foreign.")


class Sending(wire.Body):
    """One blob, and what became of it."""

    def __init__(self, file: str, size: int) -> None:
        super().__init__(file, size, "application/octet-stream")
        self.there = self.sent = False
        self.location = ""
        """Where its upload was begun."""
        self.ended = threading.Event()


class Begun:
    """An image on its way to one repository, begun when this is made; none unless each of its blobs is a file of its size. Any
    OSError, ValueError, LookupError, TypeError, AttributeError or RuntimeError: this is for the long way."""

    def __init__(self, layout: str, top: dict[str, Any], server: tuple[str, int], repository: str) -> None:
        self.digest, self.server, self.path = top["digest"], server, f"/v2/{repository}/"
        self.blobs, self.manifests = _parts(layout, top)
        self._ended: queue.SimpleQueue[Sending] = queue.SimpleQueue()
        todo = list(self.blobs.items())
        sys.setswitchinterval(SWITCH)
        for _ in range(min(AT_ONCE, len(todo))):
            threading.Thread(target=self._work, args=(todo,), daemon=True).start()
        root = f"http://{server[0]}:{server[1]}{self.path}blobs/"
        _begun.update({root + name: row for name, row in self.blobs.items()})

    def finish(self, tags: list[str]) -> int | None:
        """Puts the manifests, and `tags` last, once all blobs are there; bytes sent in all. None when that is not soon."""
        end = time.monotonic() + (SOON if sys.stderr.isatty() else UNSEEN)
        try:
            for _ in self.blobs:
                if not self._ended.get(timeout=max(0.0, end - time.monotonic())).there:
                    return None
        except queue.Empty:
            return None
        sent = sum(row.size for row in self.blobs.values() if row.sent)
        for digest, (file, size, kind) in self.manifests.items():
            for name in tags if digest == self.digest else (digest,):
                answer = wire.put(self.server, f"{self.path}manifests/{name}", wire.Body(file, size, kind))
                if not _kept(answer, digest):
                    return None
                sent += size
        return sent

    def _work(self, todo: list[tuple[str, Sending]]) -> None:
        while True:
            try:
                digest, row = todo.pop(0)
            except IndexError:
                return
            try:
                self._send(digest, row)
            except (OSError, ValueError, LookupError):
                pass
            finally:
                row.ended.set()
                self._ended.put(row)

    def _send(self, digest: str, row: Sending) -> None:
        """Asks, begins, sends (distribution-spec, "Pushing a blob monolithically: POST then PUT"). A definite no leaves no
        location behind: there is nothing to go on with."""
        status, _, _ = wire.ask(self.server, "HEAD", f"{self.path}blobs/{digest}")
        row.there = status == 200
        if status != 404:
            return
        status, headers, _ = wire.ask(self.server, "POST", f"{self.path}blobs/uploads/")
        own = f"http://{self.server[0]}:{self.server[1]}"
        location = headers.get("location", "").removeprefix(own)
        if status != 202 or not location.startswith("/") or location.startswith("//"):
            return
        row.location = own + location
        answer = wire.put(self.server, f"{location}{'&' if '?' in location else '?'}digest={digest}", row)
        row.there = row.sent = _kept(answer, digest)
        row.location = ""


_begun: dict[str, Sending] = {}
"""By the blob's address."""


def found(address: str, told: Callable[[int], None], /) -> tuple[bool, str]:
    """The `early` port (`kit.ports.Early`): waits for the blob at `address`. Whoever asks again has reason to doubt it, and asks
    the registry."""
    row = _begun.pop(address, None)
    if row is None:
        return False, ""
    while not row.ended.wait(TICK):
        told(row.done)
    return row.sent, row.location


def _kept(answer: wire.Answered, digest: str) -> bool:
    return answer[0] == 201 and answer[1].get("docker-content-digest", digest) == digest


def _parts(layout: str, top: dict[str, Any]) -> tuple[dict[str, Sending], dict[str, tuple[str, int, str]]]:
    """Config and layers of an image, or of each in an index; file, size and media type of the manifests, the top one last."""
    several = top["mediaType"] in plain.INDEXES
    children = _document(layout, top, plain.INDEX)["manifests"] if several else [top]
    if not 0 < len(children) <= MOST:
        raise ValueError(top["digest"])
    blobs, manifests = {}, {}
    for child in children:
        image = _document(layout, child, plain.MANIFEST)
        config, layers = image["config"], image["layers"]
        if len(_document(layout, config, plain.CONFIG)["rootfs"]["diff_ids"]) != len(layers):
            raise ValueError(child["digest"])
        for one in (*layers, config):
            if any(word in one["mediaType"] for word in _KEPT_BACK):
                raise ValueError(one["mediaType"])
            blobs[one["digest"]] = Sending(*_sized(layout, one))
        manifests[child["digest"]] = (*_sized(layout, child), child["mediaType"])
    manifests[top["digest"]] = (*_sized(layout, top), top["mediaType"])
    return blobs, manifests


def _document(layout: str, descriptor: dict[str, Any], shape: dict[Any, Any]) -> dict[str, Any]:
    """An object of this shape that is what its descriptor says."""
    file = os.open(_path(layout, descriptor["digest"]), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as opened:
        data = opened.read(LARGEST + 1)
    document = plain.read(data, shape)
    kind = document.get("mediaType", descriptor["mediaType"])
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != descriptor["digest"] or kind != descriptor["mediaType"]:
        raise ValueError(descriptor["digest"])
    return document


def _sized(layout: str, descriptor: dict[str, Any]) -> tuple[str, int]:
    """The blob's file and size, which are as the descriptor says."""
    path, size = _path(layout, descriptor["digest"]), descriptor["size"]
    status = os.stat(path)  # noqa: PTH116 - pathlib costs milliseconds here
    if not stat.S_ISREG(status.st_mode) or not 0 < size == status.st_size:
        raise ValueError(path)
    return path, size


def _path(layout: str, digest: str) -> str:
    return f"{layout}/blobs/sha256/{digest[7:]}"
