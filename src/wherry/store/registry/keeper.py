"""`docker://REF`: an image in a registry. A Built in, a tag there out, and back; touches the network through the http port."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec.structs import replace

from wherry.model.image import Built, Published, Stored
from wherry.oci import reference as references
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import documents, naming
from wherry.store.content import Content, content_of
from wherry.store.keeper import Ports
from wherry.store.place import RegistryPlace
from wherry.store.registry import credentials, mirrors, url
from wherry.store.registry.pull import Repository
from wherry.store.registry.push import AT_ONCE, Push
from wherry.store.registry.reach import Reach
from wherry.store.registry.session import Session, Setup


class Registry:
    """The keeper of `docker://REF`."""

    def __init__(self, place: RegistryPlace, ports: Ports) -> None:
        self.place = RegistryPlace(reference=naming.or_latest(place.reference))
        self.ports = ports
        self._repositories: dict[str, Repository] = {}

    def publish(self, built: Built, /) -> Published:
        """Pushes what is missing and moves the tag last; one request when the tag is there already."""
        naming.refuse_digest(self.place.reference.digest, self.place)
        return self.put(content_of(built))[0]

    def put(self, content: Content, references: tuple[Reference, ...] = ()) -> tuple[Published, ...]:
        """Puts `content` under `references`, tags of this place's repository (the place's own when there are none), all
        sent once; a reference with nothing but the content's digest is put by that. One request each for what is there."""
        wanted = tuple(naming.or_latest(one) for one in references) or (self.place.reference,)
        for one in wanted:
            if one.name != self.place.reference.name or one.digest not in (None, content.digest):
                naming.refuse_digest(content.digest, one)
        repository = self._opened("pull,push")
        names = {one: one.tag or str(content.digest) for one in wanted}
        missing = tuple(dict.fromkeys(name for name in names.values() if repository.head(name) != content.digest))
        sent = Push(repository, content, missing).all() if missing else 0
        return tuple(
            Published(
                reference=f"{replace(one, digest=None)}@{content.digest}",
                place=f"docker://{replace(one, digest=None)}" + ("" if one.tag else f"@{content.digest}"),
                digest=content.digest,
                sent=sent if number == 0 else 0,
            )
            for number, one in enumerate(wanted)
        )

    def open(self) -> Stored:
        """Manifests and configs, verified; layers stay there."""
        repository = self._opened("pull")
        top, data = repository.top()
        shown = self.place.reference if self.place.reference.digest else f"{self.place.reference}@{top.digest}"
        found = documents.stored(
            lambda descriptor: data if descriptor.digest == top.digest else repository.fetch(descriptor),
            top,
            reference=str(shown),
            at_once=AT_ONCE,
        )
        return replace(found, origin=self.place.reference)

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        return self._opened("pull").blob(descriptor)

    def reader(self) -> Repository:
        """Its documents and blobs one by one, for whoever does not want all of them."""
        return self._opened("pull")

    def head(self) -> Digest | None:
        """What the tag means at the registry now, by its own word; None when it is not there."""
        return self._opened("pull,push").head(self.place.reference.digest or self.place.reference.tag)

    def _opened(self, actions: str) -> Repository:
        if actions not in self._repositories:
            reference, ports = self.place.reference, self.ports
            reads = actions == "pull"
            self._repositories[actions] = (
                readable(reference, ports).there if reads else repository(reference, ports, actions=actions)
            )
        return self._repositories[actions]


def repository(reference: Reference, ports: Ports, *, actions: str = "pull") -> Repository:
    """A repository to read from, list, or change: `actions` are what a token is asked for, `pull,push,delete` all,
    empty for the registry itself."""
    registries = ports.registries()
    base = url.base(reference.host, (*registries.plain, *ports.plain_http), registries.protected)
    own = urlsplit(base).hostname or ""
    setup = Setup(
        http=Reach(ports),
        base=base,
        scope=f"repository:{reference.repository}:{actions}" if actions else "",
        credentials=lambda: credentials.find(reference.host, reference.repository, ports),
        pause=ports.pause,
        elapsed=ports.elapsed,
        now=ports.now,
        events=ports.events,
        early=ports.early,
        known=ports.known,
        kept=ports.kept,
        records=ports.records,
        token_hosts=(*ports.token_hosts, *((own, host) for host in registries.of(reference.host).token_hosts)),
    )
    return Repository(Session(setup), reference)


def readable(reference: Reference, ports: Ports) -> mirrors.Source:
    """An image to read, from the user's mirrors too."""
    return mirrors.Source(reference, ports, lambda one: repository(one, ports))


def head(reference: Reference, ports: Ports) -> Digest | None:
    """What `reference` means at its registry now, in one request (two more where a token is wanted); None when it is not there.

    By the registry's own word: good enough to know that nothing has to be pushed, never to read by (C07)."""
    return Registry(RegistryPlace(reference=references.in_registry(reference)), ports).head()
