"""Rows F of the catalogue: what an image, a runtime and a machine may try, against a real runc and what the kernel says."""

from __future__ import annotations

import gzip
import os
import pty
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, odd_apps
from tests.support.cli import COMMAND, variables
from tests.support.ports import ports
from tests.support.runbook import Book, book, get, heard, mounts, until
from tests.support.servers import free_port, need_user_namespaces
from tests.support.tools import need
from wherry.errors import UnavailableError
from wherry.kit.ports import Command, Completed
from wherry.model.image import Built
from wherry.oci.tar import Entry
from wherry.runtime.find import check, runtimes
from wherry.runtime.holes import Holes, holes
from wherry.runtime.look import parent_of
from wherry.runtime.oci import Runtime
from wherry.store import place as places
from wherry.store.places import at

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
        shelf.until_it_listens("fds")  # before that it may still be the runtime, with files of its own
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


TRIO = ("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881")
LATER = ("CVE-2026-41579",)


@pytest.mark.parametrize(
    ("name", "said", "wanted"),
    [
        ("runc", "1.1.5+ds1", TRIO + LATER), ("runc", "1.2.7", TRIO + LATER), ("runc", "1.2.8", LATER),
        ("runc", "1.3.2", TRIO + LATER), ("runc", "1.3.5", LATER), ("runc", "1.3.6", ()), ("runc", "1.4.0-rc.2", TRIO + LATER),
        ("runc", "1.4.2", LATER), ("runc", "1.4.3", ()), ("runc", "1.5.0-rc.2", LATER), ("runc", "1.5.0-rc.3", ()),
        ("runc", "1.5.0", ()), ("runc", "2.0.0", ()),
        ("crun", "1.8.1", ("CVE-2025-24965",)), ("crun", "1.20", ()),
    ],
)  # fmt: skip
def test_f02_each_version_has_its_holes(name: str, said: str, wanted: tuple[str, ...], tmp_path: Path) -> None:
    assert holes(name, said, f"/opt/{name}", tmp_path) == Holes(names=wanted)


def debian(root: Path, package: str, program: str, changelog: str) -> None:
    """What dpkg leaves of a package."""
    for folder in ("var/lib/dpkg/info", f"usr/share/doc/{package}", "usr/sbin", "usr/local/sbin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / f"var/lib/dpkg/info/{package}.list").write_text(f"/.\n{program}\n/usr/share/doc/{package}\n")
    (root / f"usr/share/doc/{package}/changelog.Debian.gz").write_bytes(gzip.compress(changelog.encode()))
    (root / "usr/sbin/runc").touch()


MENDED = "runc (1.1.5+ds1-1+deb12u2) bookworm-security\n  * CVE-2025-31133 and CVE-2025-52565\n"


@pytest.mark.parametrize(
    ("package", "program", "asked", "wanted"),
    [
        ("runc", "/usr/sbin/runc", "/usr/sbin/runc", Holes(names=("CVE-2025-52881", *LATER), packaged=True)),
        ("runc", "/sbin/runc", "/usr/sbin/runc", Holes(names=("CVE-2025-52881", *LATER), packaged=True)),
        ("containerd.io", "/usr/sbin/runc", "/usr/sbin/runc", Holes(names=TRIO + LATER)),
        ("runc", "/usr/sbin/runc", "/usr/local/sbin/runc", Holes(names=TRIO + LATER)),
    ],
    ids=["mended in part", "known by another name", "another's package", "beside it"],
)
def test_f02_a_distributions_package_is_what_its_changelog_says(
    package: str, program: str, asked: str, wanted: Holes, tmp_path: Path
) -> None:
    debian(tmp_path, package, program, MENDED)
    assert holes("runc", "1.1.5+ds1", asked, tmp_path) == wanted


def test_f02_where_there_is_no_dpkg_programs_below_usr_are_the_distributions(tmp_path: Path) -> None:
    assert holes("runc", "1.1.12", "/usr/bin/runc", tmp_path) == Holes(names=TRIO + LATER, packaged=True)
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/bin").symlink_to("/opt")
    assert not holes("runc", "1.1.12", "/usr/bin/runc", tmp_path).packaged, "where its links lead"


def runtime(name: str, said: str, program: str) -> Runtime:
    def run(command: Command, /) -> Completed:
        return Completed(code=0, stdout=f"{name} version {said}\nspec: 1.0.2\n".encode())

    def spawn(command: Command, /, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> None:
        raise AssertionError

    (found,) = runtimes(lambda one: program if one == name else "", run, spawn)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(("name", "said"), [("runc", "1.0.0-rc95"), ("crun", "0.18"), ("crun", "nonsense")])
def test_f02_what_cannot_do_its_work_is_refused_always(name: str, said: str) -> None:
    for relaxed in (False, True):
        with pytest.raises(UnavailableError, match="too old") as caught:
            check(runtime(name, said, f"/usr/bin/{name}"), relaxed=relaxed)
        assert caught.value.name == "old-runtime"


def test_f02_known_holes_are_refused_unless_asked_for() -> None:
    old = runtime("runc", "1.3.5", "/opt/runc")
    with pytest.raises(UnavailableError, match="CVE-2026-41579") as caught:
        check(old)
    assert caught.value.name == "old-runtime"
    assert [one.name for one in check(old, relaxed=True)] == ["old-runtime"]
    assert check(runtime("runc", "1.5.0", "/opt/runc")) == ()


STALE = """\
#!/bin/sh
[ "$*" = "--root / --version" ] && echo 'runc version {version}' && exit
exec {runc} "$@"
"""


def stale(shelf: Book, folder: Path, patch: pytest.MonkeyPatch, version: str = "1.3.5") -> None:
    """A runc of nobody's, with known holes, comes first in PATH."""
    (folder / "runc").write_text(STALE.format(runc=shutil.which("runc"), version=version))
    (folder / "runc").chmod(0o755)
    patch.setitem(shelf.environment, "PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("verb", ["run", "prove", "profile"])
def test_f02_a_runtime_of_nobodys(shelf: Book, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stale(shelf, tmp_path, monkeypatch)
    refused = shelf(verb, apps.place("exits"), "--engine", "runc")
    assert (refused.code, refused.stderr.count("error [old-runtime]")) == (4, 1), refused.stderr
    assert "--relax old-runtime" in refused.stderr
    assert "CVE-2026-41579" in " ".join(refused.stderr.split())
    if verb == "run":
        done = shelf("run", apps.place("exits"), "--engine", "runc", "--relax", "old-runtime")
        assert done.code == 0, done.stderr
        assert "warning [relaxed]: old-runtime" in done.stderr
        assert '"linux"' in shelf.good("run", apps.place("exits"), "--engine", "runc", "--print", "runc"), (
            "starts nothing"
        )


def test_f02_the_runtime_without_holes_is_taken(shelf: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("crun")
    stale(shelf, tmp_path, monkeypatch)
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "either")
    engine = shelf.json("inspect", "either")["engine"]
    shelf.good("rm", "--force", "either")
    assert engine.startswith("crun")


def test_f02_what_nobody_saw_was_not_told(shelf: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning comes once a day; a quiet run does not use it up."""
    stale(shelf, tmp_path, monkeypatch, "1.3.4")  # which no other test was told of
    until(lambda: time.time() % 86_400 < 86_280, patience=300)  # all of it on one day, of a busy machine, too
    words = (apps.place("exits"), "--engine", "runc", "--relax", "old-runtime")
    told = ["warning [old-runtime]" in shelf("run", *quiet, *words).stderr for quiet in (("-q",), (), ())]
    assert told == [False, True, False]


@pytest.mark.parametrize("engine", ["runc", "crun"])
def test_f03_an_image_whose_mount_points_lead_outside(engine: str, shelf: Book, tmp_path: Path) -> None:
    """CVE-2026-41579: what is laid upon /dev, /proc, /sys, /tmp, /etc/hosts and a volume stays in the container."""
    need(engine)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "hosts").write_text("mine")
    links = {one: str(outside) for one in ("dev", "proc", "sys", "tmp", "data")} | {"etc/hosts": f"{outside}/hosts"}
    tree = odd_apps.tree(*(Entry(path=path, kind="link", target=target) for path, target in links.items()))
    (tmp_path / "layers").mkdir()
    changed = odd_apps.changed(apps.made("good").image, odd_apps.Fault(archives=(tree,)), tmp_path / "layers")
    where, port = f"oci:{tmp_path}/layout:links", free_port()
    at(places.parse(where), ports(tmp_path)).publish(Built(name="links", version="1", content=changed))
    words = ("--engine", engine, "--name", "links", "-p", f"{port}:8080", "-v", f"{tmp_path / 'layers'}:/data:ro")
    shelf.good("run", "-q", "-d", where, *words)
    get(port, "/healthz")
    rows = Path(f"/proc/{shelf.containers()['links']['pid']}/mountinfo").read_text().splitlines()
    shelf.good("rm", "--force", "links")
    assert {"/dev", "/proc", "/sys", "/tmp", "/data", "/etc/hosts"} <= {row.split()[4] for row in rows}
    assert [(one.name, one.read_text()) for one in outside.iterdir()] == [("hosts", "mine")]
    assert not [line for line in mounts() if str(outside) in line]


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
    need_user_namespaces()
    uid = int(status(pid)["Uid"].split()[0])
    assert uid >= 0x30000000 + 65532
    first = Path(f"/proc/{pid}/uid_map").read_text().split()
    assert first[0] == "0"
    assert int(first[1]) == uid - 65532


@pytest.mark.parametrize("engine", ["runc", "crun"])
def test_f09_what_the_program_is_told_steers_no_runtime(engine: str, shelf: Book) -> None:
    need(engine)
    port = free_port()
    words = ("-e", "LD_PRELOAD=/nope.so", "-e", "PATH=/nope", "-e", "GODEBUG=x=y", "-p", f"{port}:8080")
    shelf.good("run", "-q", "-d", apps.place("good"), "--engine", engine, "--name", "told", *words)
    assert get(port, "/healthz")
    pid = int(shelf.containers()["told"]["pid"])
    inside, outside = (Path(f"/proc/{one}/environ").read_bytes() for one in (pid, parent_of(pid)))
    shelf.good("rm", "--force", "told")
    assert b"LD_PRELOAD=/nope.so" in inside, "the test can tell"
    assert all(word not in outside for word in (b"LD_PRELOAD", b"PATH=/nope", b"GODEBUG"))


def test_f10_the_runtime_is_not_the_hosts_file(pid: int) -> None:
    """CVE-2019-5736: what a container could have overwritten."""
    assert Path(f"/proc/{pid}/exe").resolve().name == "good"
    assert "/usr/sbin/runc" not in Path(f"/proc/{pid}/maps").read_text()


def test_f12_the_users_terminal_stays_outside(shelf: Book) -> None:
    """CVE-2017-5226: who has a terminal, or shares its session, can put words into it."""
    child, ours = pty.fork()
    if child == 0:
        environment = variables(shelf.folder / "home", **shelf.environment)
        os.execve(COMMAND[0], [*COMMAND, "run", "-q", apps.place("good"), "--name", "typed"], environment)
    try:
        heard(ours, b"listening on")
        pid = int(shelf.containers()["typed"]["pid"])
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        targets = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
        assert os.getsid(child) == child, "the test can tell"
        assert (int(stat[3]) != child, stat[4]) == (True, "0"), "session and terminal (proc_pid_stat(5))"
        assert not [one for one in targets if one.startswith(("/dev/pts", "/dev/tty"))]
    finally:
        os.kill(child, signal.SIGTERM)
        while select.select([ours], [], [], 20)[0]:
            try:
                os.read(ours, 4096)
            except OSError:
                break
        os.waitpid(child, 0)
        os.close(ours)


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
def test_f06_a_runtime_that_leaves_hardening_out_is_found_out(
    shelf: Book, tmp_path: Path, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F06: what the kernel says of the first process counts, not what the runtime was told."""
    runc = shutil.which("runc")
    fake = tmp_path / "runc"
    fake.write_text(FORGETFUL.format(python=sys.executable, runc=runc))
    fake.chmod(0o755)
    monkeypatch.setitem(shelf.environment, "PATH", f"{tmp_path}:{os.environ['PATH']}")
    before = shelf.left()  # of a container that other tests share
    done = shelf(*verb, apps.place("good"), "--engine", "runc", "--name", "loose", "--relax", "old-runtime")
    assert (done.code, done.stderr.count("error [reduced-isolation]")) == (4, 1), done.stderr
    assert "PASS" not in done.stdout
    assert "seccomp" in done.stderr
    assert "no-new-privileges" in done.stderr
    until(lambda: shelf.left() == before)
