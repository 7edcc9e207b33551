"""What an application is asked over HTTP, and at which port: once for compose, clusters and tests of containers. Facts in,
Questions out; touches nothing.

A wrong question restarts what works. So where a program listens on several ports, and the sources do not show which of them
answers, nothing is asked, and a warning says so.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.plan.answer import Answer, refuse
from wherry.plan.application.facts import Facts
from wherry.plan.expect import decide as expected
from wherry.plan.ports import answering

_ROUTE: Final = re.compile(r"/[!-~]*", re.ASCII)


class Questions(Value, frozen=True, kw_only=True):
    """The fields of Runs that have these names."""

    asked: int = 0
    liveness: str = ""
    readiness: str = ""


def decide(facts: Facts) -> Answer[Questions]:
    """All three. UsageError [bad-setting] for a readiness route that is no path."""
    health, alive, ready = facts.image.health, _alive(facts), _ready(facts)
    asked = health.port if health and health.port else _port(facts, alive) or _port(facts, ready)
    if not asked:
        return Answer(value=Questions(liveness=alive, readiness=ready), findings=_left_out(facts, alive or ready))
    known = bool(health and health.path) or _port(facts, alive) == asked
    kept = _kept(facts, asked)
    dropped = ready if ready != kept else "" if known else alive
    return Answer(
        value=Questions(asked=asked, liveness=alive if known else "", readiness=kept),
        findings=_left_out(facts, dropped),
    )


def _alive(facts: Facts) -> str:
    if facts.settings.image.health is False:
        return ""
    health, found = facts.image.health, facts.only("health-route")
    return health.path if health and health.path else found.value if found else ""


def _ready(facts: Facts) -> str:
    """Whatever answers it."""
    said = facts.settings.generate.readiness
    if said is None:
        return expected(facts.settings, facts.main.inferred).expectations.ready_route
    if not _ROUTE.fullmatch(said):
        refuse(
            facts.settings,
            ("generate", "readiness"),
            f"{said[:60]!r} is no path of a URL",
            next="write it like /readyz",
        )
    return said


def _kept(facts: Facts, asked: int) -> str:
    """The same, where it is answered at that port, or somebody says so."""
    said = facts.settings.generate.readiness
    if said is not None:
        return said
    return expected(facts.settings, facts.main.inferred, facts.image.ports, asked).expectations.ready_route


def _port(facts: Facts, route: str) -> int:
    return answering(facts.main.inferred, facts.image.ports, route) if route else 0


def _left_out(facts: Facts, route: str) -> tuple[Finding, ...]:
    """A warning for a route that is not asked, unless somebody wants it so; without any port there is one already."""
    if not route or not facts.image.ports or facts.settings.image.health is False:
        return ()
    place = next((one.place for one in facts.inferred("health-route", "readiness-route") if one.value == route), None)
    return (
        Finding(
            name="route-port",
            message=f"nothing asks {route}: which of {', '.join(facts.image.ports)} answers it is not known",
            subject=facts.image.name,
            place=place,
            next=(
                f'image.health = {{ path = "{route}", port = ... }}'
                if route == _alive(facts)
                else f'generate.readiness = "{route}", where the port of image.health answers it'
            ),
        ),
    )
