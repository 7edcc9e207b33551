"""What Docker or podman is to run, in that engine: a word in, the subject and its name there out.

An image that lies in the engine is used where it is; one from elsewhere is copied to it once, under a name of wherry's own that
holds its digest, so that nobody's image is replaced; a package is built into it as by `wherry build`.
"""

from __future__ import annotations

from typing import Final, cast

from msgspec.structs import replace

from wherry.errors import WherryError
from wherry.flows import rooms
from wherry.flows.build import build
from wherry.flows.copy import CopyRequest, copied
from wherry.flows.folders import folders_of
from wherry.flows.package import of_package, only
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.flows.subject import Subject, first_that_fits, image_at, is_own, is_package, meant, place_of
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.model.finding import Finding
from wherry.oci import reference as references
from wherry.plan.container import Facts
from wherry.runtime import client
from wherry.runtime.arguments import Client, unsaid
from wherry.runtime.oci import Runtime
from wherry.store import place as places
from wherry.store.engine.names import podman_name
from wherry.store.keeper import Ports
from wherry.store.places import at

SCHEMES: Final = {"docker": "docker-daemon", "podman": "containers-storage"}
HOME: Final = "localhost/wherry-run"
"""Names of images that were copied to an engine in order to be run."""


class Lodged(Value, frozen=True, kw_only=True):
    """An image that an engine has."""

    subject: Subject
    image: str
    """Its name there."""


def lodged(word: str, request: BuildRequest, platform: str, inside: tuple[Runtime, Machine, Session]) -> Lodged:
    """The image or package `word`, in the engine. `platform`: which of an index; empty: this machine's. What `build`, `copy` and
    `image_at` raise."""
    runtime, machine, session = inside
    ports = replace(rooms.ports_with(machine, session.scratch), blobs=folders_of(machine).blobs)
    place = None if is_package(word) else _here(word, runtime, ports) or place_of(word, ports)
    if place is None:
        with meant(word):
            return _built(replace(request, packages=(word,) if word else ()), runtime, machine, session)
    kept = rooms.blobs(machine, session.scratch, request)
    subject = first_that_fits(lambda one: image_at(place, ports, kept, one), platform)
    if isinstance(place, places.EnginePlace) and place.engine == SCHEMES[runtime.name]:
        return Lodged(subject=subject, image=_name(place, runtime))
    return Lodged(subject=subject, image=_copied(place, subject, runtime, replace(ports, host=subject.platform)))


#: Why containers of these engines have this machine's ids. podman can map them for one container, and then keeps a copy of the
#: image for every range; with its simplest storage all ranges but the first cannot even enter it (podman 4.3, vfs).
NO_USER_NAMESPACE: Final = {
    "docker": "Docker maps ids for all containers or for none",
    "podman": "podman would keep a copy of the image for each range of ids",
}


def fitting(facts: Facts, runtime: Runtime) -> Facts:
    """The facts as they are for containers of this engine: whose ids its containers may have."""
    return replace(facts, id_base=0, no_user_namespace=NO_USER_NAMESPACE[runtime.name])


def differences(runtime: Runtime, container: Container) -> tuple[Finding, ...]:
    """What this engine cannot be told of the container."""
    said = unsaid(cast(Client, runtime.name), container, leads_out=client.publishes(container))
    return tuple(
        Finding(name="engine-differs", message=f"under {runtime.name} {text}", severity="note") for text in said
    )


def _here(word: str, runtime: Runtime, ports: Ports) -> places.Place | None:
    """The engine's own image of that name, unless wherry's store has one."""
    scheme, colon, _ = word.partition(":")
    if colon and scheme in places.SCHEMES:
        return None
    try:
        reference = references.parse(word)
        if is_own(reference, ports):
            return None
        place = places.EnginePlace(engine=SCHEMES[runtime.name], reference=reference)
        at(place, ports).open()
    except WherryError:
        return None
    return place


def _built(request: BuildRequest, runtime: Runtime, machine: Machine, session: Session) -> Lodged:
    report = build(replace(request, places=(f"{SCHEMES[runtime.name]}:",)), machine, session)
    image = only(report.plan)
    built, published = report.images[0].built, report.images[0].published[0]
    subject = of_package(image, built.images[0], ())
    place = places.parse(published.place)
    assert isinstance(place, places.EnginePlace)
    subject = replace(subject, image=published.reference, digest=str(built.digest), place=published.place)
    return Lodged(subject=subject, image=_name(place, runtime))


def name_of_copy(subject: Subject) -> str:
    """What an image from elsewhere is called in an engine."""
    return f"{HOME}/{subject.title.lower()}:{subject.digest.partition(':')[2][:12]}"


def _copied(place: places.Place, subject: Subject, runtime: Runtime, ports: Ports) -> str:
    target = places.EnginePlace(engine=SCHEMES[runtime.name], reference=references.parse(name_of_copy(subject)))
    name = _name(target, runtime)
    if not client.has_image(runtime, name):
        wanted = CopyRequest(source=str(place), destinations=(str(target),), platforms=(str(subject.platform),))
        copied(place, (target,), wanted, ports)
    return name


def _name(place: places.EnginePlace, runtime: Runtime) -> str:
    name = str(place.reference)
    return podman_name(name) if runtime.name == "podman" else name
