"""`wherry profile`: what an application does while it is exercised, as a seccomp profile that was proved. A word in, a profile
out; runs the container twice.

Recorded, and allowed: what was seen, what runtimes need, and in `safe` mode what else the binary can call. The second run
kills at everything else.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from wherry.errors import CorruptError, RefusedError, UnavailableError, UnknownError
from wherry.flows.advice import advice
from wherry.flows.container import Made, RunRequest, make, seccomp_of
from wherry.flows.exercise import Exercise, Stage, check, exercise
from wherry.flows.live import live
from wherry.flows.named_files import refuse_unwritable
from wherry.flows.session import Session
from wherry.flows.sweep import sweep
from wherry.formats import syscalls
from wherry.formats.seccomp import Seccomp, encode, to_docker
from wherry.kit.files import atomic_write, disk_errors
from wherry.kit.notices import Wanted, Watching
from wherry.kit.ports import Event, Machine
from wherry.kit.value import Value
from wherry.model.container import Container, User
from wherry.model.finding import Finding
from wherry.model.profile import Ceiled, Exercised, Profile
from wherry.model.recording import Recording
from wherry.runtime.ceiling.read import Ceiling, ceiling
from wherry.runtime.record.compose import Bounds, bounds, compose
from wherry.runtime.record.filter import NEVER, logging_filter, recording_filter, refused
from wherry.runtime.record.floor import floor
from wherry.runtime.record.inside import real
from wherry.runtime.record.recorder import Recorder, overheard

BAD_SYSTEM_CALL = 128 + signal.SIGSYS
PROBE = "/wherry/probe"


class ProfileRequest(Value, frozen=True, kw_only=True):
    """One `wherry profile`, as words and flags say it."""

    run: RunRequest = RunRequest()
    exercise: Exercise = Exercise()
    mode: Literal["safe", "strict"] = "safe"
    output: str = ""
    """A file; empty: none is written."""
    kill: bool = False
    """The written profile kills, as the proving run does; else it answers EPERM."""


class Profiled(Value, frozen=True, kw_only=True):
    """The profile and its text in Docker's form."""

    profile: Profile
    text: str


def profile(request: ProfileRequest, machine: Machine, session: Session | None = None) -> Profiled:
    """Records, composes, proves, writes. What `make` raises; RefusedError [profile-kills], and [exercise-failed] when `strict`,
    UnknownError [not-exercised] and [not-recorded], UnavailableError [no-watch], [disk], UsageError [no-script], [usage]."""
    began = time.monotonic()
    check(request.exercise)
    _check_output(request.output)
    with contextlib.ExitStack() as held:
        session = session or held.enter_context(Session(machine))
        made = make(request.run, machine, session)
        sweep(made.run, machine)
        one = _Profiling(made, machine, request, Path(session.scratch))
        recording, recorded = one.record(frozenset())
        _refuse_failed(recorded, request.mode)
        made_of = one.bounds(recording)
        names, added, proved = one.prove(made_of)
        _refuse_failed(proved, request.mode)
        text = encode(to_docker(compose(one.base, names, one.architecture, _otherwise(request)))).decode()
        if request.output:
            target = Path(request.output)
            with disk_errors(target):
                atomic_write(target, text.encode())
        made_profile = Profile(
            subject=made.subject.image,
            engine=f"{made.runtime.name} {made.runtime.version}",
            architecture=one.architecture,
            mode=request.mode,
            bounded=made_of.ceiling is not None,
            names=tuple(sorted(_let_through(one.base, names))),
            before=len(made_of.allowed),
            floor=tuple(sorted(made_of.floor)),
            unexercised=tuple(sorted(made_of.unexercised)),
            added=tuple(sorted(added)),
            recording=recording,
            ceiling=_ceiled(one),
            recorded=recorded,
            proved=proved,
            suggestions=advice(recording, made.container),
            findings=(*_unproved(recorded, proved), *_findings(recording, made_of, one.ceiling, request.mode)),
            seconds=time.monotonic() - began,
        )
        return Profiled(profile=made_profile, text=text)


class _Profiling:
    """One application on its way to a profile."""

    def __init__(self, made: Made, machine: Machine, request: ProfileRequest, scratch: Path) -> None:
        self.made, self.machine, self.request, self.scratch = made, machine, request, scratch
        self.architecture, self.pid = made.container.platform.architecture, 0
        if made.runtime.name not in RECORDERS or self.architecture not in syscalls.COLUMNS:
            raise UnavailableError(
                "no-watch",
                f"system calls of {self.architecture} under {made.runtime.name} cannot be watched",
                next="wherry profile --engine runc",
            )
        self.base = seccomp_of(made.container)
        self.program = _program(made)
        self.ceiling = _ceiling(self.program)
        health = made.container.health
        self.probe = health is not None and (bool(health.path or health.port) or PROBE in health.command)

    def bounds(self, recording: Recording) -> Bounds:
        """The sets between which the profile lies."""
        known = floor(self.ceiling, recording.engine, probe=self.probe)
        return bounds(self.base, recording, self.ceiling, known)

    def record(self, silent: frozenset[str]) -> tuple[Recording, Exercised]:
        """One watched run. `silent` calls are not told of. UnknownError [not-exercised], [not-recorded]."""
        self.machine.events(Event(phase="record"))
        recording, done = RECORDERS[self.made.runtime.name](self, silent | NEVER)
        self.machine.events(Event(phase="record", state="end"))
        _refuse_empty(recording, done)
        return recording, done

    def told(self, silent: frozenset[str]) -> tuple[Recording, Exercised]:
        """By notifications: each call waits until it was seen."""
        numbers = {name: number for number, name in syscalls.names(self.architecture).items()}
        wrong = refused(self.base)
        watching: list[Watching] = []
        recorder = Recorder(self.architecture, silent, lambda: watching[0].counts)
        wanted = Wanted(
            shown=recorder.shown,
            refused=tuple((numbers[name], code) for name, code in wrong.items() if name in numbers),
        )
        with self.machine.watch(wanted, recorder.see) as watch:
            watching.append(watch)
            done = self._run(recording_filter(self.base, self.architecture, silent, watch.address))
        return recorder.recording(frozenset(wrong), watch.trouble), done

    def overheard(self, silent: frozenset[str]) -> tuple[Recording, Exercised]:
        """By the kernel's audit: names alone, and without those that every profile allows, of which there are many."""
        silent |= floor(self.ceiling, (), probe=self.probe)
        with self.machine.overhear() as hearing:
            done = self._run(logging_filter(self.base, self.architecture, silent))
            heard = hearing.of(self.pid)
        return overheard(heard, self.architecture, silent, hearing.trouble), done

    def prove(self, made_of: Bounds) -> tuple[frozenset[str], frozenset[str], Exercised]:
        """Names with which the application stayed alive, those added on the way, and what it did. RefusedError
        [profile-kills]."""
        names = made_of.names(self.request.mode)
        self.machine.events(Event(phase="prove"))
        proved = self._run(compose(self.base, names, self.architecture, "SCMP_ACT_KILL_PROCESS"))
        if _well(proved):
            return names, frozenset(), proved
        more = self._missing(names)
        if more:
            proved = self._run(compose(self.base, names | more, self.architecture, "SCMP_ACT_KILL_PROCESS"))
        if not more or not _well(proved):
            raise _kills(proved, more)
        return names | more, more, proved

    def _missing(self, names: frozenset[str]) -> frozenset[str]:
        """What is called beyond `names`: watched once more, and told of that alone."""
        recording, _ = self.record(names)
        return frozenset(name for name, _ in recording.calls) - names

    def _run(self, seccomp: Seccomp) -> Exercised:
        """The application under `seccomp`, exercised and stopped."""
        file = self.scratch / f"seccomp-{time.monotonic_ns()}.json"
        file.write_bytes(encode(to_docker(seccomp)))
        stage = Stage(made=self.made, machine=self.machine)

        def under(container: Container) -> Container:
            changed = replace(container, seccomp=str(file))
            return _as_oneself(changed) if seccomp.listener_path else changed

        with live(self.made, self.machine, under) as one:
            self.pid = one.pid
            return exercise(stage, one, self.request.exercise)


#: How each engine's containers are recorded. Docker drops a profile's listener, so the kernel's audit is listened to instead.
RECORDERS: Final = {
    **dict.fromkeys(("runc", "crun", "podman"), _Profiling.told),
    "docker": _Profiling.overheard,
}


def _as_oneself(container: Container) -> Container:
    """For an ordinary user with subordinate ids: the same container with the user's own id alone, as without them. runc hands no
    listener over when the container's id is another than its own (pidfd_getfd(2): ptrace access)."""
    if len(container.uids) < 2:
        return container
    tmpfs = tuple(replace(one, uid=0, gid=0) for one in container.tmpfs)
    uids, gids = container.uids[:1], container.gids[:1]
    return replace(container, user=User(uid=0, gid=0), uids=uids, gids=gids, tmpfs=tmpfs)


def _otherwise(request: ProfileRequest) -> Literal["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO"]:
    return "SCMP_ACT_KILL_PROCESS" if request.kill else "SCMP_ACT_ERRNO"


def _well(done: Exercised) -> bool:
    """Healthy, and not ended by the profile."""
    return done.healthy and done.exit_code != BAD_SYSTEM_CALL


def _let_through(base: Seccomp | None, names: frozenset[str]) -> frozenset[str]:
    if base is None:
        return names
    return names & {name for rule in base.syscalls if rule.action == "SCMP_ACT_ALLOW" for name in rule.names}


def _findings(recording: Recording, made_of: Bounds, known: Ceiling, mode: str) -> tuple[Finding, ...]:
    """What the reader must know before he relies on the profile."""
    found = []
    if not recording.detailed:
        found.append(Finding(name="names-only", severity="note", message="docker tells of names alone"))
    if recording.trouble:
        found.append(Finding(name="recording-incomplete", message=recording.trouble, next="profile once more"))
    if made_of.ceiling is None and mode == "safe":
        unclear = f"{known.unclear[0].function}: {known.unclear[0].why}" if known.unclear else ""
        why = known.why or unclear or "it starts other programs"
        found.append(
            Finding(
                name="no-ceiling", message=f"nothing bounds the profile: {why}", next="wherry profile --mode strict"
            )
        )
    return tuple(found)


def _check_output(file: str) -> None:
    """UnavailableError [disk] before minutes are spent on what cannot be written; what `refuse_unwritable` raises."""
    refuse_unwritable(file, "-o")
    if file:
        target = Path(file)
        with disk_errors(target):
            tempfile.TemporaryFile(dir=target.parent).close()


def _refuse_failed(done: Exercised, mode: str) -> None:
    """`strict` knows only what was exercised; a profile of an exercise that failed would refuse what it is for."""
    if done.failed and mode == "strict":
        raise RefusedError(
            "exercise-failed",
            f"the exercise failed: {', '.join(done.failed)}; no profile is written",
            why="a strict profile allows what was exercised, and nothing else",
            next=("mend the exercise", "wherry profile --mode safe, which allows what the binary can call"),
        )


def _unproved(recorded: Exercised, proved: Exercised) -> tuple[Finding, ...]:
    failed = tuple(dict.fromkeys((*recorded.failed, *proved.failed)))
    if not failed:
        return ()
    message = f"the exercise failed: {', '.join(failed)}; the profile is not proved"
    return (Finding(name="exercise-failed", message=message, next="mend the exercise, and profile once more"),)


def _refuse_empty(recording: Recording, done: Exercised) -> None:
    if not recording.started:
        raise UnknownError(
            "not-recorded",
            "the kernel told nothing of the program",
            why=recording.trouble,
            next="wherry explain not-recorded",
        )
    if not done.healthy:
        said = f"; it said: {done.log[-1]}" if done.log else ""
        raise UnknownError(
            "not-exercised",
            f"it did not become healthy while it was watched{said}",
            why=f"it ended with status {done.exit_code}" if done.exit_code is not None else "",
            next="wherry run, to see how it starts",
        )


def _kills(done: Exercised, more: frozenset[str]) -> RefusedError:
    names = ", ".join(sorted(more)) or "not known"
    state = "was killed" if done.exit_code == BAD_SYSTEM_CALL else "did not become healthy"
    return RefusedError(
        "profile-kills",
        f"under its own profile the application {state}",
        why=f"calls beyond it: {names}",
        next=("wherry profile --mode safe", "wherry profile --exercise SCRIPT, with all that it does"),
    )


def _program(made: Made) -> str:
    """The file on this machine that the container starts; empty when it cannot be found."""
    container, word = made.container, made.container.arguments[0]
    path = dict(container.environment).get("PATH", "/usr/local/bin:/usr/bin:/bin")
    places = (word,) if "/" in word else tuple(f"{folder}/{word}" for folder in path.split(":") if folder)
    own = {program.path: program.file for program in made.subject.programs}
    for place in places:
        absolute = place if place.startswith("/") else f"{container.directory}/{place}"
        file = own.get(absolute) or real(made.root.path, absolute)
        if Path(file).is_file():
            return file
    return ""


def _ceiling(program: str) -> Ceiling:
    if not program:
        return Ceiling(architecture="", why="the program was not found in the image")
    try:
        return ceiling(program)
    except (CorruptError, UnknownError) as error:
        return Ceiling(architecture="", why=error.message)


def _ceiled(one: _Profiling) -> Ceiled:
    return Ceiled(
        program=one.made.container.arguments[0],
        names=tuple(sorted(one.ceiling.names)) if not one.ceiling.why else (),
        complete=one.ceiling.complete,
        why=one.ceiling.why,
        unclear=tuple(f"{place.function or hex(place.address)}: {place.why}" for place in one.ceiling.unclear),
    )
