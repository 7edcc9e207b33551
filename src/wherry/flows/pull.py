"""An image of a registry, to this machine. A reference in, where it lies now out: a copy whose source is a reference."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.flows.copy import Copied, CopyRequest, copied, copy_ports, place_of
from wherry.kit.ports import Machine
from wherry.oci import reference as references
from wherry.oci.reference import Reference
from wherry.store import place as places
from wherry.store.engine import detect
from wherry.store.keeper import Ports


def pull(
    source: str, into: tuple[str, ...], machine: Machine, *, platforms: tuple[str, ...] = (), referrers: bool = False
) -> Copied:
    """Copies `source` into each place of `into`; without any into the engine that answers, else into wherry's store."""
    reference = references.parse(source.removeprefix("docker://"))
    there = places.RegistryPlace(reference=references.in_registry(reference))
    request = CopyRequest(source=source, destinations=into, platforms=platforms, referrers=referrers)
    with copy_ports(machine) as ports:
        wanted, why = (tuple(map(place_of, into)), "") if into else _unasked(ports, reference)
        return replace(copied(there, wanted, request, ports), placed=why)


def _unasked(ports: Ports, reference: Reference) -> tuple[tuple[places.Place, ...], str]:
    engine = detect.default(ports)
    named = replace(reference, digest=None)
    if engine is None:
        why = "kept in wherry's store, since no container engine answers here"
        return (places.OwnPlace(reference=named),), why
    return (
        places.EnginePlace(engine=engine.scheme, reference=named),
    ), f"loaded into {engine.name}, which answers here"
