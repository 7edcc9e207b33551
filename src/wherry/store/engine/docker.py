"""`docker-daemon:`: images in Docker, through its Engine API. A Built in, an image there out, and back; asks the daemon.

Docker's own store knows an image by its config's digest, so the name it gives is said as `renamed`; with the
containerd image store the digest is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec

from wherry.errors import CorruptError, UnavailableError
from wherry.kit.files import atomic_writer
from wherry.kit.ports import Request, Response
from wherry.kit.streams import CHUNK, read_limited
from wherry.kit.text import one_line
from wherry.kit.value import Value, decodable
from wherry.model.image import Built, Image, Published, Stored
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, decode
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import choose, docker_archive, members, naming, stage
from wherry.store.content import Content
from wherry.store.docker_archive import DockerArchive
from wherry.store.engine.docker_host import Address, address
from wherry.store.engine.names import podman_name
from wherry.store.keeper import Ports
from wherry.store.place import DockerArchivePlace, EnginePlace

PATIENCE = 600.0
"""Seconds of silence while a daemon unpacks."""
ZSTD_SINCE = (1, 42)
"""The API version of Docker 23, the first to unpack zstd."""
LARGEST = 1 << 20


class _Daemon(Value, frozen=True, kw_only=True):
    api: tuple[int, ...]
    podman: bool
    """Podman answers at Docker's socket too; it keeps digests, and names what has no host `localhost`'s."""


class _Inspected(Value, frozen=True, kw_only=True):
    id: str = msgspec.field(default="", name="Id")
    repo_digests: tuple[str, ...] | None = msgspec.field(default=None, name="RepoDigests")

    @property
    def known(self) -> set[str]:
        """All digests it is known by; Docker's own store knows one of a registry only after a push or pull."""
        return {self.id} | {one.rpartition("@")[2] for one in self.repo_digests or ()}

    def keeps(self, name: str, digest: Digest) -> bool:
        """Whether `name@digest` leads there. The digest may be known for another repository, from which the same was pulled."""
        return digest == self.id or f"{name.rpartition(':')[0]}@{digest}" in (self.repo_digests or ())


class _Line(Value, frozen=True, kw_only=True):
    error: str = ""
    message: str = ""


class DockerDaemon:
    """The keeper of `docker-daemon:[REF]`."""

    def __init__(self, place: EnginePlace, ports: Ports) -> None:
        self.place, self.ports = place, ports
        self.address: Address = address(ports)
        self._copy = ""

    def publish(self, built: Built, /) -> Published:
        """Loads the image for this machine under its names, unless they lead to it already."""
        image = choose.built_for(built, self.ports.host)
        daemon = self._ping()
        names = naming.names_of(built, self.place.reference)
        if daemon.podman:
            names = tuple(podman_name(name) for name in names)
        sent = 0
        if not all(self._holds(name, image) for name in names):
            content = self._content(image, built, names, daemon)
            sent = members.size(content)
            self._load(content, sent)
        if not all(self._holds(name, image) for name in names):
            raise CorruptError(
                "digest-changed",
                f"Docker stored another image than was sent as {names[0]}",
                where=self.address.text,
                why=f"it says {self._inspect(names[0]).id or 'that there is none'}",
                next="run the same command again; somebody else may use that name",
            )
        kept = self._inspect(names[0]).keeps(names[0], image.digest)
        return Published(
            reference=f"{names[0]}@{image.digest}" if kept else names[0],
            place=f"docker-daemon:{names[0]}",
            digest=image.digest,
            renamed="" if kept else image.config.digest,
            sent=sent,
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """As `publish`, with layers that come from elsewhere."""
        return (self.publish(stage.built(content, references, self.ports.staging, measured=self.ports.host)),)

    def open(self) -> Stored:
        """The image as Docker saves it."""
        return self._saved().open()

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        return self._saved().blob(descriptor)

    def _content(self, image: Image, built: Built, names: tuple[str, ...], daemon: _Daemon) -> members.Members:
        zstd = any(media.compression(layer.media_type) == "zstd" for layer in image.layers)
        if zstd and daemon.api < ZSTD_SINCE and not daemon.podman:
            return members.unpacked_members(image, names)
        return docker_archive.with_layout(image, built, names)

    def _holds(self, name: str, image: Image) -> bool:
        return bool(self._inspect(name).known & {image.config.digest, image.digest})

    def _saved(self) -> DockerArchive:
        if not self._copy:
            reference = naming.chosen(self.place)
            response = self._ask("GET", f"/images/{quote(str(reference), safe='/:@')}/get", timeout=PATIENCE)
            if response.status != 200:
                raise self._refused(response, f"read {reference}")
            copy = Path(self.ports.scratch) / f"docker-{secrets.token_hex(8)}.tar"
            with atomic_writer(copy) as file:
                while chunk := response.read(CHUNK):
                    file.write(chunk)
            response.close()
            self._copy = str(copy)
        return DockerArchive(DockerArchivePlace(file=self._copy))

    def _ping(self) -> _Daemon:
        """Who answers; UnavailableError [no-engine] when nobody does."""
        try:
            response = self._ask("GET", "/_ping", timeout=10.0)
        except UnavailableError as error:
            raise absent(self.address, error) from error
        response.close()
        parts = response.header("Api-Version").split(".")
        return _Daemon(
            api=tuple(int(part) for part in parts if part.isdecimal()),
            podman=response.header("Server").startswith("Libpod/"),
        )

    def _inspect(self, name: str) -> _Inspected:
        """What `name` leads to there; an empty id when there is no such image."""
        response = self._ask("GET", f"/images/{quote(name, safe='/:@')}/json")
        if response.status == 404:
            response.close()
            return _Inspected()
        if response.status != 200:
            raise self._refused(response, f"look at {name}")
        data = read_limited(response, limit=8 << 20, name=name)
        response.close()
        return decode(data, _Inspected, name=f"Docker's word on {name}")

    def _load(self, content: members.Members, size: int) -> None:
        headers = (("Content-Type", "application/x-tar"), ("Content-Length", str(size)))
        response = self._ask(
            "POST",
            "/images/load?quiet=1",
            headers=headers,
            body_stream=lambda: members.chunks(content),
            timeout=PATIENCE,
        )
        if response.status != 200:
            raise self._refused(response, "load the image")
        said = read_limited(response, limit=LARGEST, name=self.address.text)
        response.close()
        if words := _error(said):  # with status 200: it began to answer before it failed
            raise UnavailableError(
                "engine-refused", "Docker could not load the image", where=self.address.text, why=words
            )

    def _ask(self, method: str, path: str, **options: object) -> Response:
        request = Request(method=method, url=self.address.at(path))
        return self.ports.http(msgspec.structs.replace(request, **options))

    def _refused(self, response: Response, doing: str) -> UnavailableError:
        body = b""
        while len(body) < LARGEST and (chunk := response.read(LARGEST - len(body))):
            body += chunk
        response.close()
        why = _error(body) or f"it answered with status {response.status}"
        return UnavailableError("engine-refused", f"Docker could not {doing}", where=self.address.text, why=why)


def absent(at: Address, error: UnavailableError) -> UnavailableError:
    """The error for a daemon that does not answer."""
    return UnavailableError(
        "no-engine",
        f"no Docker answers at {one_line(at.text)}",
        where=one_line(at.text),
        why=error.message,
        next=("start Docker", "set DOCKER_HOST", "leave -o and --load out: wherry keeps images in its own store"),
    )


def _error(data: bytes) -> str:
    """The first complaint in an answer, or in the lines of one."""
    for line in data.splitlines():
        try:
            parsed = msgspec.json.decode(line, type=decodable(_Line))
        except (msgspec.MsgspecError, ValueError):
            continue
        if words := parsed.error or parsed.message:
            return one_line(words[:500])
    return ""
