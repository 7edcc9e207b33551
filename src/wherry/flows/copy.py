"""An image from one place to others, as it is. Places in, where it lies now out.

Documents are sent as the bytes they came as, so every digest stays; blobs stream from where they are, and only those that the
other side lacks.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wherry.errors import CorruptError, UsageError, WherryError
from wherry.flows.folders import folders_of
from wherry.flows.partly import partly
from wherry.flows.rooms import store_ports
from wherry.kit.ports import Event, Events, Machine
from wherry.kit.streams import CHUNK
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.image import Published, Stored
from wherry.oci import platform as platforms
from wherry.oci import reference as references
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import choose, naming
from wherry.store import place as places
from wherry.store.content import DOCUMENTS, Content, Open, content_from
from wherry.store.keeper import Keeper, Ports
from wherry.store.places import at

if TYPE_CHECKING:
    from wherry.store.attached import Attached


class CopyRequest(Value, frozen=True, kw_only=True):
    """One copy, as words and flags say it."""

    source: str
    """A place; a name with a registry's host is that registry's, any other name is one of wherry's store."""
    destinations: tuple[str, ...]
    """Places, read in the same way."""
    platforms: tuple[str, ...] = ()
    """Only these; none: all of them, as they are."""
    referrers: bool = False
    """Signatures, SBOMs and whatever else is attached, too."""


class Copied(Value, frozen=True, kw_only=True):
    """What was copied, and where it lies now."""

    source: str
    """Where it was found, with its digest."""
    digest: Digest
    """Of what was sent: the source's own, unless platforms were chosen."""
    size: int
    """Bytes of all of it."""
    platforms: tuple[str, ...]
    published: tuple[Published, ...]
    attached: int = 0
    """Signatures and other things that went along, counted at each destination."""
    findings: tuple[Finding, ...] = ()
    placed: str = ""
    """Why it lies where it lies, in a sentence; empty when the user said where."""


def copy(request: CopyRequest, machine: Machine) -> Copied:
    """Copies an image, index or artifact to every destination; digests stay, tags move last."""
    wanted = tuple(map(place_of, request.destinations))
    with copy_ports(machine) as ports:
        return copied(place_of(request.source), wanted, request, ports)


def copied(source: places.Place, wanted: tuple[places.Place, ...], request: CopyRequest, ports: Ports) -> Copied:
    """The same over places and ports."""
    refuse_words(wanted, request.platforms)
    keeper, found = opened(source, ports)
    stored = chosen(found, request.platforms)
    refuse_incomplete(stored)
    content = content_of(keeper, stored, ports.events)
    groups = grouped(wanted, settled(source, found))
    if len(groups) > 1 and isinstance(source, places.RegistryPlace):
        content = brought_once(content, ports)
    goals = tuple(place for place, _ in groups)
    along = found_along(source, content, goals, ports) if request.referrers else ()
    published = put(content, groups, ports)
    if along:
        put_along(along, goals, ports)
    return Copied(
        source=found.reference,
        digest=content.digest,
        size=content.size,
        platforms=tuple(str(image.platform) for image in stored.images),
        published=published,
        attached=len(along),
        findings=(*found.findings, *notes(found, stored), *(one for row in published for one in row.findings)),
    )


def refuse_words(wanted: tuple[places.Place, ...], platforms: object) -> None:
    """UsageError [no-place] for a copy to nowhere, [bad-option] for one platform that is no tuple: in Python both are easily
    written."""
    if not wanted:
        raise UsageError("no-place", "nothing says where the copy goes", next="name at least one place")
    if isinstance(platforms, str):
        step = f"write platforms=({platforms!r},)"
        raise UsageError("bad-option", "platforms is a tuple of texts, not one text", next=step)


def found_along(
    source: places.Place, content: Content, goals: tuple[places.Place, ...], ports: Ports
) -> tuple[Attached, ...]:
    """What is attached to `content` where it is; refused before anything is sent where a goal has no room for it."""
    from wherry.store.attached import attached, refused

    along = attached(source, content, ports)
    for place in goals:
        if not isinstance(place, places.RegistryPlace | places.LayoutPlace):
            raise refused(place)
    return along


def put(
    content: Content, groups: tuple[tuple[places.Place, tuple[Reference, ...]], ...], ports: Ports
) -> tuple[Published, ...]:
    """Where `content` lies now."""
    published: list[Published] = []
    for number, (place, names) in enumerate(groups, 1):
        with partly(published, [place for place, _ in groups[number:]], ports.events):
            published += at(place, ports).put(content, names)
    return tuple(published)


def put_along(along: tuple[Attached, ...], goals: tuple[places.Place, ...], ports: Ports) -> None:
    """The same things beside the image at each goal."""
    from wherry.store.attached import attach

    for place in goals:
        attach(place, along, ports)


def opened(place: places.Place, ports: Ports) -> tuple[Keeper, Stored]:
    """What lies at `place`, and who gives its blobs. An engine that keeps no packed layers packs them again, and it is said."""
    if not isinstance(place, places.EnginePlace):
        keeper = at(place, ports)
        try:
            return keeper, keeper.open()
        except UsageError as error:
            raise in_an_engine(error, place, ports) from None
    from wherry.store.engine.export import exported

    keeper = exported(place, ports)
    stored = keeper.open()
    findings = stored.findings
    if place.engine == "containers-storage":
        message = "podman keeps layers unpacked and packed them again, so this digest is new"
        findings = (*findings, Finding(name="repacked", message=message, severity="note", subject=str(place)))
    return keeper, replace(stored, reference=f"{place}@{stored.descriptor.digest}", findings=findings)


def in_an_engine(error: UsageError, place: places.Place, ports: Ports) -> UsageError:
    """`error`, which says where the image is when a bare build loaded it into the engine that answers."""
    if error.name != "no-such-image" or not isinstance(place, places.OwnPlace) or place.reference is None:
        return error
    from wherry.store.engine import detect

    engine = detect.default(ports)
    if engine is None:
        return error
    there = places.EnginePlace(engine=engine.scheme, reference=place.reference)
    try:
        at(there, ports).open()
    except WherryError:
        return error
    return UsageError(
        error.name,
        error.message,
        why=f"it is in {engine.name}, where a bare build puts it",
        next=(
            f"name it {there}",
            f"wherry build -t {shlex.quote(str(place.reference))} -o store: keeps it with its digest",
        ),
    )


def settled(place: places.Place, stored: Stored) -> places.Place:
    """`place` with the tag under which `stored` was found there, where none was written."""
    match place:
        case places.OwnPlace():
            return places.OwnPlace(reference=references.parse(stored.reference.partition("@")[0]))
        case places.RegistryPlace(reference=reference):
            return places.RegistryPlace(reference=naming.or_latest(reference))
        case places.EnginePlace(engine=engine, reference=Reference() as reference):
            return places.EnginePlace(engine=engine, reference=naming.or_latest(reference))
        case _:
            return place


@contextlib.contextmanager
def copy_ports(machine: Machine) -> Iterator[Ports]:
    """The store's ports, with a folder where layers outlive a killed run."""
    with store_ports(machine) as ports:
        yield replace(ports, blobs=folders_of(machine).blobs)


def place_of(text: str) -> places.Place:
    """`SCHEME:...` as a place; a name with a host as its registry's; any other as one of wherry's store."""
    scheme, colon, rest = text.partition(":")
    slip = rest.startswith("//") and scheme not in ("http", "https")
    if (colon and scheme in places.SCHEMES) or slip or text.startswith((".", "/", "~")):
        return places.parse(text)  # also to be told how a folder, or a scheme, is written
    reference = references.parse(text)
    if not reference.host:
        return places.OwnPlace(reference=reference)
    return places.RegistryPlace(reference=references.in_registry(reference))


def chosen(found: Stored, names: tuple[str, ...]) -> Stored:
    """`found`, or that of it which is for the platforms of these names."""
    wanted = tuple(platforms.parse(name) for name in names)
    return choose.narrowed(found, wanted) if wanted else found


def content_of(keeper: Keeper, stored: Stored, events: Events) -> Content:
    """What `keeper` holds, told of while it moves."""
    content = content_from(keeper, stored)
    return replace(content, open=told(content.open, events))


def told(opened: Open, events: Events) -> Open:
    """`opened`, with a word to `events` as bytes pass."""

    def telling(descriptor: Descriptor) -> Iterator[bytes]:
        done = 0
        subject = str(descriptor.digest)[:19]
        for chunk in opened(descriptor):
            events(Event(phase="copy", state="progress", subject=subject, done=done, total=descriptor.size))
            done += len(chunk)
            yield chunk
        events(Event(phase="copy", state="end", subject=subject, done=done, total=descriptor.size))

    return telling


def brought_once(content: Content, ports: Ports) -> Content:
    """`content` whose blobs cross the network once, however many destinations there are."""
    from wherry.store import stage

    folder = Path(ports.staging)

    def once(descriptor: Descriptor) -> Iterator[bytes]:
        file = folder / descriptor.digest.path
        stage.brought(content.open, descriptor, file)
        with file.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk

    return replace(content, open=once)


def grouped(
    wanted: tuple[places.Place, ...], source: places.Place
) -> tuple[tuple[places.Place, tuple[Reference, ...]], ...]:
    """Each destination with the names it gets; tags of one repository together, so that it is sent to once."""
    groups: dict[str, tuple[places.Place, tuple[Reference, ...]]] = {}
    name = name_of(source)
    for place in wanted:
        if isinstance(place, places.RegistryPlace):
            key = place.reference.name
            before = groups[key][1] if key in groups else ()
            groups[key] = (groups[key][0] if before else place, (*before, place.reference))
        else:
            groups[str(place)] = (place, (name,) if name else _named(place))
    return tuple(groups.values())


def name_of(place: places.Place) -> Reference | None:
    """What the image is called where it comes from; None where it has a tag at most."""
    match place:
        case places.LayoutPlace() | places.OciArchivePlace():
            return None
        case _:
            return place.reference


def _named(place: places.Place) -> tuple[Reference, ...]:
    """UsageError [no-name] for a place that needs a name when there is none."""
    match place:
        case (
            places.EnginePlace(reference=None)
            | places.OwnPlace(reference=None)
            | places.DockerArchivePlace(reference=None)
        ):
            raise UsageError(
                "no-name",
                f"what is to be called {place} has no name where it comes from",
                where=str(place),
                next=f"write one: {str(place).removesuffix(':')}:NAME:TAG",
            )
        case _:
            return ()


def refuse_incomplete(stored: Stored) -> None:
    """UsageError [incomplete-index] when an index names what is not there; nothing would be whole with it."""
    missing = choose.absent(stored)
    odd = [child for child in missing if child.media_type not in DOCUMENTS]
    if odd:
        raise CorruptError(
            "unknown-child",
            f"the index names something that is neither image nor index: {odd[0].media_type}",
            where=f"{stored.reference}, {odd[0].digest}",
        )
    if missing:
        there = ", ".join(str(image.platform) for image in stored.images)
        raise UsageError(
            "incomplete-index",
            f"{len(missing)} images of this index are not there",
            where=stored.reference,
            why=f"only {there} is",
            next=f"add --platform {there.partition(',')[0]}",
        )


def notes(found: Stored, stored: Stored) -> tuple[Finding, ...]:
    """Says so when what was sent is not what was named."""
    if found.descriptor.digest == stored.descriptor.digest:
        return ()
    some = f"{len(stored.images)} of {len(found.images)} platforms"
    message = f"{some} were taken, so the digest is not that of {found.reference.rpartition('@')[0] or found.reference}"
    return (Finding(name="chosen-platforms", message=message, severity="note"),)
