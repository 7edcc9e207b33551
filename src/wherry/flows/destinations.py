"""Where images go. A request and the ports in, places and the reason out; asks which engine answers when nobody said where."""

from __future__ import annotations

import msgspec

from wherry.errors import UnavailableError, UsageError
from wherry.flows.litter import littering
from wherry.flows.partly import partly
from wherry.flows.request import BuildRequest
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.image import Built, Published
from wherry.model.plan import Decision, ImagePlan, Origin, Plan
from wherry.oci import reference as references
from wherry.store import naming
from wherry.store import place as places
from wherry.store.engine import detect
from wherry.store.keeper import Ports
from wherry.store.places import at

SHOWN = 4


class Destinations(Value, frozen=True, kw_only=True):
    """The places of every image, and a sentence that says why, when the user did not choose."""

    shared: tuple[places.Place, ...] = ()
    push: bool = False
    several: bool = False
    """Whether more than one image goes to each of them."""
    why: str = ""
    findings: tuple[Finding, ...] = ()
    """What is worth saying of these places."""

    def of(self, image: ImagePlan) -> tuple[places.Place, ...]:
        """Where `image` goes."""
        pushed = tuple(places.RegistryPlace(reference=_named(name)) for name in image.references) if self.push else ()
        return (*(map(_with_names, self.shared) if self.several else self.shared), *pushed)


def choose(request: BuildRequest, plan: Plan, ports: Ports) -> Destinations:
    """-o as it is; --push each -t; --load the engine; else the engine if one answers, else wherry's own store."""
    shared = tuple(map(_place, request.places))
    if request.push and not all(image.references for image in plan.images):
        raise UsageError(
            "push-without-name",
            "--push needs a name to push to",
            next="wherry build --push -t registry.example/team/{name}:{version}",
        )
    if request.load:
        shared = (*shared, _engine(ports))
    several = len(plan.images) > 1
    for place in shared if several else ():
        _refuse_single(place, plan)
    if shared or request.push:
        found = littering(shared, plan.root, ports)
        return Destinations(shared=shared, push=request.push, several=several, findings=found)
    return _unasked(ports)


def told(plan: Plan, chosen: Destinations) -> Plan:
    """The plan with the places of each image among its decisions."""
    images = tuple(_told(image, chosen) for image in plan.images)
    return msgspec.structs.replace(plan, images=images, findings=(*plan.findings, *chosen.findings))


def _told(image: ImagePlan, chosen: Destinations) -> ImagePlan:
    origin: Origin = "default" if chosen.why else "flag"
    places = tuple(
        Decision(name="place", value=name, reason=chosen.why or "as you said", origin=origin)
        for place in chosen.of(image)
        for name in naming.written(place, image)
    )
    return msgspec.structs.replace(image, decisions=(*image.decisions, *places))


def awaited(chosen: Destinations, plan: Plan, ports: Ports) -> None:
    """To be called while Go compiles: imports what publishing will need."""
    for place in {type(place): place for image in plan.images for place in chosen.of(image)}.values():
        at(place, ports)


def publish(built: Built, image: ImagePlan, chosen: Destinations, ports: Ports) -> tuple[Published, ...]:
    """Puts `built` where it goes. An engine that nobody asked for and that fails is no reason to lose the image: it is kept in
    wherry's own store, with a warning."""
    published: list[Published] = []
    wanted = chosen.of(image)
    for number, place in enumerate(wanted, 1):
        try:
            with partly(published, wanted[number:], ports.events):
                done = at(place, ports).publish(built)
            published.append(msgspec.structs.replace(done, findings=(*done.findings, *chosen.findings)))
        except UnavailableError as error:
            if not chosen.why or isinstance(place, places.OwnPlace):
                raise
            kept = at(places.OwnPlace(), ports).publish(built)
            finding = Finding(
                name="kept-instead", message=f"{error.message}; the image is in wherry's store", next="wherry doctor"
            )
            published.append(msgspec.structs.replace(kept, findings=(*kept.findings, finding)))
    return tuple(published)


def _place(text: str) -> places.Place:
    try:
        return places.parse(text)
    except UsageError as error:
        raise error.at(f"-o {text}") from None


def _refuse_single(place: places.Place, plan: Plan) -> None:
    """UsageError [one-image-place] for a place that the last of several images would have for itself."""
    match place:
        case places.LayoutPlace(tag="") | places.EnginePlace(reference=None) | places.OwnPlace(reference=None):
            return
        case _:
            pass
    names = ", ".join(image.name for image in plan.images[:SHOWN])
    raise UsageError(
        "one-image-place",
        f"{place} can hold one image, and {len(plan.images)} are to be built",
        where=str(place),
        why=f"they are {names}{', ...' if len(plan.images) > SHOWN else ''}; each would replace the one before",
        next=("put them into one layout: -o oci:DIR", "name one package"),
    )


def _with_names(place: places.Place) -> places.Place:
    return msgspec.structs.replace(place, several=True) if isinstance(place, places.LayoutPlace) else place


def _engine(ports: Ports) -> places.Place:
    engine = detect.default(ports)
    if engine is None:
        raise UnavailableError(
            "no-engine",
            "no container engine answers on this machine",
            where=ports.variable("DOCKER_HOST") or "neither Docker's socket nor podman",
            next=("start Docker or install podman", "leave out --load: the image is kept in wherry's store"),
        )
    return places.EnginePlace(engine=engine.scheme)


def _unasked(ports: Ports) -> Destinations:
    engine = detect.default(ports)
    if engine is None:
        why = "kept in wherry's store, since no container engine answers here"
        return Destinations(shared=(places.OwnPlace(),), why=why)
    return Destinations(
        shared=(places.EnginePlace(engine=engine.scheme),), why=f"loaded into {engine.name}, which answers here"
    )


def _named(name: str) -> references.Reference:
    return references.in_registry(references.parse(name))
