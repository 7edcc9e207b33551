"""`wherry prove`: a word and expectations in, a verdict for each check out. Runs containers, and looks at them from outside."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from wherry.errors import UsageError, WherryError
from wherry.flows.container import RunRequest, make
from wherry.flows.looks import LOOKS, Scene, Tester
from wherry.flows.session import Session
from wherry.flows.sweep import sweep
from wherry.judge import CHECKS, Check, judged
from wherry.kit.ports import Event, Machine
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.model.observation import Expectations, Observed, Unseen
from wherry.model.verdict import Verdict

AT_ONCE = 3
"""Looks at a time: most of them wait for the application."""


class ProveRequest(Value, frozen=True, kw_only=True):
    """One `wherry prove`, as words and flags say it."""

    run: RunRequest = RunRequest()
    only: tuple[str, ...] = ()
    """These checks alone."""
    skip: tuple[str, ...] = ()
    expectations: Expectations = Expectations()


class Proof(Value, frozen=True, kw_only=True):
    """What was proved, of what, and where."""

    subject: str
    """name:tag@digest, or the package."""
    engine: str
    verdicts: tuple[Verdict, ...]
    observed: Observed
    seconds: float

    def count(self, outcome: str) -> int:
        """How many verdicts say so."""
        return sum(verdict.outcome == outcome for verdict in self.verdicts)


def prove(request: ProveRequest, machine: Machine, session: Session | None = None) -> Proof:
    """Looks at what the chosen checks need, and judges. UsageError [no-check] for a word that is none; what `make` raises."""
    began = time.monotonic()
    checks = chosen(request)
    with contextlib.ExitStack() as held:
        session = session or held.enter_context(Session(machine))
        made = make(request.run, machine, session)
        sweep(made.run, machine)
        scene = Scene(
            made=made,
            machine=machine,
            expectations=request.expectations,
            run=request.run,
            session=session,
            tester=Tester(machine, session.scratch),
        )
        observed = look(scene, checks)
        return Proof(
            subject=made.subject.image,
            engine=f"{made.runtime.name} {made.runtime.version}",
            verdicts=judged(observed, request.expectations, checks),
            observed=observed,
            seconds=time.monotonic() - began,
        )


def look(scene: Scene, checks: tuple[Check, ...]) -> Observed:
    """All that the checks need, several looks at a time. A look that fails is Unseen with the reason, never a pass."""
    needed = {name for check in checks for name in check.needs}
    wanted = [one for one in LOOKS if needed.intersection(one.gives)]
    observed = Observed(container=scene.made.container)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda one: _seen(one.look, one.gives, scene), wanted):
            observed = replace(observed, **found)
    return observed


def _seen(look: Callable[[Scene], dict[str, object]], gives: tuple[str, ...], scene: Scene) -> dict[str, object]:
    scene.machine.events(Event(phase="look", subject=gives[0]))
    try:
        return look(scene)
    except WherryError as error:
        why = f"{error.message} [{error.name}]"
        return {name: Unseen(why=why) for name in gives}
    except OSError as error:
        return {name: Unseen(why=f"this machine did not let it be seen: {error.strerror or error}") for name in gives}
    finally:
        scene.machine.events(Event(phase="look", state="end", subject=gives[0]))


def chosen(request: ProveRequest) -> tuple[Check, ...]:
    """The checks that are meant."""
    names = tuple(check.name for check in CHECKS)
    for word in (*request.only, *request.skip):
        if word not in names:
            near = closest(word, names)
            step = f"did you mean {near}?" if near else f"one of {', '.join(names)}"
            raise UsageError("no-check", f"there is no check {word[:40]!r}", next=step)
    wanted = frozenset(request.only or names) - frozenset(request.skip)
    return tuple(check for check in CHECKS if check.name in wanted)
