"""All checks, in the order of the report. A check is judged by its function alone; what it needs is looked at only when some
check that was chosen needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wherry.judge.answer import never_accepted
from wherry.judge.contents import setuid, shell, size, sources, writable_files
from wherry.judge.drain import drain
from wherry.judge.identity import capabilities, isolation, no_new_privileges, seccomp, security_module, user
from wherry.judge.limits import cpu, memory, pids, reap
from wherry.judge.ports import ports
from wherry.judge.rootfs import rootfs
from wherry.judge.routes import health, ready
from wherry.judge.secrets import secrets
from wherry.judge.start import never_ran, start
from wherry.judge.strangers import arm64, random_uid
from wherry.judge.surroundings import dns, tls, users, zones
from wherry.kit.value import Value
from wherry.model.observation import Expectations, Observed
from wherry.model.verdict import Verdict


class Check(Value, frozen=True, kw_only=True):
    """A name that can be selected, waived and explained; the looks it needs, by their fields of Observed."""

    name: str
    needs: tuple[str, ...]
    judge: Callable[[Observed, Expectations], Verdict]


CHECKS: Final = (
    Check(name="start", needs=("start",), judge=start),
    Check(name="user", needs=("identity",), judge=user),
    Check(name="capabilities", needs=("identity",), judge=capabilities),
    Check(name="privileges", needs=("identity",), judge=no_new_privileges),
    Check(name="seccomp", needs=("identity",), judge=seccomp),
    Check(name="apparmor", needs=("identity",), judge=security_module),
    Check(name="isolation", needs=("identity",), judge=isolation),
    Check(name="rootfs", needs=("writes", "refused", "exercise"), judge=rootfs),
    Check(name="memory", needs=("memory", "exercise"), judge=memory),
    Check(name="cpu", needs=("cpu", "exercise"), judge=cpu),
    Check(name="pids", needs=("pids", "exercise"), judge=pids),
    Check(name="health", needs=("routes", "start"), judge=health),
    Check(name="ready", needs=("routes", "drain", "start"), judge=ready),
    Check(name="ports", needs=("sockets", "start"), judge=ports),
    Check(name="drain", needs=("drain", "start"), judge=drain),
    Check(name="reap", needs=("exercise", "links"), judge=reap),
    Check(name="tls", needs=("surroundings", "links"), judge=tls),
    Check(name="zones", needs=("surroundings", "links"), judge=zones),
    Check(name="dns", needs=("surroundings", "links"), judge=dns),
    Check(name="users", needs=("surroundings", "links"), judge=users),
    Check(name="random-uid", needs=("stranger", "start"), judge=random_uid),
    Check(name="arm64", needs=("emulated", "start"), judge=arm64),
    Check(name="shell", needs=("contents",), judge=shell),
    Check(name="setuid", needs=("contents",), judge=setuid),
    Check(name="writable-files", needs=("contents",), judge=writable_files),
    Check(name="secrets", needs=("contents",), judge=secrets),
    Check(name="sources", needs=("contents",), judge=sources),
    Check(name="size", needs=("contents",), judge=size),
)


def judged(observed: Observed, wanted: Expectations, checks: tuple[Check, ...] = CHECKS) -> tuple[Verdict, ...]:
    """A verdict for each check, in order. What never ran shows nothing, and nobody accepts that: else a proof of a container that
    cannot start would be well."""
    verdicts = tuple(check.judge(observed, wanted) for check in checks)
    if not never_ran(observed):
        return verdicts
    return tuple(never_accepted(one) if one.outcome == "UNKNOWN" and not one.host else one for one in verdicts)
