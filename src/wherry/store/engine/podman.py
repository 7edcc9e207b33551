"""`containers-storage:`: images of podman, buildah and CRI-O, through podman or skopeo. A Built in, an image there
out; runs those.

An OCI archive is pulled rather than loaded, so that manifests stay as they are; the digest is compared afterwards.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from wherry.errors import CorruptError, UnavailableError, UsageError
from wherry.kit.value import Value, decodable
from wherry.model.image import Built, Published, Stored
from wherry.oci import media
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.reference import Reference
from wherry.store import archive, choose, documents, layout, members, naming, stage
from wherry.store.content import Content
from wherry.store.engine.names import podman_name
from wherry.store.engine.programs import demand
from wherry.store.keeper import Ports
from wherry.store.place import EnginePlace

MISSING = "does not resolve to an image ID"
"""What skopeo says of a name that the storage does not know."""


class _Inspected(Value, frozen=True, kw_only=True, rename="pascal"):
    digest: str = ""
    repo_digests: tuple[str, ...] | None = None


class ContainersStorage:
    """The keeper of `containers-storage:[REF]`."""

    def __init__(self, place: EnginePlace, ports: Ports) -> None:
        self.place, self.ports = place, ports

    def publish(self, built: Built, /) -> Published:
        """Puts the image for this machine there under its names, the index's digest kept where there is one."""
        names = tuple(podman_name(name) for name in naming.names_of(built, self.place.reference))
        podman, skopeo = self.ports.which("podman"), self.ports.which("skopeo")
        if not podman and not skopeo:
            raise absent()
        copy = Path(self.ports.scratch) / f"podman-{secrets.token_hex(8)}.tar"
        try:
            image = choose.built_for(built, self.ports.host)
            named = (layout.described(built, name=names[0], full=names[0]),)
            sent = archive.write(copy, members.chunks(members.one_of(built, image, named)))
            found = self._podman(podman, copy, names) if podman else self._skopeo(skopeo, copy, names)
        finally:
            copy.unlink(missing_ok=True)
        if str(built.digest) not in found:
            raise CorruptError(
                "digest-changed",
                f"{names[0]} has another digest in containers-storage than was sent",
                why=f"it has {', '.join(sorted(found)) or 'none'}",
                where=names[0],
                next="run the same command again; somebody else may use that name",
            )
        return Published(
            reference=f"{names[0]}@{built.digest}",
            place=f"containers-storage:{names[0]}",
            digest=built.digest,
            sent=sent,
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """As `publish`, with layers that come from elsewhere."""
        return (self.publish(stage.built(content, references, self.ports.staging)),)

    def open(self) -> Stored:
        """Its manifest and config; needs skopeo, since podman gives no manifest's bytes."""
        skopeo = self.ports.which("skopeo")
        if not skopeo:
            raise absent("skopeo")
        name = f"containers-storage:{podman_name(str(naming.chosen(self.place)))}"
        try:
            data = demand(self.ports, skopeo, "inspect", "--raw", name).encode()
        except UnavailableError as error:
            if MISSING not in error.output:
                raise
            raise UsageError(
                "no-such-image", f"podman has no image {name.partition(':')[2]}", next="podman images"
            ) from error
        config = demand(self.ports, skopeo, "inspect", "--raw", "--config", name).encode()
        found = {of_bytes(data): data, of_bytes(config): config}
        kind = msgspec.json.decode(data, type=decodable(_Kind)).media_type or media.OCI_MANIFEST
        top = Descriptor(media_type=kind, digest=of_bytes(data), size=len(data))
        return documents.stored(lambda wanted: _of(found, wanted.digest), top, reference=f"{name}@{top.digest}")

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        """UnavailableError [no-layers]: containers-storage keeps layers unpacked, so their packed bytes are gone."""
        raise UnavailableError(
            "no-layers",
            "containers-storage no longer has the packed layers",
            where=f"{self.place}, {descriptor.digest}",
            next="read the image from a registry, a layout or an archive",
        )

    def _podman(self, podman: str, copy: Path, names: tuple[str, ...]) -> set[str]:
        identity = demand(self.ports, podman, "pull", "--quiet", f"oci-archive:{copy}").strip().rpartition("\n")[2]
        if names[1:]:
            demand(self.ports, podman, "tag", identity, *names[1:])
        said = demand(self.ports, podman, "image", "inspect", names[0])
        inspected = msgspec.json.decode(said.encode(), type=decodable(tuple[_Inspected, ...]))
        return {inspected[0].digest} | {one.rpartition("@")[2] for one in inspected[0].repo_digests or ()}

    def _skopeo(self, skopeo: str, copy: Path, names: tuple[str, ...]) -> set[str]:
        for name in names:
            demand(self.ports, skopeo, "copy", "--quiet", f"oci-archive:{copy}", f"containers-storage:{name}")
        said = demand(self.ports, skopeo, "inspect", f"containers-storage:{names[0]}")
        inspected = msgspec.json.decode(said.encode(), type=decodable(_Inspected))
        return {inspected.digest} | {one.rpartition("@")[2] for one in inspected.repo_digests or ()}


class _Kind(Value, frozen=True, kw_only=True, rename="camel"):
    media_type: str = ""


class _Listed(Value, frozen=True, kw_only=True, rename="kebab"):
    names: tuple[str, ...] | None = None
    big_data_names: tuple[str, ...] | None = None
    """Holds `manifest-DIGEST` for each manifest and index that the image came with."""


def list_of_images(reference: str, digest: Digest, ports: Ports) -> str:
    """The file in which containers-storage lists its images (containers-storage.conf(5): graphroot), if it says that `reference`
    is the image `digest`; empty where none of those that podman could use does."""
    for root in dict.fromkeys((*_configured(ports), "/var/lib/containers/storage", _own_root(ports))):
        for file in sorted(Path(root).glob("*-images/images.json")):
            try:
                listed = msgspec.json.decode(file.read_bytes(), type=decodable(tuple[_Listed, ...]))
            except (OSError, msgspec.MsgspecError):
                continue
            wanted = f"manifest-{digest}"
            if any(reference in (one.names or ()) and wanted in (one.big_data_names or ()) for one in listed):
                return str(file)
    return ""


def _configured(ports: Ports) -> Iterator[str]:
    named = ports.variable("CONTAINERS_STORAGE_CONF")
    own = f"{ports.variable('HOME')}/.config/containers/storage.conf"
    for file in (named,) if named else (own, "/etc/containers/storage.conf", "/usr/share/containers/storage.conf"):
        try:
            root = tomllib.loads(Path(file).read_text()).get("storage", {}).get("graphroot", "")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(root, str) and root.startswith("/"):
            yield root


def _own_root(ports: Ports) -> str:
    return f"{ports.variable('XDG_DATA_HOME') or ports.variable('HOME') + '/.local/share'}/containers/storage"


def absent(program: str = "podman") -> UnavailableError:
    """The error for programs that are not here."""
    return UnavailableError(
        "no-engine",
        f"{program} was not found",
        why="images get into containers-storage through podman or skopeo",
        next=f"install {program}, or write oci-archive:FILE instead",
    )


def _of(found: dict[Digest, bytes], wanted: Digest) -> bytes:
    if wanted not in found:
        raise CorruptError("missing-blob", f"{wanted} is named but was not given", where=str(wanted))
    return found[wanted]
