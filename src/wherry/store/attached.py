"""What is attached to an image where it lies: signatures, SBOMs, attestations. A place and a Content in, more Contents out;
touches what its keeper touches.

Three ways are in use: manifests that name the image as their `subject` (distribution-spec, "Listing Referrers"), the index under
the tag `sha256-<hex>` where a registry has no such list, and cosign's older tags `sha256-<hex>.sig`, `.att`, `.sbom`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import CorruptError, UsageError
from wherry.kit import parallel
from wherry.kit.value import Value
from wherry.oci import manifest as manifests
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import documents, layout
from wherry.store.blobs import Blobs
from wherry.store.content import DOCUMENTS, Content, content_from
from wherry.store.keeper import Keeper, Ports
from wherry.store.layout import Layout
from wherry.store.place import LayoutPlace, Place, RegistryPlace
from wherry.store.registry import referrers
from wherry.store.registry.keeper import Registry

MOST: Final = 1000
AT_ONCE: Final = 4
COSIGN: Final = (".sig", ".att", ".sbom")


class Attached(Value, frozen=True, kw_only=True):
    """One thing that refers to an image."""

    content: Content
    tag: str = ""
    """Where it is found by a tag of its own; empty: by its subject."""


class _Source(Value, frozen=True, kw_only=True):
    """How to look for what is attached, at one place."""

    find: Callable[[Digest], tuple[tuple[str, Descriptor], ...]]
    """Tags (or empty) and descriptors of what refers to a digest."""
    content: Callable[[Descriptor], Content]


def attached(place: Place, content: Content, ports: Ports) -> tuple[Attached, ...]:
    """All that refers to `content` or to one of its images, and what refers to that in turn. UsageError [no-referrers] for places
    that cannot hold such things; CorruptError [too-large] beyond a thousand."""
    source = _source(place, ports)
    found: dict[tuple[str, Digest], Attached] = {}
    asked: set[Digest] = set()
    todo = [document.digest for document in content.manifests]
    while todo:
        asked.update(todo)
        rows = [row for one in parallel.each(source.find, todo, at_once=AT_ONCE) for row in one]
        new = {(tag, descriptor.digest): descriptor for tag, descriptor in rows}
        if len(found) + len(new) > MOST:
            raise CorruptError("too-large", f"more than {MOST} things are attached", where=str(place))
        for key, descriptor in new.items():
            if key not in found:
                found[key] = Attached(tag=key[0], content=source.content(descriptor))
        todo = [digest for _, digest in new if digest not in asked]
    return tuple(found.values())


def kinds(place: Place, digests: tuple[Digest, ...], ports: Ports) -> tuple[str, ...]:
    """What refers to these digests at `place`: the kind of each thing, `application/spdx+json` or cosign's `.sig`. Nothing for
    places that hold no such things; nothing of them is read."""
    if not isinstance(place, RegistryPlace | LayoutPlace):
        return ()
    source = _source(place, ports)
    rows = [row for one in parallel.each(source.find, digests, at_once=AT_ONCE) for row in one]
    known = {(tag, descriptor.digest): _kind(tag, descriptor) for tag, descriptor in rows}
    return tuple(sorted(known.values()))


def attach(place: Place, things: tuple[Attached, ...], ports: Ports) -> int:
    """Puts `things` beside their images at `place`; bytes sent. UsageError [no-referrers] as `attached`."""
    sent = 0
    for thing in things:
        match place:
            case RegistryPlace(reference=reference):
                digest = None if thing.tag else thing.content.digest
                name = replace(reference, tag=thing.tag, digest=digest)
                published = Registry(RegistryPlace(reference=name), ports).put(thing.content)
            case LayoutPlace():
                published = Layout(replace(place, tag=thing.tag, digest=None)).put(thing.content)
            case _:
                raise refused(place)
        sent += sum(one.sent for one in published)
    return sent


def refused(place: Place) -> UsageError:
    """The error for a place without room for attached things."""
    return UsageError(
        "no-referrers",
        f"signatures and other attached things have no place in {place}",
        where=str(place),
        next=("leave out --referrers", "copy to docker://REF or oci:DIR"),
    )


def _kind(tag: str, descriptor: Descriptor) -> str:
    return f"cosign's .{tag.rpartition('.')[2]}" if tag else descriptor.artifact_type or descriptor.media_type


def _source(place: Place, ports: Ports) -> _Source:
    match place:
        case RegistryPlace(reference=reference):
            return _registry(Registry(place, ports), reference)
        case LayoutPlace(directory=directory):
            return _layout(Layout(place), Path(directory))
        case _:
            raise refused(place)


def _registry(keeper: Registry, reference: Reference) -> _Source:
    repository = keeper.reader()

    def find(digest: Digest) -> tuple[tuple[str, Descriptor], ...]:
        rows = [("", descriptor) for descriptor in referrers.find(repository, digest)]
        for suffix in COSIGN:
            tag = f"sha256-{digest.hex}{suffix}"
            if repository.head(tag):
                document = repository.manifest(tag)
                found = Descriptor(media_type=document.media_type, digest=document.digest, size=document.size)
                rows.append((tag, found))
        return tuple(rows)

    def content(descriptor: Descriptor) -> Content:
        name = f"{reference.name}@{descriptor.digest}"
        stored = documents.stored(repository.fetch, descriptor, reference=name)
        return content_from(keeper, replace(stored, origin=reference))

    return _Source(find=find, content=content)


def _layout(keeper: Keeper, directory: Path) -> _Source:
    """Subjects stand in the manifests themselves; of those without a name, each that index.json lists is looked at."""
    blobs, listed = Blobs(directory, shared=False), layout.read_entries(directory).entries
    subjects: dict[Digest, list[tuple[str, Descriptor]]] = {}
    for entry in listed:
        if not entry.name and entry.descriptor.media_type in DOCUMENTS:
            document = documents.fetch_document(blobs.fetch, entry.descriptor)
            parsed = manifests.parse(document, name=str(document.digest))
            if parsed.subject:
                kind = replace(entry.descriptor, artifact_type=parsed.artifact_type)
                subjects.setdefault(parsed.subject.digest, []).append(("", kind))

    def find(digest: Digest) -> tuple[tuple[str, Descriptor], ...]:
        tags = {f"sha256-{digest.hex}{suffix}" for suffix in COSIGN}
        named = [(entry.name, entry.descriptor) for entry in listed if entry.name in tags]
        return (*subjects.get(digest, ()), *named)

    def content(descriptor: Descriptor) -> Content:
        bare = replace(descriptor, annotations={}, artifact_type="")
        stored = documents.stored(blobs.fetch, bare, reference=str(descriptor.digest))
        return content_from(keeper, stored)

    return _Source(find=find, content=content)
