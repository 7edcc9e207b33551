"""An image of this machine, to registries. A name in, where it lies now out: a copy whose destinations are references."""

from __future__ import annotations

import shlex

from wherry.errors import UsageError
from wherry.flows.copy import Copied, CopyRequest, copied, copy_ports, name_of
from wherry.flows.inspect import place_of
from wherry.kit.ports import Event, Machine
from wherry.oci import reference as references
from wherry.oci.reference import Reference
from wherry.store import place as places


def push(
    source: str, names: tuple[str, ...], machine: Machine, *, platforms: tuple[str, ...] = (), referrers: bool = False
) -> Copied:
    """Copies `source`, a name of wherry's store or a place, to each of `names`; without any to where its own name says.

    UsageError [push-without-name] when that name has no registry's host."""
    place = place_of(source)
    own = name_of(place)
    wanted = tuple(_registrys(name, source) for name in names)
    if not wanted and own is not None and own.host:
        wanted = (own,)
    if not wanted:
        raise UsageError(
            "push-without-name",
            f"{source} does not say which registry to push to",
            next=f"wherry push {shlex.quote(source)} -t registry.example/team/{own.repository if own else 'app'}:1.0",
        )
    for name, one in zip(names, wanted, strict=False):
        if not one.host:
            meant = f"{name} is {references.in_registry(one)}, as names without a registry are Docker Hub's"
            machine.events(Event(phase="push", state="note", subject=meant))
    request = CopyRequest(source=source, destinations=names, platforms=platforms, referrers=referrers)
    there = tuple(places.RegistryPlace(reference=references.in_registry(one)) for one in wanted)
    with copy_ports(machine) as ports:
        return copied(place, there, request, ports)


def _registrys(name: str, source: str) -> Reference:
    """A name of -t; UsageError [bad-reference] for a place that is no registry's."""
    scheme, colon, _ = name.partition(":")
    if colon and scheme in places.SCHEMES and not name.startswith("docker://"):
        raise UsageError(
            "bad-reference",
            f"-t names an image in a registry, and {name} is another place",
            next=f"wherry copy {shlex.quote(source)} {shlex.quote(name)}",
        )
    return references.parse(name.removeprefix("docker://"))
