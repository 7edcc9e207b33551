"""What `wherry prove` tries in copies of a container: each check has an application that must fail it, and the good one passes;
what is said holds against /proc and the control groups' own files, read here."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import apps
from tests.support.contained import Case, case
from tests.support.ports import HOST
from tests.support.tools import need
from wherry.flows import looks
from wherry.flows.container import RunRequest, make
from wherry.flows.live import live
from wherry.flows.looks.beside import PATH, beside, said
from wherry.flows.looks.links import linked
from wherry.flows.looks.stopping import HEAD_START, stopping
from wherry.flows.looks.tester import SOURCES
from wherry.flows.prove import Proof, ProveRequest, prove
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.judge import CHECKS
from wherry.kit.ports import Answer, Command, Completed
from wherry.model.container import Options
from wherry.model.observation import Drain, Expectations
from wherry.model.trials import Emulated, Links, Writes
from wherry.model.verdict import Verdict
from wherry.toolchain import find_toolchain

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("apps")]

MINE = ("rootfs", "memory", "cpu", "pids", "reap", "tls", "zones", "dns", "users", "random-uid", "arm64")
WANTED = Expectations(slow_route="/slow?ms=300", ready_route="/readyz", start=30.0)
FAULTY = tuple(name for name, row in apps.verdicts().items() if set(row.fails) & set(MINE))
#: No fault in what is tried here, and what the checks say that are not passed.
SOUND: dict[str, dict[str, str]] = {
    "good": {"reap": "SKIP", "tls": "SKIP", "zones": "SKIP", "dns": "SKIP", "users": "SKIP", "arm64": "SKIP"},
    "good-both": {"reap": "SKIP", "tls": "SKIP", "zones": "SKIP", "dns": "SKIP", "users": "SKIP", "arm64": "PASS"},
    "hello": {"memory": "SKIP", "cpu": "SKIP", "pids": "SKIP", "reap": "SKIP", "random-uid": "PASS"},
    "fills": {"rootfs": "PASS", "memory": "PASS"},
    "writes-declared": {"rootfs": "PASS", "random-uid": "PASS"},
    "needsca-static": {"tls": "PASS"},
    "needszones-static": {"zones": "PASS", "tls": "SKIP"},
    "zones-inside": {"zones": "PASS"},
    "needsdns": {"dns": "PASS"},
    "needsdns-static": {"dns": "PASS"},
    "needsuser-static": {"users": "PASS"},
}


@pytest.fixture(scope="module")
def runc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    need("runc", "go")
    with case("runc", tmp_path_factory.mktemp("trials")) as made:
        apps.build((*apps.PROGRAMS,))
        yield made


@pytest.fixture(scope="module")
def scene(runc: Case) -> Iterator[looks.Scene]:
    """The good application, to be looked at."""
    with Session(runc.machine) as session:
        request = RunRequest(subject=apps.place("good"), engine="runc", options=Options(cpus="0.5", memory="64m"))
        made = make(request, runc.machine, session)
        tester = looks.Tester(runc.machine, session.scratch)
        yield looks.Scene(
            made=made, machine=runc.machine, expectations=WANTED, run=request, session=session, tester=tester
        )


def proved(one: Case, name: str, *only: str, **options: object) -> Proof:
    run = RunRequest(subject=apps.place(name), engine=one.engine, options=Options(**options))  # type: ignore[arg-type]
    return prove(ProveRequest(run=run, only=only or (*MINE, "start"), expectations=WANTED), one.machine)


def by_name(proof: Proof) -> dict[str, Verdict]:
    return {one.check: one for one in proof.verdicts}


def emulator(name: str, wanted: str) -> None:
    """For the images that need one."""
    if name == wanted:
        need("qemu-aarch64-static")
        if HOST.architecture == "arm64":
            pytest.skip("arm64 needs no emulator here")


def test_each_check_has_one_that_fails_it() -> None:
    assert {check for name in FAULTY for check in apps.verdicts()[name].fails if check in MINE} == set(MINE)
    assert set(MINE) <= {check.name for check in CHECKS}


def test_a_fault_under_the_emulator_is_found_and_no_other(runc: Case) -> None:
    """All others: tests/e2e/test_verdicts.py."""
    emulator("", "")
    found = proved(runc, "other-index")
    failed = tuple(one.check for one in found.verdicts if one.outcome == "FAIL")
    assert failed == apps.verdicts()["other-index"].fails, found.verdicts


@pytest.mark.parametrize("name", SOUND)
def test_who_has_none_fails_nothing(name: str, runc: Case) -> None:
    emulator(name, "good-both")
    found = by_name(proved(runc, name))
    said = {check: one.outcome for check, one in found.items()}
    assert [one for one in found.values() if one.outcome == "FAIL"] == []
    assert [one for one in found.values() if one.outcome == "UNKNOWN" and not one.host] == []
    assert said | SOUND[name] == said
    if name.startswith("good"):
        assert [check for check in MINE if said[check] == "SKIP"] == [
            check for check, outcome in SOUND[name].items() if outcome == "SKIP"
        ]


def test_a_package_for_two_processors(runc: Case) -> None:
    """It is compiled for each of them, and the other one is emulated."""
    emulator("", "")
    build = BuildRequest(directory=str(apps.repository()), assignments=('platforms=["linux/amd64", "linux/arm64"]',))
    run = RunRequest(subject="./cmd/good", build=build, engine="runc")
    found = prove(ProveRequest(run=run, only=("start", "arm64"), expectations=WANTED), runc.machine)
    assert [one.outcome for one in found.verdicts] == ["PASS", "PASS"], found.verdicts
    assert isinstance(found.observed.emulated, Emulated)
    assert found.observed.emulated.answer == "GET /healthz 200"


@pytest.mark.parametrize("check", ["rootfs", "memory", "cpu", "pids"])
def test_what_is_relaxed_fails(check: str, runc: Case) -> None:
    word = "rootfs" if check == "rootfs" else "limits"
    assert by_name(proved(runc, "good", check, relax=(word,)))[check].outcome == "FAIL"


def group(pid: int, controller: str) -> Path:
    """The folder of the control group, found here."""
    lines = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    for _, names, path in lines:
        if controller in names.split(","):
            return Path("/sys/fs/cgroup", controller, path.strip("/"))
    return Path("/sys/fs/cgroup", next(path for _, names, path in lines if not names).strip("/"))


def number(folder: Path, *files: str) -> int:
    """Of the first file that is there; `FILE:KEY` for a row."""
    for file in files:
        name, _, key = file.partition(":")
        if (folder / name).exists():
            text = (folder / name).read_text()
            found = re.search(rf"^{key} (\d+)$" if key else r"^(\d+)", text, re.MULTILINE)
            assert found, f"{file}: {text}"
            return int(found[1])
    raise AssertionError(f"{folder} has none of {files}")


def test_the_kernel_counts_the_kill(scene: looks.Scene) -> None:
    with beside(scene, "memory", str(128 << 20)) as one:
        found = said(one)["memory"]
        folder = group(one.pid, "memory")
        assert number(folder, "memory.limit_in_bytes", "memory.max") == 64 << 20
        assert number(folder, "memory.oom_control:oom_kill", "memory.events:oom_kill") == 1
        assert one.wait(0.0) is None, "the child was killed, and the container lives"
    assert found["killed"]
    assert 32 << 20 < found["reached"] <= 64 << 20


def test_the_kernel_holds_processors_back(scene: looks.Scene) -> None:
    with beside(scene, "burn", limits=replace(scene.made.container.limits, cpus=0.1)) as one:
        folder, spent = group(one.pid, "cpu"), group(one.pid, "cpuacct")
        one.wait(0.2)

        def used() -> float:
            if (spent / "cpuacct.usage").exists():
                return number(spent, "cpuacct.usage") / 1e9
            return number(folder, "cpu.stat:usage_usec") / 1e6

        began, before, waited = time.monotonic(), used(), number(folder, "cpu.stat:nr_throttled")
        one.wait(1.0)
        assert used() - before < 0.15 * (time.monotonic() - began)
        assert number(folder, "cpu.stat:nr_throttled") > waited


def test_the_kernel_refuses_processes(scene: looks.Scene) -> None:
    with beside(scene, "pids", "300") as one:
        found = said(one)["pids"]
        folder = group(one.pid, "pids")
        assert number(folder, "pids.max") == 256
        assert number(folder, "pids.events:max") >= 1
        assert number(folder, "pids.current") < 64, "its children are gone again"
    assert 200 < found["had"] < 256
    assert found["error"] == "resource temporarily unavailable"


def test_requests_that_come_late_are_under_way_before_it_is_stopped(scene: looks.Scene) -> None:
    """A busy machine sends them late; those that meet a closed port would count as lost."""
    wanted = replace(WANTED, slow_route="/slow?ms=4000", tries=1)

    def ask(pid: int, port: int, path: str, /, seconds: float = 5.0) -> Answer:
        time.sleep(4 * HEAD_START if path == wanted.slow_route else 0.0)
        return scene.machine.ask(pid, port, path, seconds)

    late = replace(scene, machine=replace(scene.machine, ask=ask), expectations=wanted)
    seen = stopping(late)["drain"]
    assert isinstance(seen, Drain)
    assert [one.status for one in seen.tries[0].answers] == [200] * WANTED.requests


STATUS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")


def status(pid: int) -> dict[str, str]:
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: rows[name].strip() for name in STATUS}


def mounts(pid: int) -> list[list[str]]:
    return [line.split()[1:4] for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]


def test_a_copy_is_what_the_application_is(scene: looks.Scene) -> None:
    """The same user, rights, root and mounts, but for the program itself."""
    before = listing(Path(scene.made.root.path))
    with beside(scene, "pids", "1") as copy, live(scene.made, scene.machine) as app:
        said(copy)
        assert status(copy.pid) == status(app.pid)
        assert Path(f"/proc/{copy.pid}/root").stat().st_ino == Path(f"/proc/{app.pid}/root").stat().st_ino
        added = [row for row in mounts(copy.pid) if row not in mounts(app.pid)]
        assert [row[0] for row in added] == [PATH]
        assert Path(f"/proc/{copy.pid}/root{PATH}").stat().st_mode & stat.S_IXOTH
    assert listing(Path(scene.made.root.path)) == before, "nothing is left in the image"


def listing(root: Path) -> list[tuple[str, int, int]]:
    found = [(str(path.relative_to(root)), path.lstat()) for path in root.rglob("*")]
    return sorted((name, one.st_mode, one.st_ino) for name, one in found)


def test_writes_are_the_kernels_own_answers(runc: Case) -> None:
    """Each folder and file of the root was tried: as many as there are."""
    found = proved(runc, "good", "rootfs").observed
    assert isinstance(found.writes, Writes)
    root = Path(runc.made(apps.place("good")).root.path)
    there = [path for path in root.rglob("*") if path.is_dir() or (path.is_file() and not path.is_symlink())]
    assert found.writes.tried >= 2 * len(there) * 0.95
    assert sum(times for _, times in found.writes.refused) == found.writes.tried
    assert set(found.writes.writable) == {"/home/nonroot", "/tmp"}


def test_zombies_are_what_proc_says(runc: Case) -> None:
    with runc.started(apps.place("zombies")) as one:
        end = time.monotonic() + 60
        while time.monotonic() < end and "Z" not in states(one.pid):
            time.sleep(0.1)
        assert "Z" in states(one.pid)


def states(parent: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        found += [state] if int(above) == parent else []
    return found


def test_the_test_program_is_compiled_once(runc: Case) -> None:
    """Go is not even asked for its version afterwards."""
    proved(runc, "good", "tls", "users", "rootfs")
    asked: list[tuple[str, ...]] = []

    def run(command: Command, /) -> Completed:
        asked.append(command.argv)
        return runc.machine.run(command)

    run.stop = runc.machine.run.stop  # type: ignore[attr-defined]
    deaf = replace(runc.machine, run=run, which=lambda name: "" if name == "go" else runc.machine.which(name))
    request = RunRequest(subject=apps.place("good"), engine="runc")
    found = prove(ProveRequest(run=request, only=("rootfs",), expectations=WANTED), deaf)
    assert [one.outcome for one in found.verdicts] == ["PASS"]
    assert [argv for argv in asked if Path(argv[0]).name == "go"] == []


def test_without_go_it_is_not_seen(runc: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(find_toolchain.__kwdefaults__ or {}, "wheel_root", lambda: "")
    variables = tuple(
        (name, str(tmp_path / "empty") if name == "WHERRY_CACHE_DIR" else value)
        for name, value in runc.machine.variables
    )
    environment = replace(runc.machine.environment, path="/nowhere")
    bare = replace(runc.machine, variables=variables, environment=environment, which=which_but_go(runc))
    request = RunRequest(subject=apps.place("good"), engine="runc")
    found = prove(ProveRequest(run=request, only=("rootfs", "random-uid"), expectations=WANTED), bare)
    rootfs, stranger = found.verdicts
    assert (rootfs.outcome, rootfs.host, "[no-go]" in rootfs.summary) == ("UNKNOWN", True, True), rootfs
    assert stranger.outcome == "PASS"


def which_but_go(one: Case) -> object:
    return lambda name: "" if name == "go" else one.machine.which(name)


def test_what_programs_link(runc: Case) -> None:
    """As `go tool nm` tells of the same program before it was stripped."""
    found = {
        name: linked(apps.program(name)) for name in ("good", "needsca", "needszones", "needsdns", "needsuser", "forks")
    }
    assert found["good"] == Links()
    assert found["needsca"] == Links(tls="crypto/x509.SystemCertPool", names="net/http.(*Transport).dialConn")
    assert found["needszones"] == Links(zones="time.LoadLocation")
    assert found["needsdns"] == Links(names="net.(*Resolver).LookupHost")
    assert found["needsuser"] == Links(users="os/user.Current")
    assert found["forks"] == Links(children="os.StartProcess")


def test_its_sources_are_tidy() -> None:
    need("go", "gofmt")
    assert subprocess.run(["gofmt", "-l", "."], cwd=SOURCES, capture_output=True, text=True, check=True).stdout == ""
    listed = subprocess.run(
        ["go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "."],
        cwd=SOURCES, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.split() == ["example.com/wherry/inside"], "the standard library alone"
    all_of_them = subprocess.run(["go", "list", "-deps", "."], cwd=SOURCES, capture_output=True, text=True, check=True)
    assert "time/tzdata" not in all_of_them.stdout.split()
    for architecture in ("amd64", "arm64"):
        vet = subprocess.run(
            ["go", "vet", "."], cwd=SOURCES, env={**os.environ, "GOARCH": architecture, "CGO_ENABLED": "0"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert vet.returncode == 0, vet.stderr
