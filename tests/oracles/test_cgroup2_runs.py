"""wherry's own containers where control groups are of version 2: limits as root and delegated to users, the same verdicts as
here. In an emulated machine of each Debian release, by runc and crun; the result is written to docs/oracles.md."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import apps, opinions
from tests.support.cli import COMMAND
from tests.support.examples import Build
from tests.support.servers import need_root
from tests.support.tools import need
from tests.support.vm import Kind, run_in_vm
from tests.support.vm_root import PYTHONS

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

GUEST = Path(__file__).parents[1] / "support/guest_runs.py"
ENGINES = ("runc", "crun")
ROWS = tuple(
    f"{user}:{engine}:{group}"
    for user, groups in (("root", ("none",)), ("ada", ("none", "own")), ("bob", ("none", "own")))
    for engine in ENGINES
    for group in groups
)
"""ada has subordinate ids, bob has not; `own`: a control group is delegated."""
MANAGED = tuple(f"{user}:{engine}:systemd" for user in ("ada", "bob") for engine in ENGINES)
"""Users with a session of systemd, which makes their control groups."""
APPS = ("good", "nosigterm", "leaks", "burns", "forks")
WORDS = ("--all", "--slow-route", "/slow")
TIMED = frozenset({"cpu", "drain", "memory", "ready"})
"""Checks that a processor ten times slower may fail where a real one does not."""
GONE = {("bookworm", "crun"): {"leaks": frozenset({"cpu", "pids", "reap"})}}
"""crun before 1.21 takes the group away with a killed program: what it alone could say is unknown, never passed. Who was killed
at the memory limit is in the kernel's log."""
SHORT_LIVED = {"leaks": frozenset({"pids", "reap"})}
"""What is seen of it in time: its limit kills it sooner or later."""
VERDICT = re.compile(r"^(PASS|FAIL|SKIP|UNKNOWN) +([a-z-]+) ", re.MULTILINE)
OUTSIDE = {"ada": 100000 + 65531, "bob": 1001}


@pytest.fixture(scope="module", params=PYTHONS)
def runs(request: pytest.FixtureRequest, example: Build) -> dict[str, dict[str, Any]]:
    files = {"layout": example("http-api").layout, "runs.py": GUEST}
    done = run_in_vm(
        f"python3 runs.py {' '.join(ROWS)}", files, kind=Kind(release=request.param, memory_mb=1024), timeout=300
    )
    assert done.code == 0, f"{done.stderr}\n{done.console[-2000:]}"
    rows = {row["row"]: row for row in json.loads(done.stdout)}
    record(str(request.param), rows)
    return rows


def record(release: str, rows: dict[str, dict[str, Any]]) -> None:
    head = ("user:engine:delegated", "answer", "uid outside", "memory.max", "cpu.max", "pids.max", "exit")
    cells = tuple(
        (
            name,
            str(row.get("answer")),
            row["status"]["Uid"][0] if name[:4] != "root" else "of nobody",
            *(row["files"].get(file, "") for file in ("memory.max", "cpu.max", "pids.max")),
            str(row["code"]),
        )
        for name, row in rows.items()
    )
    text = (
        "`wherry run` in an emulated machine: one container of each user and runtime, and what its control group says."
    )
    opinions.record(f"cgroup v2, Debian {release}", text, "", *opinions.table(head, cells))


@pytest.mark.parametrize("row", ROWS)
def test_it_answers_hardened_and_leaves_nothing(row: str, runs: dict[str, dict[str, Any]]) -> None:
    seen = runs[row]
    assert (seen.get("answer"), seen["code"]) == (200, 0), seen["log"]
    status = seen["status"]
    assert {status[name][0] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])
    assert seen["shared"] == []
    assert "ro" in seen["root"].split(",")
    assert seen["left"] == []


@pytest.mark.parametrize("row", ROWS)
def test_its_user_is_who_it_should_be(row: str, runs: dict[str, dict[str, Any]]) -> None:
    user, engine, _ = row.split(":")
    seen = runs[row]
    outside = int(seen["status"]["Uid"][0])
    if user == "root":
        assert outside > 1 << 29, "an id that nobody has"
    else:
        assert outside == OUTSIDE[user]
    inside = "0:0" if (user, engine) == ("bob", "runc") else "65532:65532"
    assert re.search(rf"^  user +{inside} ", seen["log"], re.MULTILINE), seen["log"]


@pytest.mark.parametrize("row", ROWS)
def test_limits_are_there_or_said_to_be_missing(row: str, runs: dict[str, dict[str, Any]]) -> None:
    user, _, group = row.split(":")
    seen = runs[row]
    limits = tuple(seen["files"][name] for name in ("memory.max", "memory.swap.max", "cpu.max", "pids.max"))
    if user != "root" and group == "none":
        assert limits == ("max", "max", "max 100000", "max")
        assert "[no-limits]" in seen["log"]
        return
    above = f"/user-{1000 if user == 'ada' else 1001}" if user != "root" else ""
    assert re.fullmatch(rf"{above}/wherry-[0-9a-f]+", seen["group"])
    assert limits == (str(256 << 20), "0", "100000 100000", "256")
    assert "[no-limits]" not in seen["log"]


@pytest.fixture(scope="module", params=PYTHONS)
def managed(request: pytest.FixtureRequest, example: Build) -> dict[str, dict[str, Any]]:
    files = {"layout": example("http-api").layout, "runs.py": GUEST}
    kind = Kind(release=request.param, memory_mb=1024, systemd=True)
    done = run_in_vm(f"python3 runs.py {' '.join(MANAGED)}", files, kind=kind, timeout=300)
    assert done.code == 0, f"{done.stderr}\n{done.console[-2000:]}"
    rows = {row["row"]: row for row in json.loads(done.stdout)}
    record(f"{request.param} with systemd", rows)
    return rows


@pytest.mark.parametrize("row", MANAGED)
def test_a_users_systemd_limits(row: str, managed: dict[str, dict[str, Any]]) -> None:
    user, engine, _ = row.split(":")
    seen = managed[row]
    assert (seen.get("answer"), seen["code"], seen["left"]) == (200, 0, []), seen["log"]
    number = 1000 if user == "ada" else 1001
    above = f"/user.slice/user-{number}.slice/user@{number}.service/user.slice"
    leaf = "(/container)?" if engine == "crun" else ""
    assert re.fullmatch(rf"{above}/wherry-[0-9a-f]+\.scope{leaf}", seen["group"])
    assert seen["limits"] == {"memory.max": str(256 << 20), "cpu.max": "100000 100000", "pids.max": "256"}
    assert "[no-limits]" not in seen["log"]


def verdicts(text: str) -> dict[str, str]:
    """By check. AppArmor is the host's."""
    return {check: verdict for verdict, check in VERDICT.findall(text) if check != "apparmor"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the compiled test program of `wherry prove` once somebody has proved here: the machine has no Go."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def here(cache: Path) -> dict[str, dict[str, str]]:
    """What this machine says, by runc."""
    need("runc", "go")
    need_root()
    apps.build(APPS)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    said = {}
    for name in APPS:
        command = [*COMMAND, "prove", "--engine", "runc", *WORDS, apps.place(name)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
        said[name] = verdicts(done.stdout)
        assert said[name].get("start"), done.stderr
    return said


@pytest.mark.parametrize("release", PYTHONS)
def test_proofs_say_the_same(release: str, here: dict[str, dict[str, str]], cache: Path) -> None:
    places = {name: Path(apps.place(name).removeprefix("oci:")) for name in APPS}
    layouts = {Path(str(place).rpartition(":")[0]) for place in places.values()}
    files = {f"apps/{layout.name}": layout for layout in layouts}
    lines = ["export XDG_CACHE_HOME=/shared/cache"]
    for engine in ENGINES:
        for name, place in places.items():
            command = " ".join((f"wherry prove --engine {engine}", *WORDS, f"oci:/shared/apps/{place.name}"))
            lines += [f"echo '== {engine} {name}'", f"{command} 2>&1"]
    kind = Kind(release=release, memory_mb=1024)
    done = run_in_vm("\n".join((*lines, "true")), {"cache": cache, **files}, kind=kind, timeout=900)
    assert done.code == 0, f"{done.stderr}\n{done.console[-2000:]}"
    parts = re.split(r"^== (\w+ \w+)\n", done.stdout, flags=re.MULTILINE)[1:]
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    assert set(said) == {f"{engine} {name}" for engine in ENGINES for name in APPS}
    record_proofs(release, {head: verdicts(text) for head, text in said.items()})
    wrong = {
        head: why
        for head, text in said.items()
        if (why := differences(verdicts(text), here[head.split()[1]], head, release))
    }
    assert not wrong, "\n".join(f"{head}: {why}\n{said[head]}" for head, why in wrong.items())


def differences(there: dict[str, str], here: dict[str, str], head: str, release: str) -> list[str]:
    """What is not as here; of TIMED only that what must fail does."""
    engine, app = head.split()
    unseen = GONE.get((release, engine), {}).get(app, frozenset())
    found = [
        f"{check} is {there.get(check)} and must fail"
        for check in apps.verdicts()[app].fails
        if there.get(check) != ("UNKNOWN" if check in unseen else "FAIL")
    ]
    others = sorted((there.keys() | here.keys()) - TIMED - unseen - SHORT_LIVED.get(app, frozenset()))
    return found + [
        f"{one} is {there.get(one)}, here {here.get(one)}" for one in others if there.get(one) != here.get(one)
    ]


def record_proofs(release: str, said: dict[str, dict[str, str]]) -> None:
    names = sorted({check for found in said.values() for check, verdict in found.items() if verdict != "SKIP"})
    rows = tuple((head, *(found.get(name, "").lower() for name in names)) for head, found in said.items())
    text = "`wherry prove` in an emulated machine, about ten times slower than a real one."
    opinions.record(f"cgroup v2, proofs on Debian {release}", text, "", *opinions.table(("engine, app", *names), rows))
