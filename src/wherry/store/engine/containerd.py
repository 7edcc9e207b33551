"""`containerd:`: images of containerd, through its `ctr`. A Built in, an image there out, and back; runs ctr.

Namespace and socket are containerd's own variables: CONTAINERD_NAMESPACE (`default`; Kubernetes uses `k8s.io`),
CONTAINERD_ADDRESS.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

from wherry.errors import CorruptError, UnavailableError, UsageError
from wherry.kit.streams import verified_chunks
from wherry.model.image import Built, Published, Stored
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import archive, choose, documents, layout, members, naming, stage
from wherry.store.blobs import open_blob
from wherry.store.content import Content
from wherry.store.engine.names import CONTAINERD_SOCKET
from wherry.store.engine.programs import ask, demand
from wherry.store.keeper import Ports
from wherry.store.place import EnginePlace


class Containerd:
    """The keeper of `containerd:[REF]`."""

    def __init__(self, place: EnginePlace, ports: Ports) -> None:
        self.place, self.ports = place, ports
        self.socket = ports.variable("CONTAINERD_ADDRESS") or CONTAINERD_SOCKET
        self.namespace = ports.variable("CONTAINERD_NAMESPACE") or "default"

    def publish(self, built: Built, /) -> Published:
        """Imports the image for this machine under its full names, the index's digest kept where there is one."""
        names = tuple(naming.in_full(name) for name in naming.names_of(built, self.place.reference))
        program = self._program()
        copy = Path(self.ports.scratch) / f"containerd-{secrets.token_hex(8)}.tar"
        try:
            image = choose.built_for(built, self.ports.host)
            named = tuple(layout.described(built, name=name, full=name) for name in names)
            sent = archive.write(copy, members.chunks(members.one_of(built, image, named)))
            demand(self.ports, program, *self._at("images", "import", "--no-unpack", str(copy)))
        finally:
            copy.unlink(missing_ok=True)
        for name in names:
            found = self._digest(name)
            if found is None or found[0] != built.digest:
                raise CorruptError(
                    "digest-changed",
                    f"{name} has another digest in containerd than was sent",
                    where=self.socket,
                    why=f"it has {found[0] if found else 'none'}",
                    next="run the same command again; somebody else may use that name",
                )
        return Published(
            reference=f"{names[0]}@{built.digest}", place=f"containerd:{names[0]}", digest=built.digest, sent=sent
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """As `publish`, with layers that come from elsewhere."""
        return (self.publish(stage.built(content, references, self.ports.staging)),)

    def open(self) -> Stored:
        """Its documents, as containerd stores them."""
        name = naming.in_full(str(naming.chosen(self.place)))
        found = self._digest(name)
        if found is None:
            raise UsageError("no-such-image", f"containerd has no image {name} in the namespace {self.namespace}")
        digest, media_type = found
        data = self._get(digest)
        top = Descriptor(media_type=media_type, digest=digest, size=len(data))
        return documents.stored(
            lambda wanted: self._get(wanted.digest), top, reference=f"{name}@{digest}", partial=True
        )

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        copy = self._fetched(descriptor.digest)
        try:
            with open_blob(copy, str(descriptor.digest)) as file:
                yield from verified_chunks(
                    file, sha256=descriptor.digest.hex, size=descriptor.size, name=str(descriptor.digest)
                )
        finally:
            copy.unlink(missing_ok=True)

    def _get(self, digest: Digest) -> bytes:
        copy = self._fetched(digest)
        try:
            return copy.read_bytes()[: documents.LARGEST + 1]
        finally:
            copy.unlink(missing_ok=True)

    def _fetched(self, digest: Digest) -> Path:
        copy = Path(self.ports.scratch) / f"containerd-{secrets.token_hex(8)}"
        done = ask(self.ports, self._program(), *self._at("content", "get", digest), stdout=str(copy))
        if done.code:
            copy.unlink(missing_ok=True)
            raise CorruptError("missing-blob", f"containerd does not have {digest}", where=self.socket)
        return copy

    def _digest(self, name: str) -> tuple[Digest, str] | None:
        """Digest and media type of `name` (columns REF TYPE DIGEST of `ctr images ls`)."""
        said = demand(self.ports, self._program(), *self._at("images", "ls", f"name=={name}"))
        rows = [line.split() for line in said.splitlines()[1:]]
        return next(((Digest(row[2]), row[1]) for row in rows if len(row) > 2 and row[0] == name), None)

    def _at(self, *arguments: str) -> tuple[str, ...]:
        return ("--address", self.socket, "--namespace", self.namespace, *arguments)

    def _program(self) -> str:
        program = self.ports.which("ctr")
        if not program or not Path(self.socket).is_socket():
            missing = f"containerd does not listen at {self.socket}" if program else "its program ctr was not found"
            raise UnavailableError(
                "no-engine",
                f"no containerd to import into: {missing}",
                where=self.socket,
                next="start containerd, or set CONTAINERD_ADDRESS",
            )
        return program
