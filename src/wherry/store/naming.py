"""The names an image gets at a place. What is named and what was asked for in, tags and references out; touches nothing."""

from __future__ import annotations

import re
from typing import Final, Protocol

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.model.image import Published
from wherry.oci import reference as references
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store.place import (
    DockerArchivePlace,
    EnginePlace,
    LayoutPlace,
    OciArchivePlace,
    OwnPlace,
    Place,
    RegistryPlace,
)

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
LATEST = "latest"
"""What a name without a tag means when a person wrote it, as everywhere else."""


class Named(Protocol):
    """What names are made from: a Built, or its plan."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def references(self) -> tuple[str, ...]: ...


def written(place: Place, image: Named) -> tuple[str, ...]:
    """Every name that `image` gets at `place`, in the grammar of `-o`."""
    match place:
        case LayoutPlace(directory=path, tag=tag, several=several):
            return tuple(f"oci:{path}:{label}" for label, _ in in_layout(image, tag, several=several))
        case OciArchivePlace(file=path, tag=tag):
            return tuple(f"oci-archive:{path}:{label}" for label, _ in in_layout(image, tag))
        case DockerArchivePlace(file=path, reference=reference):
            return tuple(f"docker-archive:{path}:{name}" for name in names_of(image, reference))
        case EnginePlace(engine=engine, reference=reference):
            return tuple(f"{engine}:{name}" for name in names_of(image, reference))
        case OwnPlace(reference=reference):
            return tuple(f"store:{name}" for name in names_of(image, reference))
        case RegistryPlace(reference=reference):
            return (f"docker://{or_latest(reference)}",)


def names_of(built: Named, chosen: Reference | None) -> tuple[str, ...]:
    """`NAME:TAG` for each name wanted: the place's own, else every -t, else `name:version`."""
    if chosen:
        refuse_digest(chosen.digest, chosen)
    wanted = (str(chosen),) if chosen else built.references or (f"{built.name}:{built.version}",)
    parsed = (references.parse(name) for name in wanted)
    return tuple(dict.fromkeys(f"{one.name}:{one.tag or LATEST}" for one in parsed))


def chosen(place: EnginePlace) -> Reference:
    """The one image that is to be read from an engine; UsageError [no-such-image] when none is named."""
    if place.reference is None:
        raise UsageError("no-such-image", f"{place} names no image", next="write the image's name behind the colon")
    return or_latest(place.reference)


def or_latest(reference: Reference) -> Reference:
    """`reference` with the tag that is meant when it has neither tag nor digest."""
    return reference if reference.digest else replace(reference, tag=reference.tag or LATEST)


def in_layout(built: Named, tag: str, *, several: bool = False) -> tuple[tuple[str, str], ...]:
    """Pairs of what a layout's index.json calls the image and the image's full name: for the `tag` chosen, else for every -t,
    else for `name:version`.

    A layout knows images by tag alone, so where `several` images come, or two names end in one tag, names stand before tags.
    """
    if tag:
        return ((tag, in_full(shown(built, tag))),)
    names = names_of(built, None)
    parsed = tuple(map(references.parse, names))
    short = tuple(f"{built.name}-{one.tag}" if several else one.tag for one in parsed)
    labels = short if len(set(short)) == len(short) else tuple(f"{one.name}-{one.tag}" for one in parsed)
    return tuple((_label(label), in_full(name)) for label, name in zip(labels, names, strict=True))


def tags_of(references: tuple[Reference, ...], tag: str) -> tuple[tuple[str, str], ...]:
    """Pairs of tag and `NAME:TAG` for what is put into a layout: under `tag`, else the tags of `references`, else none."""
    if tag:
        return ((tag, f"{references[0].name}:{tag}" if references else ""),)
    return tuple((one.tag, f"{one.name}:{one.tag}") for one in references if one.tag) or (("", ""),)


def put_rows(rows: tuple[tuple[str, str], ...], digest: Digest, sent: int) -> tuple[Published, ...]:
    """Where something now lies: pairs of its name there (or none) and its place; what was sent is the first one's."""
    return tuple(
        Published(
            reference=f"{name}@{digest}" if name else place if place.endswith(digest) else f"{place}@{digest}",
            place=place,
            digest=digest,
            sent=0 if number else sent,
        )
        for number, (name, place) in enumerate(rows)
    )


def shown(built: Named, tag: str) -> str:
    """The image's name where it lies under `tag`: that of the first -t or its own, with this tag if there is one."""
    first = names_of(built, None)[0]
    return f"{references.parse(first).name}:{tag}" if tag else first


def _label(text: str) -> str:
    """`text` in the letters of a tag."""
    return _FOREIGN.sub("-", text)[-128:].lstrip(".-")


def in_full(name: str) -> str:
    """`name` with the host and namespace that Docker would add."""
    return str(references.in_registry(references.parse(name)))


def refuse_digest(digest: Digest | None, place: object) -> None:
    """UsageError [bad-place] when a digest was given for something that is to be written."""
    if digest:
        raise UsageError(
            "bad-place", f"{place} asks for a digest, but what is written has its own", next="leave it out"
        )
