"""Wherry's own profile: what it allows, what never, and what a capability adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.errors import CorruptError, UsageError
from wherry.formats.seccomp import Seccomp, Target, encode, to_docker
from wherry.runtime.seccomp import chosen_seccomp, default_seccomp

#: The walls of a container, the machine's own business, and old or young holes: never without a capability.
_FORBIDDEN = """
    acct add_key adjtimex bpf chroot clock_adjtime clock_settime clone3 create_module delete_module fanotify_init
    finit_module fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl
    kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages modify_ldt mount mount_setattr move_mount
    move_pages nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv
    process_vm_writev ptrace quotactl reboot request_key set_mempolicy setdomainname sethostname setns settimeofday
    swapoff swapon sysfs syslog umount umount2 unshare uselib userfaultfd ustat vhangup vm86 vmsplice _sysctl
"""
FORBIDDEN = frozenset(_FORBIDDEN.split())
#: By an argument only.
CONDITIONAL = {"clone", "personality", "socket", "socketpair"}


def allowed(profile: Seccomp, *, always: bool = True) -> set[str]:
    """Names of rules that allow; only those without a condition when `always`."""
    rules = (rule for rule in profile.syscalls if rule.action == "SCMP_ACT_ALLOW" and not (always and rule.args))
    return {name for rule in rules for name in rule.names}


def test_the_counts_of_the_profile() -> None:
    """Golden: a call more or less is a decision, and belongs into the changelog."""
    counts = {
        name: len(allowed(default_seccomp(name)))
        for name in ("amd64", "386", "arm64", "arm", "riscv64", "s390x", "ppc64le", "mipsle", "loong64")
    }
    assert counts == {
        "amd64": 364, "386": 365, "arm64": 370, "arm": 370, "riscv64": 365, "s390x": 364, "ppc64le": 365, "mipsle": 366,
        "loong64": 363,
    }  # fmt: skip


@pytest.mark.parametrize("architecture", ["amd64", "386", "arm64", "arm", "s390x"])
def test_the_forbidden_are_never_allowed(architecture: str) -> None:
    profile = default_seccomp(architecture)
    assert not allowed(profile, always=False) & FORBIDDEN
    assert not allowed(profile) & CONDITIONAL
    assert allowed(profile, always=False) >= CONDITIONAL


def test_no_name_stands_in_two_rules_that_disagree() -> None:
    profile = default_seccomp("amd64", ("CAP_SYS_ADMIN", "CAP_SYS_TIME"))
    plain = [name for rule in profile.syscalls if not rule.args for name in rule.names]
    assert len(plain) == len(set(plain))


@pytest.mark.parametrize(
    ("capability", "gains"),
    [
        ("CAP_SYS_ADMIN", {"mount", "unshare", "clone", "clone3", "bpf", "setns"}),
        ("CAP_SYS_PTRACE", {"ptrace", "process_vm_readv", "kcmp"}),
        ("CAP_SYS_TIME", {"clock_settime", "settimeofday"}),
        ("CAP_SYS_CHROOT", {"chroot"}),
        ("CAP_SYS_MODULE", {"init_module", "finit_module", "delete_module"}),
        ("CAP_SYS_BOOT", {"reboot"}),
        ("CAP_SYS_NICE", {"mbind", "set_mempolicy"}),
        ("CAP_NET_BIND_SERVICE", set()),
    ],
)
def test_a_capability_adds_its_calls(capability: str, gains: set[str]) -> None:
    before, after = (allowed(default_seccomp("amd64", names)) for names in ((), (capability,)))
    assert after >= before
    assert gains <= after - before
    assert bool(after - before) == bool(gains)
    assert not {"kexec_load", "keyctl", "userfaultfd", "io_uring_setup"} & after


def test_raw_network_adds_a_family() -> None:
    def families(*capabilities: str) -> set[int]:
        rules = default_seccomp("amd64", capabilities).syscalls
        return {rule.args[0].value for rule in rules if "socket" in rule.names and rule.args}

    assert families() == {1, 2, 10, 16}
    assert families("CAP_NET_RAW") == {1, 2, 10, 16, 17}


@pytest.mark.parametrize(("architecture", "index"), [("amd64", 0), ("s390x", 1)])
def test_clone_looks_at_its_flags(architecture: str, index: int) -> None:
    (rule,) = (rule for rule in default_seccomp(architecture).syscalls if "clone" in rule.names)
    assert [(one.index, one.value, one.value_two) for one in rule.args] == [(index, 0x7E020000, 0)]


def test_choices(tmp_path: Path) -> None:
    target = Target(architecture="arm64", capabilities=("CAP_SYS_CHROOT",))
    own = default_seccomp("arm64", ("CAP_SYS_CHROOT",))
    file = tmp_path / "own.json"
    file.write_bytes(encode(to_docker(own)))
    assert chosen_seccomp("unconfined", target) is None
    assert chosen_seccomp("default", target) == own
    assert chosen_seccomp(str(file), target) == own


def test_wrong_choices(tmp_path: Path) -> None:
    target = Target(architecture="amd64")
    with pytest.raises(UsageError) as caught:
        chosen_seccomp(str(tmp_path / "none.json"), target)
    assert caught.value.name == "no-seccomp"
    broken = tmp_path / "broken.json"
    broken.write_text('{"defaultAction": "SCMP_ACT_ALLOWED", "syscalls": []}')
    with pytest.raises(CorruptError, match=r"\$\.defaultAction"):
        chosen_seccomp(str(broken), target)
