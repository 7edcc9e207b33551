"""The names an image gets at a place. A Built and what was asked for in, tags and references out; touches nothing."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.model.image import Built
from wherry.oci import reference as references
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store.place import EnginePlace

LATEST = "latest"
"""What a name without a tag means when a person wrote it, as everywhere else."""


def names_of(built: Built, chosen: Reference | None) -> tuple[str, ...]:
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


def default_tag(built: Built) -> str:
    """The tag of the first -t, else the version: for places that know images by tag alone."""
    return (references.parse(built.references[0]).tag or LATEST) if built.references else built.version


def tagged(built: Built, tag: str) -> str:
    """The name of the first -t, else of the image, with `tag`."""
    named = references.parse(built.references[0] if built.references else built.name)
    return f"{named.name}:{tag}"


def in_full(name: str) -> str:
    """`name` with the host and namespace that Docker would add."""
    return str(references.in_registry(references.parse(name)))


def refuse_digest(digest: Digest | None, place: object) -> None:
    """UsageError [bad-place] when a digest was given for something that is to be written."""
    if digest:
        raise UsageError(
            "bad-place", f"{place} asks for a digest, but what is written has its own", next="leave it out"
        )
