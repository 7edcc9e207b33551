"""What every place can do, and the ports it is handed. Touches nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

from wherry.kit.ports import Early, Events, Http, Records, Run, Which, nobody, silent
from wherry.kit.value import Value
from wherry.model.image import Built, Published, Stored
from wherry.model.registries import Registries
from wherry.oci.descriptor import Descriptor
from wherry.oci.platform import Platform
from wherry.oci.reference import Reference
from wherry.store.registry.kept import Kept
from wherry.store.registry.known import Known

if TYPE_CHECKING:
    from wherry.store.content import Content


class Ports(Value, frozen=True, kw_only=True):
    """The machine, as far as this room sees it."""

    http: Http
    run: Run
    which: Which
    host: Platform
    """What engines of this machine run."""
    data: str
    """Folder of wherry's data; the own store lies beneath it. Made when needed."""
    scratch: str
    """An existing private folder for files that need not outlive the run."""
    blobs: str = ""
    """A folder where layers may outlive the run, so that what a killed run brought is not brought again."""
    environment: tuple[tuple[str, str], ...] = ()
    """The user's whole environment. Rooms read what they know; only credential helpers, which are the user's own, get
    all of it."""
    events: Events = silent
    early: Early = nobody
    """Blobs that are on their way to a registry already."""
    pause: Callable[[float], None] = time.sleep
    """Waits between tries."""
    elapsed: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    records: Records | None = None
    """Where what registries can do is kept from run to run, if anywhere."""
    known: Known = msgspec.field(default_factory=Known)
    """What this run knows of registries."""
    kept: Kept = msgspec.field(default_factory=Kept)
    """This run's credentials and tokens."""
    authfile: str = ""
    """--authfile: the one file of credentials to look at."""
    offline: bool = False
    """--offline: no registry may be asked."""
    registries: Callable[[], Registries] = Registries
    """The user's own configuration of registries; read when the first is asked."""
    plain_http: tuple[str, ...] = ()
    """Registries (host or host:port) that may be asked without TLS, beside loopback; from the user's configuration,
    never a repository's."""
    token_hosts: tuple[tuple[str, str], ...] = ()
    """Pairs of a registry's and its token server's host that the user trusts, beside the known ones."""

    def variable(self, name: str) -> str:
        """An environment variable, or empty."""
        return next((value for key, value in self.environment if key == name), "")

    @property
    def staging(self) -> str:
        """Where layers lie that are files for a while."""
        return self.blobs or self.scratch


class Keeper(Protocol):
    """Whatever keeps images at one place."""

    def publish(self, built: Built, /) -> Published:
        """Puts the image or index there, whole or not at all; a tag moves last (C02)."""
        ...

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """The same for what lies in another place, blobs that are there already not sent again. `references`: its names, where
        the place has none of its own."""
        ...

    def open(self) -> Stored:
        """Its documents, each verified against its digest; layers are only described."""
        ...

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        """A layer's bytes in chunks; raises CorruptError unless all of them match size and digest."""
        ...
