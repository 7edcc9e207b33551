"""The profile between recorded, floor and ceiling; and the filters under which a container is recorded."""

from __future__ import annotations

import pytest

from wherry.formats.seccomp import Rule, Seccomp
from wherry.model.recording import FileUse, Recording
from wherry.runtime.ceiling.read import Ceiling, Use
from wherry.runtime.ceiling.search import Unclear
from wherry.runtime.record.compose import bounds, compose
from wherry.runtime.record.filter import logging_filter, recording_filter, refused
from wherry.runtime.record.floor import ENGINES, PROBE, floor
from wherry.runtime.seccomp import default_seccomp

BASE = default_seccomp("amd64")
CEILING = Ceiling(
    architecture="amd64",
    uses=tuple(
        Use(name=name, functions=(f"{where}.f",))
        for name, where in (
            ("openat", "os"), ("sendfile", "syscall"), ("futex", "runtime"), ("mount", "syscall"), ("clone", "runtime"),
            ("socket", "syscall"),
        )
    ),
)  # fmt: skip
RUN = FileUse(path="/app/x", intent="run", state="there")
SEEN = Recording(calls=(("openat", 3), ("socket", 1)), refused=(("mount", 1),), files=(RUN,), started=True)
FLOOR = frozenset(("read", "futex", "clone"))


def by_action(profile: Seccomp) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for rule in profile.syscalls:
        found.setdefault(rule.action, set()).update(rule.names)
    return found


def test_strict_is_what_was_seen_and_safe_what_can_be() -> None:
    found = bounds(BASE, SEEN, CEILING, FLOOR)
    strict = found.names("strict")
    assert strict == {"openat", "socket", "mount"} | FLOOR
    assert found.names("safe") == strict | CEILING.names
    assert found.unexercised == {"sendfile", *(CEILING.names - {use.name for use in CEILING.uses})}
    assert found.above == frozenset()


def test_what_was_seen_above_the_ceiling_is_another_programs() -> None:
    seen = Recording(calls=(("shmget", 1),), started=True, files=(RUN,))
    assert bounds(BASE, seen, CEILING, FLOOR).ceiling is None


@pytest.mark.parametrize(
    ("ceiling", "files"),
    [
        (Ceiling(architecture="amd64", why="it is linked dynamically"), (RUN,)),
        (Ceiling(architecture="amd64", unclear=(Unclear(function="f", address=1, why="x"),)), (RUN,)),
        (CEILING, (RUN, FileUse(path="/bin/sh", intent="run", state="there"))),
    ],
)
def test_without_a_bound_safe_is_the_default(ceiling: Ceiling, files: tuple[FileUse, ...]) -> None:
    seen = Recording(calls=(("openat", 1),), started=True, files=files)
    found = bounds(BASE, seen, ceiling, FLOOR)
    assert found.ceiling is None
    assert found.names("safe") >= found.allowed
    assert len(found.allowed) > 300
    assert found.names("strict") == {"openat"} | FLOOR


def test_a_profile_keeps_conditions_and_refusals() -> None:
    names = frozenset(("read", "clone", "socket", "mount", "clone3", "bpf_next"))
    made = compose(BASE, names, "amd64", "SCMP_ACT_KILL_PROCESS")
    assert by_action(made) == {
        "SCMP_ACT_ALLOW": {"read", "clone", "socket"},
        "SCMP_ACT_ERRNO": {"mount", "clone3", "bpf_next"},
    }
    assert all(rule.args for rule in made.syscalls if {"clone", "socket"} & set(rule.names))
    assert [rule.errno_ret for rule in made.syscalls if "clone3" in rule.names] == [38]
    assert [rule.errno_ret for rule in made.syscalls if "mount" in rule.names] == [1]
    assert made.default_action == "SCMP_ACT_KILL_PROCESS"
    assert made.default_errno_ret is None
    assert compose(BASE, names, "amd64", "SCMP_ACT_ERRNO").default_errno_ret == 1


def test_without_a_profile_just_the_names() -> None:
    made = compose(None, frozenset(("read", "mount")), "arm64", "SCMP_ACT_ERRNO")
    assert by_action(made) == {"SCMP_ACT_ALLOW": {"read", "mount"}}
    assert made.architectures == ("SCMP_ARCH_AARCH64",)


def test_the_floor() -> None:
    low = floor(CEILING, ("uncommon",), probe=False)
    assert {"futex", "uncommon", "restart_syscall", "rt_sigreturn", *ENGINES} <= low
    assert "sendfile" not in low
    assert floor(CEILING, (), probe=True) >= set(PROBE)


def test_recording_tells_of_everything_but_what_a_runtime_needs() -> None:
    made = recording_filter(BASE, "amd64", frozenset(("futex", "openat", "write")), "/run/l")
    found = by_action(made)
    assert found["SCMP_ACT_ALLOW"] == {"write", "futex"}, "openat has arguments that matter"
    assert "keyctl" in found["SCMP_ACT_NOTIFY"]
    assert made.listener_path == "/run/l"
    assert made.default_action == BASE.default_action
    assert sum("socket" in rule.names for rule in made.syscalls) == 4
    assert refused(BASE)["keyctl"] == 1
    assert refused(BASE)["clone3"] == 38
    assert "read" not in refused(BASE)


def test_recording_without_a_profile() -> None:
    found = by_action(recording_filter(None, "arm64", frozenset(), "/l"))
    assert found["SCMP_ACT_ALLOW"] == {"write"}
    assert {"mount", "read", "clone3"} <= found["SCMP_ACT_NOTIFY"]


def test_logging_leaves_refusals_alone() -> None:
    found = by_action(logging_filter(BASE, "amd64", frozenset(("futex",))))
    assert found["SCMP_ACT_ALLOW"] == {"futex"}
    assert "keyctl" in found["SCMP_ACT_ERRNO"]
    assert "openat" in found["SCMP_ACT_LOG"]


def test_other_actions_stay() -> None:
    base = Seccomp(default_action="SCMP_ACT_ALLOW", syscalls=(Rule(names=("mount",), action="SCMP_ACT_KILL"),))
    assert by_action(recording_filter(base, "amd64", frozenset(), "/l")) == {"SCMP_ACT_KILL": {"mount"}}
