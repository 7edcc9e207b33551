"""Bases, binaries and a plan in, images under one digest out. Touches what packing touches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from wherry.assemble.assets import asset_entries
from wherry.assemble.below import bundle, directories_and_links
from wherry.assemble.certificates import extra_certificates
from wherry.assemble.config import APP, PROBE, config_document, has_probe
from wherry.assemble.pack import Packer, Purpose, layer_type, pack
from wherry.assemble.static import MOUNT_POINTS
from wherry.assemble.tree import image_path, owner, place
from wherry.kit import snapshot
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.model.image import Built, Image, ImageIndex, Layer
from wherry.model.plan import ImagePlan
from wherry.oci import media, reference
from wherry.oci.descriptor import Descriptor, Document, describe, encode
from wherry.oci.manifest import Index, Manifest
from wherry.oci.tar import Entry, duplicate
from wherry.probe.elf import probe_elf


class Prepared(Value, frozen=True, kw_only=True):
    """All of one platform's image that needs no binary, made while Go compiles."""

    base: Base
    below: tuple[Entry, ...] = ()
    """Directories and links of the base."""
    assets: Layer | None = None
    paths: tuple[str, ...] = ()
    """Of the files and links in the assets layer."""


def prepare(plan: ImagePlan, bases: tuple[Base, ...], root: Path, packer: Packer) -> tuple[Prepared, ...]:
    """One for each base, in order; assets are packed here. `root` is the project's."""
    return tuple(_prepared(plan, base, root, packer) for base in bases)


def _prepared(plan: ImagePlan, base: Base, root: Path, packer: Packer) -> Prepared:
    below = directories_and_links(base, packer.records) if _lies_among(plan, base) else ()
    if not plan.assets and not plan.base.certificates:
        return Prepared(base=base, below=below)
    tree = {entry.path: entry for entry in below}
    entries = [*asset_entries(plan.assets, root)]
    if plan.base.certificates and base.name != "static":
        path, content = bundle(base, tree)
        entries.append(Entry(path=path, content=content + extra_certificates(root, plan.base.certificates)))
    if not entries:
        return Prepared(base=base, below=below)
    placed = place(entries, tree)
    sources = " ".join(asset.source for asset in plan.assets) or "certificates"
    layer = pack(placed, plan.packing, Purpose(role="assets", history=f"wherry assets: {sources}"), packer)
    paths = tuple(entry.path for entry in placed if entry.kind != "directory")
    return Prepared(base=base, below=below, assets=layer, paths=paths)


def _lies_among(plan: ImagePlan, base: Base) -> bool:
    """Whether anything goes between the base's own folders. The program alone goes into folders of its own, wherever the base's
    layers are: so they need not be read, and the digest is the same whether they were."""
    return base.name == "static" or bool(plan.assets or plan.base.certificates or plan.writable or plan.volumes)


def assemble_all(
    plan: ImagePlan, prepared: tuple[Prepared, ...], binaries: tuple[Binary, ...], packer: Packer
) -> Built:
    """The image for one platform, or the index of several, in one order however they came. `binaries` may hold others' too."""
    images = tuple(assemble(plan, part, binaries, packer) for part in prepared)
    ordered = tuple(sorted(images, key=lambda image: str(image.platform)))
    content = ordered[0] if len(ordered) == 1 else assemble_index(plan, ordered)
    return Built(name=plan.name, version=plan.version, references=plan.references, content=content)


def assemble(plan: ImagePlan, prepared: Prepared, binaries: tuple[Binary, ...], packer: Packer) -> Image:
    """The image for one platform: packs the application's layer and writes config and manifest."""
    base = prepared.base
    names = " ".join(f"/{APP}/{target.name}" for target in plan.targets)
    purpose = Purpose(role="app", history=f"wherry app: {names}")
    app = pack(_app_entries(plan, prepared, binaries), plan.packing, purpose, packer)
    layers = (*_relabelled(base, plan), *((prepared.assets,) if prepared.assets else ()), app)
    config = config_document(plan, base, layers)
    manifest = Manifest(
        schema_version=2,
        media_type=media.DOCKER_MANIFEST if plan.packing.format == "docker" else media.OCI_MANIFEST,
        config=describe(config),
        layers=tuple(Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size) for layer in layers),
        annotations=_annotations(plan, base),
    )
    document = Document(media_type=manifest.media_type, data=encode(manifest))
    return Image(platform=base.platform, manifest=document, config=config, layers=layers)


def _relabelled(base: Base, plan: ImagePlan) -> Iterator[Layer]:
    """The base's layers by the names that the image's format has for them; their bytes are the same."""
    for layer in base.layers:
        media_type = layer_type(plan.packing.format, media.compression(layer.media_type))
        yield msgspec.structs.replace(layer, media_type=media_type)


def assemble_index(plan: ImagePlan, images: tuple[Image, ...]) -> ImageIndex:
    """The index of `images`, each with its platform."""
    index = Index(
        schema_version=2,
        media_type=media.DOCKER_INDEX if plan.packing.format == "docker" else media.OCI_INDEX,
        manifests=tuple(describe(image.manifest, platform=image.platform) for image in images),
        annotations=_annotations(plan),
    )
    return ImageIndex(document=Document(media_type=index.media_type, data=encode(index)), images=images)


def _annotations(plan: ImagePlan, base: Base | None = None) -> dict[str, str]:
    """The plan's, with the base's name and digest; none in Docker's format, which has no place for them."""
    if plan.packing.format == "docker":
        return {}
    made = dict(plan.annotations)
    if base and base.digest:
        made["org.opencontainers.image.base.digest"] = base.digest
        transport, separator, name = base.name.partition("://")
        if separator and transport == "docker":
            made["org.opencontainers.image.base.name"] = str(reference.in_registry(reference.parse(name)))
    return made


def _app_entries(plan: ImagePlan, prepared: Prepared, binaries: tuple[Binary, ...]) -> tuple[Entry, ...]:
    platform = prepared.base.platform
    entries = [
        Entry(
            path=f"{APP}/{target.name}",
            mode=0o555,
            content=snapshot.look(_file(target.import_path, prepared, binaries), shared=True),  # see compile.keep
        )
        for target in plan.targets
    ]
    if has_probe(plan.health, platform.architecture):
        entries.append(Entry(path=PROBE, mode=0o555, content=probe_elf(platform.architecture)))
    below = {entry.path: entry for entry in prepared.below}
    directories = {entry.path: entry for entry in MOUNT_POINTS} if prepared.base.name == "scratch" else {}
    directories |= {entry.path: entry for entry in _writable(plan)}
    placed = place((*directories.values(), *entries), below)
    clashes = {entry.path for entry in placed}.intersection(prepared.paths)
    if clashes:
        raise duplicate(min(clashes))
    return placed


def _writable(plan: ImagePlan) -> Iterator[Entry]:
    """Directories of the application's user. Volumes too: an engine gives a new volume the owner that the directory has."""
    uid, gid = owner(plan.user)
    modes = {image_path(volume): 0o755 for volume in plan.volumes}
    modes |= {image_path(directory.path): directory.mode for directory in plan.writable}
    for path, mode in modes.items():
        yield Entry(path=path, kind="directory", mode=mode, uid=uid, gid=gid)


def _file(import_path: str, prepared: Prepared, binaries: tuple[Binary, ...]) -> str:
    platform = prepared.base.platform
    for binary in binaries:
        if binary.import_path == import_path and binary.platform == platform:
            return binary.file
    raise LookupError(f"no binary of {import_path} for {platform}")
