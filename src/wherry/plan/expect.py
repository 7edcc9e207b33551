"""What a proof expects and accepts. Settings and what the sources show in, an Expected out; touches nothing."""

from __future__ import annotations

import re
from typing import Final, Literal

from wherry.kit.value import Value
from wherry.model.observation import Expectations
from wherry.model.project import Inferred
from wherry.model.verdict import Waiver
from wherry.plan import durations, sizes
from wherry.plan.answer import refuse, where
from wherry.plan.ports import answering
from wherry.plan.tiers import Effective

_ROUTE: Final = re.compile(r"/[!-~]*", re.ASCII)
_WORDS: Final = ("accept", "fail")

Accepting = Literal["host", "accept", "fail"]
"""Which UNKNOWNs are accepted beside those that are named: what this machine could show of no image, all, none."""


class Named(Value, frozen=True, kw_only=True):
    """A file of tests as it is written, and where it was said."""

    name: str
    where: str


class Expected(Value, frozen=True, kw_only=True):
    """All that the settings say about a proof."""

    expectations: Expectations = Expectations()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    accepting: Accepting = "host"
    waivers: tuple[Waiver, ...] = ()
    tests: tuple[Named, ...] = ()
    """Files, as they are written."""
    folders: tuple[str | None, ...] = ()
    """What the path of each is relative to, as seen from the repository's root; None: where the user stands."""


def decide(
    settings: Effective, inferred: tuple[Inferred, ...] = (), ports: tuple[str, ...] = (), asked: int = 0
) -> Expected:
    """What the sources show counts where it is answered at `asked`, of the `ports` that it listens on. UsageError [bad-setting]
    for a value that means nothing."""
    unknown = settings.prove.unknown
    words = (unknown,) if isinstance(unknown, str) else unknown or ()
    accepting: Accepting = "accept" if words == ("accept",) else "fail" if words == ("fail",) else "host"
    waivers = settings.prove.waive or ()
    tests = settings.prove.tests or ()
    return Expected(
        expectations=_expectations(
            settings, tuple(one for one in inferred if _is_answered(one, inferred, ports, asked))
        ),
        only=settings.prove.only or (),
        skip=settings.prove.skip or (),
        unknown=tuple(word for word in words if word not in _WORDS),
        accepting=accepting,
        waivers=tuple(Waiver(check=one.check, reason=one.reason, until=one.until.isoformat()) for one in waivers),
        tests=tuple(
            Named(name=name, where=where(settings.source(*keys), keys))
            for number, name in enumerate(tests)
            for keys in (("prove", "tests", number),)
        ),
        folders=tuple(_folder(settings, number) for number in range(len(tests))),
    )


def _expectations(settings: Effective, inferred: tuple[Inferred, ...]) -> Expectations:
    said, usual = settings.prove, Expectations()
    told = said.ready_route is not None or settings.generate.readiness is not None
    guessed = None if told else _guess(inferred)
    return Expectations(
        start=_time(settings, "start", said.start, usual.start),
        ready_route=_ready_route(settings, guessed),
        ready_guess=str(guessed.place) if guessed else "",
        backing=_backing(settings, inferred),
        slow_route=_route(settings, "slow-route", said.slow_route),
        requests=int(_number(settings, ("requests", said.requests), usual.requests, (1, 200))),
        tries=int(_number(settings, ("tries", said.tries), usual.tries, (1, 20))),
        size=_size(settings, said.size),
        idle_cpu=_number(settings, ("idle-cpu", said.idle_cpu), usual.idle_cpu, (0, 1024)),
        memory=_number(settings, ("memory", said.memory), usual.memory, (0.01, 1)),
    )


def _ready_route(settings: Effective, guessed: Inferred | None) -> str:
    """As [prove] says, else as generated files say, else the only one of the sources."""
    if settings.prove.ready_route is None and settings.generate.readiness:
        return settings.generate.readiness
    return guessed.value if guessed else _route(settings, "ready-route", settings.prove.ready_route)


def _backing(settings: Effective, inferred: tuple[Inferred, ...]) -> tuple[str, ...]:
    """As generated files have it: what the settings say, else what the sources import a client of."""
    found = tuple(one.value for one in inferred if one.kind == "backing")
    said = settings.generate.backing
    return tuple(sorted(set(found if said is None else said)))


def _is_answered(one: Inferred, inferred: tuple[Inferred, ...], ports: tuple[str, ...], asked: int) -> bool:
    """Whether a readiness route is where questions go: of several ports, the sources may serve it at another one."""
    if one.kind != "readiness-route" or sum(port.endswith("/tcp") for port in ports) < 2:
        return True
    return answering(inferred, ports, one.value) == asked


def _guess(inferred: tuple[Inferred, ...]) -> Inferred | None:
    """The only readiness route of the sources."""
    found = {
        one.value: one for one in reversed(inferred) if one.kind == "readiness-route" and _ROUTE.fullmatch(one.value)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _route(settings: Effective, key: str, text: str | None) -> str:
    if text and not _ROUTE.fullmatch(text):
        refuse(settings, ("prove", key), f"{text[:60]!r} is no path of a URL", next="write it like /slow?seconds=2")
    return text or ""


def _time(settings: Effective, key: str, text: str | None, usual: float) -> float:
    if text is None:
        return usual
    try:
        value = durations.seconds(text)
    except ValueError:
        refuse(settings, ("prove", key), f"{text[:40]!r} is no duration", next="write it like 30s, 1m30s or 500ms")
    if not 0.1 <= value <= 600:
        refuse(settings, ("prove", key), f"{text} is out of range", next="100ms to 10m")
    return value


def _size(settings: Effective, text: str | None) -> int:
    if text is None:
        return 0
    try:
        return sizes.size(text)
    except ValueError:
        refuse(settings, ("prove", "size"), f"{text[:40]!r} is no size", next="write it like 30MB")


def _number(settings: Effective, said: tuple[str, float | None], usual: float, bounds: tuple[float, float]) -> float:
    key, value = said
    if value is None:
        return usual
    least, most = bounds
    if not least <= value <= most:
        refuse(settings, ("prove", key), f"{value} is out of range", next=f"a number from {least} to {most}")
    return value


def _folder(settings: Effective, number: int) -> str | None:
    source = settings.source("prove", "tests", number)
    return source.directory if source.origin == "file" else None
