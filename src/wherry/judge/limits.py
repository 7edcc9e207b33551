"""Are the limits there, do they hold, and does the application need them. A copy shows that they hold; the application itself
shows that it stays below."""

from __future__ import annotations

from collections.abc import Callable

from wherry.judge.answer import failed, nothing, passed, unknown
from wherry.kit.value import Value
from wherry.model.observation import Expectations, Nothing, Observed, Unseen
from wherry.model.trials import CpuTrial, Exercise, Links, MemoryTrial, PidsTrial
from wherry.model.verdict import Verdict

TOLERANCE = 1.15
"""Of processors' time: periods do not begin when a measurement does."""
GRAIN = 0.02
"""Processors: the kernel notices at the next tick that a limit was reached."""
CLEARLY = 4
"""Times what is allowed: who wants that much is not idle, even when a busy machine gives less."""
MIB = 1 << 20


class Held(Value, frozen=True, kw_only=True):
    """Whether a limit held in a copy."""

    words: str
    good: bool | None
    """None: it could not be seen."""
    host: bool = False
    """On this machine, of no image."""
    seen: tuple[str, ...] = ()


def memory(observed: Observed, wanted: Expectations) -> Verdict:
    """PASS: the kernel killed a program that took more, and the application stayed below its share of the limit."""

    def stays(seen: Exercise) -> Held:
        if seen.oom_kills or seen.out_of_memory:
            return Held(good=False, words="its memory limit killed it", seen=_told(seen))
        most = int(wanted.memory * observed.container.limits.memory)
        if seen.memory is None:
            return Held(good=None, words="no control group tells how much it needs", host=True)
        words = f"it needed up to {_size(seen.memory)} of {_size(observed.container.limits.memory)}"
        words += f"; the budget is {_size(most)}" if seen.memory > most else ""
        return Held(good=seen.memory <= most, words=words)

    limits = observed.container.limits
    return _judged(
        "memory",
        observed,
        (limits.memory, lambda seen: seen.memory_limit),
        _trial(observed.memory, _memory_held),
        stays,
    )


def cpu(observed: Observed, wanted: Expectations) -> Verdict:
    """PASS: a program that wanted every processor got no more than its limit, and the application is idle while nobody asks."""

    def stays(seen: Exercise) -> Held:
        if seen.idle_cpu is None:
            return Held(good=None, words="no control group counts its processor time", host=True)
        words, wants = f"idle it takes {seen.idle_cpu:.2f} processors", seen.idle_cpu + seen.idle_wait
        words += f" and wants {wants:.2f}; the budget is {wanted.idle_cpu:g}" if wants > wanted.idle_cpu else ""
        bad = seen.idle_cpu > wanted.idle_cpu or wants > CLEARLY * wanted.idle_cpu
        good = False if bad else True if wants <= wanted.idle_cpu else None
        return Held(good=good, words=words, seen=(f"for {seen.idle:.1f} s nobody asked",))

    limits = observed.container.limits
    return _judged("cpu", observed, (limits.cpus, lambda seen: seen.cpu_limit), _trial(observed.cpu, _cpu_held), stays)


def pids(observed: Observed, _: Expectations) -> Verdict:
    """PASS: a program that started children was refused at the limit, and the application never met it."""

    def stays(seen: Exercise) -> Held:
        limit = observed.container.limits.pids
        if seen.refused_forks:
            return Held(good=False, words=f"it was refused {seen.refused_forks} times at {limit} processes and threads")
        if seen.pids is None:
            return Held(good=None, words="no control group counts its processes", host=True)
        return Held(good=seen.pids < limit, words=f"it had up to {seen.pids} of {limit} processes and threads")

    limits = observed.container.limits
    return _judged(
        "pids", observed, (limits.pids, lambda seen: seen.pids_limit), _trial(observed.pids, _pids_held), stays
    )


def reap(observed: Observed, _: Expectations) -> Verdict:
    """PASS: it had children, and left none behind. SKIP: it has none, and its program cannot start any."""
    match observed.exercise:
        case Exercise() as seen:
            return _reaped(seen, observed.links)
        case why:
            return nothing("reap", why)


def _reaped(seen: Exercise, links: Links | Nothing) -> Verdict:
    if seen.zombies:
        return failed(
            "reap",
            f"{len(seen.zombies)} ended processes were left behind",
            f"{seen.children} were seen beside the first, {seen.processes} at a time",
            next="Wait for what it starts; --init collects what others leave to it",
        )
    if seen.ended is not None:
        return unknown("reap", f"it ended with status {seen.ended} meanwhile")
    if seen.children:
        return passed("reap", f"{seen.children} processes came and went, none was left behind")
    if isinstance(links, Links) and not links.children:
        return Verdict(check="reap", outcome="SKIP", summary="it starts no other processes, and its program cannot")
    return unknown("reap", "it can start others, and started none while it was looked at")


Limit = tuple[float, Callable[[Exercise], float | None]]


def _judged(check: str, observed: Observed, limit: Limit, held: Held, stays: Callable[[Exercise], Held]) -> Verdict:
    """The worst of three: what the kernel keeps, what a copy showed, what the application does."""
    said, kept_by = limit
    if not said:
        return _unlimited(check, observed)
    if not isinstance(observed.exercise, Exercise):
        return _failed(check, held) if held.good is False else nothing(check, observed.exercise)
    seen = observed.exercise
    kept = kept_by(seen)
    if kept is not None and abs(kept - said) > said * 0.01:
        return failed(check, f"the kernel keeps another limit than {said:g}", f"{kept:g}")
    own = stays(seen)
    for one in (held, own):
        if one.good is False:
            return _failed(check, one)
    if seen.ended is not None:
        return unknown(check, f"it ended with status {seen.ended} while it was asked", *seen.log)
    if kept is None:
        return unknown(check, "the kernel does not say which limit it keeps", host=True)
    for one in (held, own):
        if one.good is None:
            return unknown(check, one.words, *one.seen, host=one.host)
    return passed(check, f"{own.words}; {held.words}", *held.seen)


def _failed(check: str, held: Held) -> Verdict:
    return failed(check, held.words, *held.seen, next=f"wherry explain {check}")


def _unlimited(check: str, observed: Observed) -> Verdict:
    if observed.container.group is None:
        return unknown(check, "an ordinary user has no control groups here, so there is no limit", host=True)
    return failed(check, "there is no limit", next="leave --relax limits out")


def _trial(seen: MemoryTrial | CpuTrial | PidsTrial | Nothing, judge: Callable[..., Held]) -> Held:
    if isinstance(seen, MemoryTrial | CpuTrial | PidsTrial):
        return judge(seen)
    return Held(good=None, words=seen.why, host=isinstance(seen, Unseen) and seen.host)


def _memory_held(seen: MemoryTrial) -> Held:
    limit = _size(seen.limit)
    if not seen.killed or seen.reached > seen.limit:
        return Held(good=False, words=f"a copy had {_size(seen.reached)} under a limit of {limit}")
    if seen.oom_kills is None:
        return Held(good=None, words="no control group counts what the kernel killed", host=True)
    if not seen.oom_kills:
        return Held(good=None, words="a copy was killed, and its control group did not count that")
    words = f"a copy was killed at {limit}"
    return Held(good=True, words=words, seen=(f"it had {_size(seen.reached)}, oom_kill {seen.oom_kills}",))


def _cpu_held(seen: CpuTrial) -> Held:
    words = f"a copy that wanted all got {seen.used:.2f} of {seen.limit:g}"
    if not seen.own:
        words += ", a smaller limit since this machine has no more to give"
    if seen.used > seen.limit * TOLERANCE + GRAIN:
        return Held(good=False, words=words)
    if not seen.throttled:
        return Held(good=None, words="this machine was too busy to show the limit on processors", host=True)
    return Held(good=True, words=words, seen=(f"it had to wait in {seen.throttled} periods of {seen.seconds:.1f} s",))


def _pids_held(seen: PidsTrial) -> Held:
    if not seen.error or seen.had >= seen.limit:
        return Held(good=False, words=f"a copy had {seen.had} children under a limit of {seen.limit}")
    if seen.refused == 0:
        return Held(good=None, words=f"a copy was refused, and not by its limit: {seen.error}")
    return Held(good=True, words=f"a copy was refused after {seen.had} children", seen=(seen.error,))


def _told(seen: Exercise) -> tuple[str, ...]:
    return (f"after {seen.asked} requests in {seen.seconds:.1f} s", *seen.log)


def _size(number: int) -> str:
    return f"{number / MIB:.0f} MiB" if number >= 10 * MIB else f"{number / MIB:.1f} MiB"
