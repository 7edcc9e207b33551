"""Which ports the image declares. Settings and sources in, `8080/tcp` out; touches nothing."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from wherry.model.plan import Decision
from wherry.model.project import Inferred
from wherry.plan.answer import Answer, Facts, each, refuse

NONE: Final = "none"
"""What the decision says where there is no port, and surely none."""
_FORM: Final = re.compile(r"(\d{1,5})(?:/(tcp|udp|sctp))?", re.ASCII)


def decide(facts: Facts) -> Answer[tuple[str, ...]]:
    """The settings' ports, else those found in the sources, else the only guess. UsageError [bad-setting]."""
    given = facts.settings.image.ports
    if given is None:
        return _inferred(facts)
    ports = tuple(dict.fromkeys(each(partial(_port, facts), given)))
    source = facts.settings.source("image", "ports")
    value = ", ".join(ports) or NONE
    decision = Decision(name="port", value=value, reason="as you set it", origin=source.origin, place=source.place)
    return Answer(value=ports, decisions=(decision,))


def _port(facts: Facts, number: int, given: str | int) -> str:
    match = _FORM.fullmatch(str(given))
    if not match or not 0 < int(match[1]) < 65536:
        refuse(
            facts.settings, ("image", "ports", number), f"{str(given)[:40]!r} is no port", next='write 8080 or "53/udp"'
        )
    return f"{int(match[1])}/{match[2] or 'tcp'}"


def _inferred(facts: Facts) -> Answer[tuple[str, ...]]:
    candidates = known(facts)
    found = tuple(one for one in candidates if one.certainty == "found") or (candidates if len(candidates) == 1 else ())
    decisions = tuple(_decision(one) for one in found)
    if not candidates and any(one.kind == "listens" for one in facts.main.inferred):
        decisions = (Decision(name="port", value=NONE, reason="nothing in the sources listens", origin="found"),)
    return Answer(value=tuple(f"{one.value}/tcp" for one in found), decisions=decisions)


def known(facts: Facts) -> tuple[Inferred, ...]:
    """Every port seen in the sources, each once, surer ones first."""
    ports = (
        one
        for one in facts.main.inferred
        if one.kind == "port" and one.value.isdecimal() and 0 < int(one.value) < 65536
    )
    unique: dict[str, Inferred] = {}
    for one in sorted(ports, key=lambda one: one.certainty != "found"):
        unique.setdefault(one.value, one)
    return tuple(unique.values())


def answering(inferred: tuple[Inferred, ...], declared: tuple[str, ...], route: str) -> int:
    """The TCP port of `declared` that answers `route`: the only one, or the one where the sources serve it. 0: not known."""
    tcp = tuple(int(one.removesuffix("/tcp")) for one in declared if one.endswith("/tcp"))
    if len(tcp) < 2:
        return next(iter(tcp), 0)
    served = {one.value for one in inferred if one.kind == "route-port"}
    found = [port for port in tcp if f"{port}{route}" in served]
    return found[0] if len(found) == 1 else 0


def _decision(one: Inferred) -> Decision:
    if one.certainty == "found":
        return Decision(name="port", value=one.value, reason="found in the sources", origin="found", place=one.place)
    return Decision(name="port", value=one.value, reason="guess from the sources", origin="guess", place=one.place)
