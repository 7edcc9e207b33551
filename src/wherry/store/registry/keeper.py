"""`docker://REF`: an image in a registry. A Built in, a tag there out, and back; touches the network through the http port."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.model.image import Built, Published, Stored
from wherry.oci import reference as references
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import documents, naming
from wherry.store.keeper import Ports
from wherry.store.place import RegistryPlace
from wherry.store.registry import credentials, url
from wherry.store.registry.pull import Repository
from wherry.store.registry.push import Push
from wherry.store.registry.session import Session, Setup


class Registry:
    """The keeper of `docker://REF`."""

    def __init__(self, place: RegistryPlace, ports: Ports) -> None:
        self.place = RegistryPlace(reference=naming.or_latest(place.reference))
        self.ports = ports
        self._repository: Repository | None = None

    def publish(self, built: Built, /) -> Published:
        """Pushes what is missing and moves the tag last; one request when the tag is there already."""
        reference = self.place.reference
        naming.refuse_digest(reference.digest, self.place)
        sent = 0
        if self.head() != built.digest:
            sent = Push(self._opened("pull,push"), built).all()
        return Published(reference=f"{reference}@{built.digest}", place=str(self.place), digest=built.digest, sent=sent)

    def open(self) -> Stored:
        """Manifests and configs, verified; layers stay there."""
        repository = self._opened("pull")
        top, data = repository.top()
        shown = self.place.reference if self.place.reference.digest else f"{self.place.reference}@{top.digest}"
        return documents.stored(
            lambda descriptor: data if descriptor.digest == top.digest else repository.fetch(descriptor),
            top,
            reference=str(shown),
        )

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        return self._opened("pull").blob(descriptor)

    def head(self) -> Digest | None:
        """What the tag means at the registry now, by its own word; None when it is not there."""
        return self._opened("pull,push").head(self.place.reference.digest or self.place.reference.tag)

    def _opened(self, actions: str) -> Repository:
        reference, ports = self.place.reference, self.ports
        if self._repository is None:
            setup = Setup(
                http=ports.http,
                base=url.base(reference.host, ports.plain_http),
                scope=f"repository:{reference.repository}:{actions}",
                credentials=lambda: credentials.find(reference.host, reference.repository, ports),
                pause=ports.pause,
                events=ports.events,
                token_hosts=ports.token_hosts,
            )
            self._repository = Repository(Session(setup), reference)
        return self._repository


def head(reference: Reference, ports: Ports) -> Digest | None:
    """What `reference` means at its registry now, in one request (two more where a token is wanted); None when it is not there.

    By the registry's own word: good enough to know that nothing has to be pushed, never to read by (C07)."""
    return Registry(RegistryPlace(reference=references.in_registry(reference)), ports).head()
