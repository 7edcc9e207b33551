"""Rows F of the catalogue: what an image, a runtime and a machine may try, against a real runc and what the kernel says."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps
from tests.support.runbook import Book, book, free_port, get
from wherry.kit.ports import Command, Completed
from wherry.runtime.find import SAFE, check, runtimes

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


@pytest.fixture(scope="module")
def pid(shelf: Book) -> Iterator[int]:
    """The process of a container that answers."""
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "good", "-p", f"{port}:8080")
    get(port, "/healthz")
    yield int(shelf.containers()["good"]["pid"])
    shelf.good("rm", "--force", "good")


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_f01_nothing_of_wherrys_is_open_inside(shelf: Book, tmp_path: Path) -> None:
    """CVE-2024-21626: a descriptor of the host, inherited."""
    with socket.create_server(("127.0.0.1", 0)), (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        shelf.good("run", "-q", "-d", apps.place("good"), "--name", "fds")
        pid = shelf.containers()["fds"]["pid"]
        targets = {path.name: str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    shelf.good("rm", "--force", "fds")
    assert all(targets[name].startswith("pipe:") or targets[name] == "/dev/null" for name in "012"), targets
    rest = {text for name, text in targets.items() if int(name) > 2}
    assert all(text.startswith(("socket:", "anon_inode:", "pipe:", "/dev/null")) for text in rest), rest
    assert not any(str(tmp_path) in text or str(shelf.run / "roots") in text for text in targets.values())


@pytest.mark.parametrize(
    "directory", ["/proc/self/fd/7", "/proc/self/fd/8", "/proc/self/cwd", "/sys/../proc/self/fd/9"]
)
def test_f01_no_working_directory_through_proc(shelf: Book, directory: str) -> None:
    done = shelf("run", "-q", apps.place("exits"), "-w", directory)
    assert done.code == 1
    assert "[path-escape]" in done.stderr
    assert shelf.left() == [] or "good" in shelf.containers()


@pytest.mark.parametrize(
    ("name", "said", "outcome"),
    [
        ("runc", "1.0.0-rc95", "refused"), ("runc", "1.1.5+ds1", "told"), ("runc", "1.2.7", "told"),
        ("runc", "1.2.8", "told"), ("runc", "1.3.5", "told"), ("runc", "1.3.6", ""), ("runc", "1.4.2", "told"),
        ("runc", "1.4.3", ""), ("runc", "1.5.0-rc.2", "told"), ("runc", "1.5.0-rc.3", ""), ("runc", "1.5.0", ""),
        ("runc", "2.0.0", ""),
        ("crun", "0.18", "refused"), ("crun", "1.8.1", "told"), ("crun", "1.20", ""), ("crun", "nonsense", "refused"),
    ],
)  # fmt: skip
def test_f02_an_old_runtime(name: str, said: str, outcome: str) -> None:
    def run(command: Command, /) -> Completed:
        return Completed(code=0, stdout=f"{name} version {said}\nspec: 1.0.2\n".encode())

    def spawn(command: Command, /, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> None:
        raise AssertionError

    (found,) = runtimes(lambda one: f"/usr/bin/{one}" if one == name else "", run, spawn)  # type: ignore[arg-type]
    if outcome == "refused":
        with pytest.raises(Exception, match="too old") as caught:
            check(found)
        assert getattr(caught.value, "name", "") == "old-runtime"
        return
    assert [one.name for one in check(found)] == (["old-runtime"] if outcome else [])
    assert SAFE[name]


def test_f05_no_capability_in_any_set(pid: int) -> None:
    known = status(pid)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(known[name], 16) == 0, name
    assert known["NoNewPrivs"] == "1"


def test_f05_the_one_that_was_asked_for_and_no_other(shelf: Book) -> None:
    port = free_port()
    words = ("--cap-add", "net_bind_service", "-p", f"{port}:80")
    shelf.good("run", "-q", "-d", apps.place("lowport"), "--name", "low", *words)
    assert get(port, "/healthz")
    known = status(shelf.containers()["low"]["pid"])
    shelf.good("rm", "--force", "low")
    assert {name: int(known[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == dict.fromkeys(
        ("CapPrm", "CapEff", "CapBnd", "CapAmb"), 1 << 10
    )


def test_f06_a_filter_is_active(shelf: Book, pid: int) -> None:
    assert status(pid)["Seccomp"] == "2"
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "free", "--relax", "seccomp")
    try:
        assert status(shelf.containers()["free"]["pid"])["Seccomp"] == "0", "the test can tell"
    finally:
        shelf.good("rm", "--force", "free")


def test_f06_the_root_and_kernel_files_are_read_only(pid: int) -> None:
    rows = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    options = {row[4]: set(row[5].split(",")) for row in rows}
    assert "ro" in options["/"]
    for path in (one for one in ("/proc/sys", "/proc/sysrq-trigger", "/sys") if Path(one).exists()):
        assert "ro" in options[path], path
    for path in ("/tmp", "/dev", "/proc"):
        assert {"nosuid"} <= options[path], path
    assert {"noexec", "nodev", "nosuid"} <= options["/tmp"]
    assert "/dev/shm" not in options
    assert {one for one in ("/proc/kcore", "/proc/keys", "/proc/timer_list") if Path(one).exists()} <= set(options), (
        "masked"
    )


def test_f05_it_is_nobody_on_this_machine(pid: int) -> None:
    uid = int(status(pid)["Uid"].split()[0])
    assert uid >= 0x30000000 + 65532
    first = Path(f"/proc/{pid}/uid_map").read_text().split()
    assert first[0] == "0"
    assert int(first[1]) == uid - 65532


def test_f10_the_runtime_is_not_the_hosts_file(pid: int) -> None:
    """CVE-2019-5736: what a container could have overwritten."""
    assert Path(f"/proc/{pid}/exe").resolve().name == "good"
    assert "/usr/sbin/runc" not in Path(f"/proc/{pid}/maps").read_text()


FORGETFUL = """\
#!{python}
import json, os, pathlib, sys
if "--bundle" in sys.argv:
    file = pathlib.Path(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    config = json.loads(file.read_text())
    config["process"]["noNewPrivileges"] = False
    del config["linux"]["seccomp"]
    file.write_text(json.dumps(config))
os.execv("{runc}", ["runc", *sys.argv[1:]])
"""


@pytest.mark.parametrize("verb", [("run", "-q"), ("run", "-q", "-d"), ("prove",), ("profile",)], ids=" ".join)
def test_a_runtime_that_leaves_hardening_out_is_found_out(
    shelf: Book, tmp_path: Path, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F06: what the kernel says of the first process counts, not what the runtime was told."""
    runc = shutil.which("runc")
    fake = tmp_path / "runc"
    fake.write_text(FORGETFUL.format(python=sys.executable, runc=runc))
    fake.chmod(0o755)
    monkeypatch.setitem(shelf.environment, "PATH", f"{tmp_path}:{os.environ['PATH']}")
    before = shelf.left()  # of a container that other tests share
    done = shelf(*verb, apps.place("good"), "--engine", "runc", "--name", "loose")
    assert (done.code, done.stderr.count("error [reduced-isolation]")) == (4, 1), done.stderr
    assert "PASS" not in done.stdout
    assert "seccomp" in done.stderr
    assert "no-new-privileges" in done.stderr
    assert shelf.left() == before
