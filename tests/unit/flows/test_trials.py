"""What looks work out by themselves: places inside a root, lines of logs, what a program links, another user's container."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER
from tests.support.tools import need
from wherry.flows.looks.exercise import refusals, waits
from wherry.flows.looks.inside import declared_places
from wherry.flows.looks.links import linked, within
from wherry.flows.looks.strangers import as_stranger
from wherry.model.container import Bind, Tmpfs, User
from wherry.model.observation import Unseen
from wherry.model.trials import Links
from wherry.runtime.cgroups import Group, usage
from wherry.runtime.look import mounts
from wherry.runtime.spec import Surroundings, destinations, spec


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An unpacked image with links of every kind."""
    for name in ("usr/bin", "etc", "app"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "app/app").write_text("x")
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr/bin/absolute").symlink_to("/app/app")
    (tmp_path / "usr/bin/relative").symlink_to("../../app/app")
    (tmp_path / "usr/bin/out").symlink_to("../../../../../../etc/passwd")
    (tmp_path / "usr/bin/loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize("path", ["/app/app", "/bin/absolute", "/usr/bin/relative", "bin/../../app/./app"])
def test_links_are_followed_inside_the_root(root: Path, path: str) -> None:
    assert within(root, path) == root / "app/app"


@pytest.mark.parametrize("path", ["/bin/out", "/bin/loop", "/nothing", "/app/app/more"])
def test_nothing_is_found_outside_of_it(root: Path, path: str) -> None:
    assert within(root, path) is None


def test_lines_about_refused_writes() -> None:
    text = """\
2026/11/27 cannot write: open /data.txt: read-only file system
mkdir /var/lib/app: permission denied
open /etc/shadow: permission denied
listening on :8080
2026/11/27 cannot write: open /data.txt: read-only file system
"""
    assert refusals(text) == (
        "2026/11/27 cannot write: open /data.txt: read-only file system",
        "mkdir /var/lib/app: permission denied",
    )


def test_waits_are_those_of_this_process() -> None:
    found = waits(os.getpid())
    assert str(os.getpid()) in found
    assert all(one.seconds >= 0 for one in found.values())
    assert waits(2**22 + 1) == {}


def test_who_burns_wants_what_others_have_and_who_naps_does_not() -> None:
    """On one processor: on a busy machine a napper stands in line, too, each time that it wakes."""
    words = ("while True: pass", "while True: pass", "while True: time.sleep(0.002)")
    processor = {min(os.sched_getaffinity(0))}
    with contextlib.ExitStack() as held:
        found = []
        for one in words:
            begun = f"import time\nprint(flush=True)\n{one}"  # until then all of them burn
            child = held.enter_context(subprocess.Popen([sys.executable, "-c", begun], stdout=subprocess.PIPE))
            held.callback(child.kill)
            os.sched_setaffinity(child.pid, processor)
            assert child.stdout
            assert child.stdout.readline() == b"\n"
            found.append(str(child.pid))
        before = [waits(int(one))[one] for one in found]
        time.sleep(1.0)
        burns, _, naps = (waits(int(one))[one].wanted(was) for one, was in zip(found, before, strict=True))
    assert burns > 0.3
    assert naps == 0.0


def test_a_stranger_gets_memory_that_its_group_may_write_to() -> None:
    own = Tmpfs(path="/data", uid=65532, gid=65532, mode=0o750)
    changed = as_stranger(replace(CONTAINER, tmpfs=(own, Tmpfs(path="/tmp"))), 12345)
    assert changed.user == User(uid=12345, gid=0)
    assert [(one.uid, one.gid, oct(one.mode)) for one in changed.tmpfs] == [
        (12345, 0, "0o770"),
        (12345, 0, "0o1777"),
    ]


def test_declared_places() -> None:
    binds = (Bind(source="/a", path="/read"), Bind(source="/b", path="/write", writable=True))
    assert declared_places(replace(CONTAINER, tmpfs=(Tmpfs(path="/tmp"),), binds=binds)) == ("/tmp", "/write")


def test_what_is_no_go_program_links_nothing_known(tmp_path: Path) -> None:
    script, empty = tmp_path / "script", tmp_path / "empty"
    script.write_text("#!/bin/sh\n")
    empty.touch()
    for file in (script, empty, Path("/bin/true"), None):
        assert isinstance(linked(file), Unseen)


def test_an_inlined_function_is_linked(tmp_path: Path) -> None:
    need("go")
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(
        'package main\nimport ("net"; "os/user"; _ "time/tzdata")\n'
        'func main() { net.Dial("tcp", "x:1"); user.LookupId("1") }\n'
    )
    subprocess.run(
        ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", "m", "."], cwd=tmp_path, check=True,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
    )  # fmt: skip
    assert linked(tmp_path / "m") == Links(names="net.Dial", users="os/user.Current", own_zones=True)


def test_mounts_are_those_that_findmnt_lists() -> None:
    need("findmnt")
    listed = subprocess.run(
        ["findmnt", "--raw", "--noheadings", "--output", "TARGET,FSTYPE"], capture_output=True, text=True, check=True
    )
    assert sorted((one.path, one.kind) for one in mounts(os.getpid())) == sorted(
        tuple(line.encode().decode("unicode_escape").rsplit(" ", 1)) for line in listed.stdout.splitlines()
    )


def test_file_contents_that_nobody_used_are_not_needed(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("5000\n")
    (tmp_path / "memory.stat").write_text("anon 1000\ninactive_file 3000\nactive_file 500\n")
    group = Group(memory=str(tmp_path))
    assert (usage(group).memory, usage(group).needed) == (5000, 2000)
    (tmp_path / "memory.usage_in_bytes").write_text("7000\n")
    (tmp_path / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 4000\n")
    assert usage(replace(group, version=1)).needed == 3000
    assert usage(Group()).needed is None


def test_what_lies_in_memory_needs_no_place_in_the_root() -> None:
    one = replace(CONTAINER, binds=(Bind(source="/x", path="/dev/wherry-inside"), Bind(source="/y", path="/y")))
    assert destinations(one) == ("/y",)


@pytest.mark.parametrize(("shown", "kind"), [(True, "cgroup"), (False, "tmpfs")])
def test_groups_are_never_writable(*, shown: bool, kind: str) -> None:
    around = Surroundings(id="x", root="/r", files="/f", groups_shown=shown)
    (mount,) = (one for one in spec(CONTAINER, around)["mounts"] if one["destination"] == "/sys/fs/cgroup")
    assert mount["type"] == kind
    assert "ro" in mount["options"]
