"""A published image with new documents, put somewhere. What was found and what it became in, where it lies now out."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.assemble.revise import Replaced, Revised
from wherry.errors import UsageError, WherryError
from wherry.flows.copy import grouped, place_of, told
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.image import Published, Stored
from wherry.oci.digest import Digest
from wherry.plan.created import rfc3339, seconds_of
from wherry.store import layout
from wherry.store import place as places
from wherry.store.attached import kinds
from wherry.store.content import Content
from wherry.store.keeper import Ports
from wherry.store.places import at


class Changed(Value, frozen=True, kw_only=True):
    """What was changed, and where the new image lies."""

    source: str
    """Where the old one was found, with its digest."""
    old: Digest
    digest: Digest
    replaced: tuple[Replaced, ...]
    """Each image before and after."""
    published: tuple[Published, ...]
    findings: tuple[Finding, ...] = ()
    bases: tuple[str, ...] = ()
    """Of a rebase: what it stood on, and what it stands on now."""


def put(
    content: Content, texts: tuple[str, ...], source: places.Place, stored: Stored, ports: Ports
) -> tuple[Published, ...]:
    """The new image at each place of `texts`, else where the old one is, under its names; what is there already is not sent."""
    wanted = targets(texts, source, stored.descriptor.digest, content.digest)
    told_of = replace(content, open=told(content.open, ports.events))
    rows = tuple(row for place, names in grouped(wanted, source) for row in at(place, ports).put(told_of, names))
    if not texts and isinstance(source, places.LayoutPlace) and content.digest != stored.descriptor.digest:
        layout.forget_nameless(source, stored.descriptor.digest)
    return rows


def left_behind(source: places.Place, stored: Stored, revised: Revised, ports: Ports) -> tuple[Finding, ...]:
    """Says so when signatures, SBOMs or the like refer to what was changed: they are true of the old image alone, so they stay
    with it. A place that cannot be asked holds up nothing."""
    olds = tuple(dict.fromkeys((stored.descriptor.digest, *(one.old for one in revised.replaced))))
    if stored.descriptor.digest == revised.descriptor.digest:
        return ()
    try:
        found = kinds(source, olds, ports)
    except WherryError:
        return ()
    if not found:
        return ()
    what = "one attached thing stays" if len(found) == 1 else f"{len(found)} attached things stay"
    message = f"{what} with the old image: {', '.join(dict.fromkeys(found))}"
    step = "sign the new image, and attach its own SBOM to it"
    return (Finding(name="left-behind", message=message, severity="note", next=step),)


def report(
    stored: Stored, revised: Revised, published: tuple[Published, ...], notes: tuple[Finding, ...] = ()
) -> Changed:
    """The story of it."""
    return Changed(
        source=stored.reference,
        old=stored.descriptor.digest,
        digest=revised.descriptor.digest,
        replaced=revised.replaced,
        published=published,
        findings=(*stored.findings, *revised.findings, *notes, *(one for row in published for one in row.findings)),
    )


def become(stored: Stored, revised: Revised) -> Stored:
    """`stored` with its new documents."""
    return replace(stored, descriptor=revised.descriptor, documents=revised.documents)


def targets(texts: tuple[str, ...], source: places.Place, old: Digest, new: Digest) -> tuple[places.Place, ...]:
    """Where the new image goes: where it was asked for, else under the same names at the same place. UsageError [no-place] for an
    archive, which may hold other images too."""
    if texts:
        return tuple(map(place_of, texts))
    match source:
        case places.OciArchivePlace() | places.DockerArchivePlace():
            raise UsageError(
                "no-place",
                "an archive is not changed in place",
                where=str(source),
                next="say where the new image goes: -o PLACE",
            )
        case places.LayoutPlace():
            tags = (source.tag,) if source.tag else layout.names_of(source, old)
            return tuple(replace(source, tag=tag, digest=None) for tag in tags)
        case places.RegistryPlace(reference=reference):
            named = replace(reference, digest=None) if reference.tag else replace(reference, digest=new)
            return (places.RegistryPlace(reference=named),)
        case _:
            return (source,)


def created_now(machine: Machine) -> str:
    """The time that SOURCE_DATE_EPOCH gives to what is written anew; empty: the old one stays."""
    given = machine.environment.source_date_epoch
    return rfc3339(seconds_of(given)) if given else ""
