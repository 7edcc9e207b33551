"""Looks with a container that says what a test wants: what they keep, whom they ask, with which limits they try."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER
from wherry.errors import UnavailableError
from wherry.flows.live import Live, Log
from wherry.flows.looks.scene import Scene, port_of
from wherry.flows.subject import Program
from wherry.kit.ports import Answer
from wherry.kit.value import Value
from wherry.model.container import Container, Limits, User
from wherry.model.observation import Expectations, Unseen
from wherry.model.plan import Health
from wherry.model.recording import FileUse, Recording
from wherry.model.trials import CpuTrial, MemoryTrial, Refused
from wherry.runtime.cgroups import Usage

MIB = 1 << 20
#: The modules: in their package, functions have the names of some.
besides, exercise, strangers, trials, writing = (
    importlib.import_module(f"wherry.flows.looks.{name}")
    for name in ("beside", "exercise", "strangers", "trials", "writing")
)


class Fake:
    """A container: what its group says look by look, and how it ends."""

    def __init__(self, *usages: Usage, code: int | None = None) -> None:
        self.pid, self.age, self.code = 1, 0.5, code
        self.log = SimpleNamespace(lines=lambda _: (), text=lambda: "")
        self._usages, self._last = iter(usages), Usage()

    def usage(self) -> Usage:
        self._last = next(self._usages, self._last)
        return self._last

    def wait(self, seconds: float) -> int | None:
        threading.Event().wait(min(seconds, 0.01))
        return self.code


def fake(*usages: Usage, code: int | None = None) -> Live:
    return cast("Live", Fake(*usages, code=code))


def scene_of(**fields: Any) -> Scene:
    given: dict[str, Any] = {"made": SimpleNamespace(container=CONTAINER), "expectations": Expectations(), "port": 8080}
    return cast("Scene", SimpleNamespace(**(given | fields)))


@pytest.mark.parametrize(
    ("ports", "health", "port"),
    [
        (("53/udp", "8080/tcp"), None, 8080),
        (("9090/tcp", "8080"), None, 8080),
        (("8080/tcp",), Health(port=9000, path="/h"), 9000),
        (("8080/tcp",), Health(command=("/wherry/probe", "9001", "/h")), 9001),
        (("8080/tcp",), Health(command=("/app/x", "9001", "/h")), 8080),
        (("53/udp",), None, 0),
        ((), None, 0),
    ],
)
def test_where_it_is_asked(ports: tuple[str, ...], health: Health | None, port: int) -> None:
    assert port_of(replace(CONTAINER, ports=ports, health=health)) == port


def test_a_trace_is_shown_as_it_is_set() -> None:
    """Go begins the lines of a trace with tabs; what else controls a terminal is shown and does nothing."""
    log = Log()
    log.write("stderr", b"main.main()\n\t/x/main.go:13 +0x48\n\n\x1b[2Jbye\n")
    assert log.lines() == ("main.main()", "    /x/main.go:13 +0x48", "\\x1b[2Jbye")


def test_the_most_that_was_seen_is_kept() -> None:
    looks = (Usage(needed=3, pids=9), Usage(needed=7, pids=4), Usage(needed=None, pids=None), Usage(needed=5, pids=1))
    sampled = exercise.Sampled(fake(*looks))
    for _ in looks:
        sampled.take()
    assert (sampled.memory, sampled.pids) == (7, 9)


def test_the_slow_route_has_a_caller_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others do not wait for it, and each route is asked."""
    monkeypatch.setattr(exercise, "ASKED", 0.1)
    callers: dict[str, set[int]] = {}

    def get(_: Live, route: str, *, seconds: float) -> Answer:
        callers.setdefault(route, set()).add(threading.get_ident())
        assert seconds == 0.1
        return Answer(status=200)

    asked = scene_of(get=get, expectations=Expectations(slow_route="/slow", ready_route="/readyz"))
    sampled = exercise.Sampled(fake())
    assert exercise._ask(asked, fake(), sampled) is None
    assert set(callers) == {"/", "/readyz", "/slow"}
    assert len(callers["/slow"]) == 1
    assert not callers["/slow"] & callers["/"]
    assert sampled.asked >= exercise.ENOUGH


@pytest.mark.parametrize(
    ("looks", "left"),
    [([()], ()), ([(7, 9), (7,), ()], ()), ([(7, 9), (9,), (9, 11)], (9,)), ([(7,), (7,), (7,)], (7,))],
    ids=["none", "all collected, late", "one stays", "the only one stays"],
)
def test_who_is_collected_late_is_not_left_behind(
    looks: list[tuple[int, ...]], left: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter(looks)
    monkeypatch.setattr(exercise, "zombies", lambda _: next(seen, looks[-1]))

    def until(what: Callable[[], bool], _: float) -> bool:
        return any(what() for _ in looks)

    assert exercise.left_behind(SimpleNamespace(pid=1, until=until, wait=lambda _: None)) == left


@pytest.mark.parametrize("base", [0, 100_000])
def test_a_stranger_is_not_its_own_user(base: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda _: (7).to_bytes(4, "big"))
    other = strangers._some_uid(replace(CONTAINER, id_base=base))
    same = strangers._some_uid(replace(CONTAINER, id_base=base, user=User(uid=other, gid=0)))
    assert other != same
    assert min(other, same) >= 10_000


@pytest.mark.parametrize(("code", "came_up"), [(0, (0.5, 0)), (3, (None, 3)), (None, (0.5, None))])
def test_what_serves_nothing_is_well_while_it_works_or_ends_with_0(
    code: int | None, came_up: tuple[float | None, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "WORKING", 0.0)
    assert strangers._came_up(scene_of(serves=False), fake(code=code), 1.0) == came_up


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a copy was started with, and what its test program says."""
    found: dict[str, Any] = {"said": {}, "usages": [], "limits": []}

    @contextlib.contextmanager
    def beside(_: Scene, *words: str, limits: Limits) -> Iterator[Live]:
        found["words"], found["limits"] = words, [*found["limits"], limits]
        yield fake(*found["usages"])

    monkeypatch.setattr(trials, "beside", beside)
    monkeypatch.setattr(trials, "said", lambda _: found["said"])
    monkeypatch.setattr(trials, "BURNING", 0.01)
    return found


def limited(**fields: Any) -> Scene:
    return scene_of(made=SimpleNamespace(container=replace(CONTAINER, limits=Limits(**fields))), processors=4)


@pytest.mark.parametrize(("said", "limit"), [(64 * MIB, 64 * MIB), (8192 * MIB, 512 * MIB)])
def test_no_trial_takes_a_machines_memory(said: int, limit: int, tried: dict[str, Any]) -> None:
    tried["said"] = {"memory": {"reached": 1, "killed": True}}
    seen = trials.memory(limited(memory=said))["memory"]
    assert isinstance(seen, MemoryTrial)
    assert (seen.limit, tried["limits"][0].memory, tried["words"]) == (limit, limit, ("memory", str(2 * limit)))


def test_children_have_room_for_themselves(tried: dict[str, Any]) -> None:
    """Else the limit on memory would be met before that on processes."""
    tried["said"] = {"pids": {"had": 1, "error": "x"}}
    trials.pids(limited(memory=16 * MIB, pids=256))
    trials.pids(limited(memory=512 * MIB, pids=256))
    assert [(one.pids, one.memory) for one in tried["limits"]] == [(256, 64 * MIB), (256, 512 * MIB)]


@pytest.mark.parametrize(
    ("cpus", "throttled", "limits", "own"),
    [(2.0, 5, [2.0], True), (2.0, 0, [2.0, 0.1], False), (4.0, 5, [0.1], False), (0.05, 0, [0.05, 0.05], True)],
)
def test_a_limit_that_cannot_be_met_here_is_tried_smaller(
    cpus: float, throttled: int, limits: list[float], own: bool, tried: dict[str, Any]
) -> None:
    tried["usages"] = [Usage(cpu_seconds=0.0, throttled=0), Usage(cpu_seconds=0.1, throttled=throttled)]
    seen = trials.cpu(limited(cpus=cpus))["cpu"]
    assert isinstance(seen, CpuTrial)
    assert ([one.cpus for one in tried["limits"]], seen.own) == (limits, own)


WRITTEN = tuple(FileUse(path=path, intent="write", state="denied") for path in ("/srv", "/srv/new"))


def watched(
    root: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch, *, worked: bool = True
) -> dict[str, object]:
    monkeypatch.setattr(writing, "_recorded", lambda *_: (recording, worked))
    made = SimpleNamespace(
        container=CONTAINER, runtime=SimpleNamespace(name="runc"), root=SimpleNamespace(path=str(root))
    )
    return cast("dict[str, object]", writing.writing(scene_of(made=made)))


def test_a_folder_that_is_there_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "srv").mkdir()
    found = watched(tmp_path, Recording(files=WRITTEN, started=True), monkeypatch)
    assert found == {"refused": Refused(paths=("/srv/new",))}


def test_who_never_came_to_its_work_may_write_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wanted before was seen; that it wants nothing was not."""
    found = watched(tmp_path, Recording(files=WRITTEN, started=True), monkeypatch, worked=False)
    assert found == {"refused": Refused(paths=tuple(one.path for one in WRITTEN))}
    assert isinstance(watched(tmp_path, Recording(started=True), monkeypatch, worked=False)["refused"], Unseen)


@pytest.mark.parametrize(
    "recording", [Recording(started=False), Recording(started=True, trouble="calls were lost"), Recording()]
)
def test_a_recording_that_is_not_whole_is_none(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnavailableError):
        watched(tmp_path, recording, monkeypatch)


class Its(Value, frozen=True, kw_only=True):
    """As much of a subject as a copy is made of."""

    platform: str = "linux/amd64"
    programs: tuple[Program, ...] = ()


class Copied(Value, frozen=True, kw_only=True):
    """As much of what was made."""

    subject: Its = Its()
    container: Container


def test_a_copy_is_the_container_but_for_its_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder, its health and an init are the application's: the test program needs none, and a folder may be closed to it."""
    own = replace(CONTAINER, directory="/srv", init=True, health=Health(port=8080, path="/"))
    started: list[tuple[Copied, Container]] = []

    @contextlib.contextmanager
    def live(made: Copied, _: object, change: Callable[[Container], Container]) -> Iterator[Live]:
        started.append((made, change(made.container)))
        yield fake()

    monkeypatch.setattr(besides, "live", live)
    tester = SimpleNamespace(program=lambda platform: f"/inside-{platform}")
    with besides.beside(scene_of(made=Copied(container=own), tester=tester, machine=None), "look", "/tmp"):
        ((made, copy),) = started
    assert made.subject.programs == (Program(file="/inside-linux/amd64", path=besides.PATH),)
    assert copy == replace(
        own, arguments=(besides.PATH, "look", "/tmp"), directory="/", health=None, init=False, limits=own.limits
    )
