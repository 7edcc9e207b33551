"""`wherry prove`: a word and expectations in, a verdict for each check out. Runs containers, and looks at them from outside."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from wherry.errors import RefusedError, UsageError, WherryError
from wherry.flows import rooms
from wherry.flows.container import Made, RunRequest, make
from wherry.flows.held import REDUCED
from wherry.flows.looks import LOOKS, Scene, Tester
from wherry.flows.looks.scene import port_of
from wherry.flows.looks.structure import read_tests, tested
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.flows.settings import layout_of
from wherry.flows.sweep import sweep
from wherry.formats.structure import Structure
from wherry.judge import CHECKS, Check, judged
from wherry.judge.places import Sources, placed
from wherry.judge.policy import Policy, counts, notes, settled
from wherry.kit.files import is_beneath
from wherry.kit.ports import Event, Machine
from wherry.kit.value import Value
from wherry.model.contents import Contents
from wherry.model.finding import Finding
from wherry.model.observation import Expectations, Observed, Unseen
from wherry.model.settings import ProveSettings
from wherry.model.verdict import CHECKS as NAMES
from wherry.model.verdict import TEST, Verdict
from wherry.plan import expect
from wherry.plan.check import is_check, no_check
from wherry.plan.expect import Expected
from wherry.plan.read import refuse

MISSING = ("no-go", "no-watch")
"""Errors of looks that say what this machine has not: no image could be seen here."""
AT_ONCE = 3
"""Looks at a time: most of them wait for the application."""


class ProveRequest(Value, frozen=True, kw_only=True):
    """One `wherry prove`, as words and flags say it."""

    run: RunRequest = RunRequest()
    only: tuple[str, ...] = ()
    """These checks alone, over what the settings say; likewise the others."""
    skip: tuple[str, ...] = ()
    expectations: Expectations | None = None


class Proof(Value, frozen=True, kw_only=True):
    """What was proved, of what, and where."""

    subject: str
    """name:tag@digest, or the package."""
    digest: str = ""
    """Of the image; empty for a package, which is compiled and not packed."""
    engine: str
    """runc 1.1.5."""
    system: str = ""
    """linux 6.12, amd64."""
    verdicts: tuple[Verdict, ...]
    """Those that do not count say why in `waived`."""
    findings: tuple[Finding, ...] = ()
    observed: Observed
    seconds: float
    root: str = ""
    """Where places in the sources are relative to; empty for an image."""

    def count(self, outcome: str) -> int:
        """How many verdicts say so, those not counted that somebody accepts."""
        return sum(counts(verdict, outcome) for verdict in self.verdicts)


def prove(request: ProveRequest, machine: Machine, session: Session | None = None) -> Proof:
    """Looks at what the chosen checks need, and judges. UsageError [no-check] for a word that is none, and where none is left;
    UnavailableError [reduced-isolation]; what `make` raises."""
    began = time.monotonic()
    _early(request)
    with contextlib.ExitStack() as held:
        session = session or held.enter_context(Session(machine))
        made = _made(request.run, machine, session)
        sweep(made.run, machine)
        container = made.container
        expected = expect.decide(made.settings, made.subject.inferred, container.ports, port_of(container))
        tests = read_tests(_files(expected, request.run.build))
        checks = chosen(request, expected)
        wanted = request.expectations or expected.expectations
        scene = Scene(
            made=made,
            machine=machine,
            expectations=wanted,
            run=request.run,
            session=session,
            tester=Tester(machine, session.scratch),
        )
        observed = look(scene, checks, also=("contents",) if tests else ())
        verdicts = placed(judged(observed, wanted, checks), _sources(made, wanted))
        verdicts += _of_files(tests, scene, observed, expected)
        _refuse_nothing(verdicts, (*request.only, *expected.only))
        return _proof(made, observed, verdicts, _policy(expected, machine), began)


def _made(request: RunRequest, machine: Machine, session: Session) -> Made:
    """What is run; an image of root's runs, too, so that it is told what is wrong with it besides."""
    try:
        return make(request, machine, session)
    except RefusedError as error:
        if error.name != "runs-as-root":
            raise
    options = replace(request.options, relax=(*request.options.relax, "user"))
    return make(replace(request, options=options), machine, session)


def _proof(made: Made, observed: Observed, verdicts: tuple[Verdict, ...], policy: Policy, began: float) -> Proof:
    subject, host = made.subject, os.uname()
    kernel = ".".join(host.release.split("-")[0].split(".")[:2])
    return Proof(
        subject=subject.image,
        digest=subject.digest,
        engine=f"{made.runtime.name} {made.runtime.version}",
        system=f"{host.sysname.lower()} {kernel}, {subject.platform.architecture}",
        verdicts=settled(verdicts, policy),
        findings=notes(verdicts, policy),
        observed=observed,
        seconds=time.monotonic() - began,
        root=subject.root,
    )


def _files(expected: Expected, build: BuildRequest) -> tuple[Path, ...]:
    """Files of the command line are where the user stands; those of wherry.toml beside it, and in the repository."""
    root = Path(layout_of(build).root) if expected.tests else Path()
    found = []
    for one, folder in zip(expected.tests, expected.folders, strict=True):
        path = rooms.standing(build) / one.name if folder is None else root / folder / one.name
        if folder is not None and not is_beneath(path, root):
            message = "a file of the repository names no tests from outside of it"
            raise UsageError("run-refused", message, where=one.where, next=f"--test {one.name}")
        found.append(path)
    return tuple(found)


def _of_files(
    tests: tuple[Structure, ...], scene: Scene, observed: Observed, expected: Expected
) -> tuple[Verdict, ...]:
    """Verdicts of the files' tests; with `only`, of those that it names."""
    if not tests or not isinstance(observed.contents, Contents):
        return ()
    only, skip = frozenset(expected.only), frozenset(expected.skip)
    found = tested(tests, scene, observed.contents)
    return tuple(one for one in found if one.check not in skip and (not only or one.check in only))


def _refuse_nothing(verdicts: tuple[Verdict, ...], only: tuple[str, ...]) -> None:
    """A proof that looked at nothing would be well: UsageError [no-check], also for a test that no file has."""
    known = {one.check for one in verdicts}
    absent = next((name for name in only if name.startswith(TEST) and name not in known), "")
    if absent:
        tests = ", ".join(name for name in known if name.startswith(TEST)) or "none was given: --test FILE"
        raise UsageError(
            "no-check", f"no file has a test {absent.removeprefix(TEST)!r}", where=f"--only {absent!r}", next=tests
        )
    if not verdicts:
        message = "no check is left to be looked at: each that is chosen is skipped, too"
        raise UsageError("no-check", message, next="leave out one of --only, --skip and [prove] only and skip")


def _policy(expected: Expected, machine: Machine) -> Policy:
    return Policy(
        unknown=expected.unknown,
        accepting=expected.accepting,
        waivers=expected.waivers,
        today=datetime.fromtimestamp(machine.now(), UTC).date().isoformat(),
    )


def _sources(made: Made, wanted: Expectations) -> Sources:
    plan = made.subject.plan
    return Sources(inferred=made.subject.inferred, decisions=plan.decisions if plan else (), ready=wanted.ready_guess)


def look(scene: Scene, checks: tuple[Check, ...], also: tuple[str, ...] = ()) -> Observed:
    """All that the checks need, several looks at a time. A look that fails is Unseen with the reason, never a pass.
    UnavailableError [reduced-isolation]."""
    needed = {name for check in checks for name in check.needs}.union(also)
    wanted = [one for one in LOOKS if needed.intersection(one.gives)]
    observed = Observed(
        container=scene.made.container, again=_again(scene.run), said_user=scene.made.subject.config.user
    )
    with ThreadPoolExecutor(AT_ONCE if scene.together else 1) as pool:
        for found in pool.map(lambda one: _seen(one.look, one.gives, scene), wanted):
            observed = replace(observed, **found)
    return observed


def _again(request: RunRequest) -> str:
    folder = request.build.directory
    words = ["wherry", "run", *(("-C", folder) if folder not in ("", ".") else ())]
    words += ["--engine", request.engine] if request.engine else []
    words += ["--platform", request.platform] if request.platform else []
    return shlex.join((*words, request.subject or "."))


def _seen(look: Callable[[Scene], dict[str, object]], gives: tuple[str, ...], scene: Scene) -> dict[str, object]:
    scene.machine.events(Event(phase="look", subject=gives[0]))
    try:
        return look(scene)
    except WherryError as error:
        if error.name == REDUCED:  # a runtime that leaves hardening out proves nothing of any container
            raise
        why = f"{error.message}{error.why and f': {error.why}'} [{error.name}]"
        return {name: Unseen(why=why, host=error.name in MISSING, next=error.next) for name in gives}
    except OSError as error:
        return {name: Unseen(why=f"this machine did not let it be seen: {error.strerror or error}") for name in gives}
    finally:
        scene.machine.events(Event(phase="look", state="end", subject=gives[0]))


def chosen(request: ProveRequest, expected: Expected = Expected()) -> tuple[Check, ...]:  # noqa: B008 - immutable
    """The checks that are meant."""
    wanted = frozenset(request.only or expected.only or NAMES) - frozenset(request.skip or expected.skip)
    return tuple(check for check in CHECKS if check.name in wanted)


def _early(request: ProveRequest) -> None:
    """Words of the command line are looked at before anything is built; those of files are when they are read."""
    said = request.run.build.settings.prove or ProveSettings()
    words = (*request.only, *request.skip, *(said.only or ()), *(said.skip or ()))
    refuse(tuple(no_check(word, "") for word in words if not is_check(word)))
