"""Where an image may be read from. A reference and the user's mirrors in, the first place that has it out; asks each once.

Only for reading. A digest pins what is read wherever it comes from; a tag means what the mirror says it means.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import replace

from wherry.errors import RefusedError, UnavailableError
from wherry.kit.ports import Event, Request
from wherry.model.registries import Registries
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store.keeper import Ports
from wherry.store.registry import head, url
from wherry.store.registry.pull import ACCEPT, Repository

#: Longest silence of a mirror before the next is asked.
SECONDS: Final = 10.0


def places(reference: Reference, registries: Registries) -> tuple[Reference, ...]:
    """Where `reference` may be, in the order they are asked; the registry itself is last."""
    mirrors = registries.of(reference.host).mirrors
    paths = ((one.host, f"{one.path}/{reference.repository}".lstrip("/")) for one in mirrors)
    return (*(replace(reference, host=host, repository=repository) for host, repository in paths), reference)


def source(reference: Reference, ports: Ports, opened: Callable[[Reference], Repository]) -> Repository:
    """The first place that has `reference`. A mirror that is not there, does not know it or does not want to is passed over, and
    said to be."""
    *mirrors, own = places(reference, ports.registries())
    for mirror in mirrors:
        repository = opened(mirror)
        try:
            status = _asked(repository, mirror)
            why = f"it says {status}"
        except (UnavailableError, RefusedError) as error:
            status, why = 0, error.message
        if status == 200:
            return repository
        note = f"{mirror.name} is passed over: {why}"
        ports.events(Event(phase="pull", state="note", subject=note))
    return opened(own)


class Source:
    """A repository to read from, chosen when something is first read: until then nobody is asked. Safe to use from several
    threads."""

    def __init__(self, reference: Reference, ports: Ports, opened: Callable[[Reference], Repository]) -> None:
        self._chosen = functools.partial(source, reference, ports, opened)
        self._there: Repository | None = None
        self._lock = threading.Lock()

    @property
    def there(self) -> Repository:
        """The first place that has it."""
        with self._lock:
            if self._there is None:
                self._there = self._chosen()
            return self._there

    def head(self, name: str) -> Digest | None:
        """As `Repository.head`; likewise the others."""
        return self.there.head(name)

    def top(self) -> tuple[Descriptor, bytes]:
        return self.there.top()

    def fetch(self, descriptor: Descriptor) -> bytes:
        return self.there.fetch(descriptor)

    def blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        return self.there.blob(descriptor)


def _asked(repository: Repository, mirror: Reference) -> int:
    address = url.manifest(repository.base, mirror, mirror.digest or mirror.tag)
    request = Request(method="HEAD", url=address, headers=ACCEPT, timeout=SECONDS)
    response = head.look(repository.session, request, send=repository.session.once)
    response.close()
    return response.status
