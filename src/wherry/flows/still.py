"""Whether a registry still means what it meant. A row of the no-op index in, yes or no out; asks that registry, once."""

from __future__ import annotations

from wherry.errors import WherryError
from wherry.flows.rooms import store_ports
from wherry.kit.ports import Machine
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store.registry.keeper import readable, repository


def still(row: list[str], machine: Machine) -> bool:
    """True when the tag in `row` (`push` or `read`, host, repository, tag, digest) means the digest now. False also when nobody
    answers, or not at once: then the build goes its whole way, and tells what is wrong."""
    purpose, host, name, tag, digest = row
    reference = Reference(host=host, repository=name, tag=tag)
    try:
        with store_ports(machine) as ports:
            reads = purpose == "read"
            there = readable(reference, ports).there if reads else repository(reference, ports, actions="pull,push")
            return there.head(tag, patient=False) == Digest(digest)
    except WherryError:
        return False
