"""Labels and annotations of an image that exists already. A name and pairs in, the new image's place out."""

from __future__ import annotations

from wherry.assemble.annotate import Changes, Pairs, annotated
from wherry.errors import UsageError
from wherry.flows import changed
from wherry.flows.changed import Changed
from wherry.flows.copy import copy_ports, opened, place_of, refuse_incomplete, settled
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.store.content import content_from


class AnnotateRequest(Value, frozen=True, kw_only=True):
    """One `wherry annotate`."""

    subject: str
    annotations: Pairs = ()
    labels: Pairs = ()
    places: tuple[str, ...] = ()
    """Where the new image goes; none: where the old one is, under its name."""


def annotate(request: AnnotateRequest, machine: Machine) -> Changed:
    """Sets labels and annotations; layers stay as they are, and the digest is new."""
    if not request.annotations and not request.labels:
        raise UsageError("nothing-to-set", "neither an annotation nor a label was named", next="wherry annotate --help")
    source = place_of(request.subject)
    with copy_ports(machine) as ports:
        keeper, stored = opened(source, ports)
        source = settled(source, stored)
        refuse_incomplete(stored)
        changes = Changes(annotations=request.annotations, labels=request.labels, created=changed.created_now(machine))
        revised = annotated(stored, changes)
        content = content_from(keeper, changed.become(stored, revised))
        left = changed.left_behind(source, stored, revised, ports)
        return changed.report(stored, revised, changed.put(content, request.places, source, stored, ports), left)
