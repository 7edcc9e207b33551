"""What a kernel has for containers, from made-up /proc and /sys."""

from __future__ import annotations

from pathlib import Path

from wherry.runtime.kernel import kernel


def machine(root: Path, **files: str) -> Path:
    """A root with these files; `__` in a name is a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_version_2(tmp_path: Path) -> None:
    root = machine(tmp_path, **{"sys__fs__cgroup__cgroup.controllers": "cpuset cpu io memory pids\n"})
    seen = kernel(root)
    assert (seen.version, seen.mixed, seen.missing) == (2, False, ())


def test_version_2_without_a_controller(tmp_path: Path) -> None:
    root = machine(tmp_path, **{"sys__fs__cgroup__cgroup.controllers": "cpu pids\n"})
    assert kernel(root).missing == ("memory",)


def test_both_versions(tmp_path: Path) -> None:
    root = machine(tmp_path, **{"sys__fs__cgroup__unified__cgroup.controllers": "hugetlb\n"})
    for name in ("cpu", "memory", "pids"):
        (root / "sys/fs/cgroup" / name).mkdir()
    seen = kernel(root)
    assert (seen.version, seen.mixed, seen.missing) == (1, True, ())


def test_nothing_at_all(tmp_path: Path) -> None:
    seen = kernel(tmp_path)
    assert (seen.version, seen.seccomp, seen.actions) == (0, False, ())
    assert seen.no_user_namespaces == "this kernel has none"
    assert seen.missing == ("cpu", "memory", "pids")


def test_user_namespaces_and_filters(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        proc__self__ns__user="",
        proc__self__status="Name:\tx\nSeccomp:\t0\n",
        proc__sys__user__max_user_namespaces="15000\n",
        proc__sys__kernel__seccomp__actions_avail="kill_process user_notif errno\n",
    )
    seen = kernel(root)
    assert (seen.no_user_namespaces, seen.seccomp) == ("", True)
    assert "user_notif" in seen.actions
    (root / "proc/sys/user/max_user_namespaces").write_text("0\n")
    assert kernel(root).no_user_namespaces == "user.max_user_namespaces is 0"
