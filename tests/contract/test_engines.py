"""One contract of all engines: the same Container is the same container, as the kernel sees it, and fails in the same words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tests.support import odd_apps
from tests.support.contained import Case, case, image
from tests.support.kernel_facts import mounts_of, seen, wanted
from tests.support.servers import need_no_chroot
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.flows import attend
from wherry.flows.container import placed
from wherry.flows.run import Watcher, foreground
from wherry.model.container import Container, Options
from wherry.runtime import client, engines
from wherry.runtime.arguments import CLIENTS
from wherry.runtime.client import name_of

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

ENGINES = ("runc", "crun", "docker", "podman")
#: What an engine cannot do, fact by fact. A fact that differs and is not here fails; so does one here that does not differ.
DIFFERENT: dict[str, dict[str, str]] = {
    "docker": {
        "umask": "there is no flag for it",
        "tmpfs /data": "only a volume, on the disk, gets what the image has there",
    },
}
#: The same with a capability.
AMBIENT = {"docker": frozenset({"CapEff", "CapPrm", "CapInh", "CapAmb"})}
#: The same as root: podman gives memory to the container's user, or to root.
AS_ROOT = {"podman": frozenset({"tmpfs /data", "tmpfs /home/nonroot"})}
MOST_DIFFERENT = 5
"""Of about 30 facts, for any engine."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Each engine in turn."""
    need(request.param)
    with case(request.param, tmp_path_factory.mktemp("engine")) as made:
        yield made


def differences(pid: int, container: Container) -> dict[str, tuple[object, object]]:
    """Facts that are otherwise than decided: what was wanted, what was seen."""
    decided, found = wanted(container), seen(pid, container)
    assert decided.keys() == found.keys()
    assert len(decided) > 25
    return {name: (decided[name], found[name]) for name in decided if decided[name] != found[name]}


def test_what_was_decided_is_what_the_kernel_sees(engine: Case) -> None:
    options = Options(
        memory="64m", cpus="0.5", pids=50, files=512, hostname="box", directory="/app", tmpfs=("/scratch:1m",),
        environment=("GREETING=a 'b' \"c\"", "LINES=one\ntwo", "EMPTY=", "PLAIN=#1"), arguments=("wait", "two words", ""),
    )  # fmt: skip
    with engine.started(image(), options) as running:
        running.said("host box")
        found = differences(running.pid, running.container)
    assert found.keys() == DIFFERENT.get(engine.engine, {}).keys(), found
    assert len(found) <= MOST_DIFFERENT


def test_a_capability_is_given_and_no_more(engine: Case) -> None:
    options = Options(capabilities=("NET_BIND_SERVICE",), relax=("limits",))
    with engine.started(image(), options) as running:
        running.said("host")
        found = differences(running.pid, running.container)
    assert found.keys() == DIFFERENT.get(engine.engine, {}).keys() | AMBIENT.get(engine.engine, frozenset()), found


def test_what_is_relaxed_is_relaxed(engine: Case) -> None:
    relaxed = ("limits", "masks", "privileges", "rootfs", "seccomp", "user", "userns")
    with engine.started(image(), Options(relax=relaxed, user="0:0", network="host")) as running:
        running.said("host")
        found = differences(running.pid, running.container)
    assert found.keys() == DIFFERENT.get(engine.engine, {}).keys() | AS_ROOT.get(engine.engine, frozenset()), found


def test_ports_below_1024_need_the_capability(engine: Case) -> None:
    with engine.started(image()) as running:
        running.said("host")
        words = [
            "nsenter",
            "--target",
            str(running.pid),
            "--net",
            "cat",
            "/proc/sys/net/ipv4/ip_unprivileged_port_start",
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1024"


def test_files_of_this_machine(engine: Case, tmp_path: Path) -> None:
    secret, folder = tmp_path / "token", tmp_path / "a, b"
    secret.write_text("s3cret")
    folder.mkdir()
    (folder / "seen").write_text("yes")
    options = Options(volumes=(f"{folder}:/given:ro",), secrets=(f"token={secret}",))
    with engine.started(image(), options) as running:
        running.said("host")
        root, mounts = Path(f"/proc/{running.pid}/root"), mounts_of(running.pid)
        user = Path(f"/proc/{running.pid}").stat().st_uid
        assert (root / "given/seen").read_text() == "yes"
        assert {"ro", "nosuid", "nodev"} <= set(mounts["/given"][5].split(",")) | OWNERLESS.get(engine.engine, set())
        status = (root / "run/secrets/token").stat()
        assert (status.st_uid, oct(status.st_mode & 0o777)) == (user, "0o400")
        assert (root / "run/secrets/token").read_text() == "s3cret"
        assert "s3cret" not in Path(f"/proc/{running.pid}/environ").read_text()


#: Docker mounts folders with the options that they have on this machine.
OWNERLESS = {"docker": {"nosuid", "nodev"}}


def test_folders_of_the_programs_user_keep_what_is_in_them(engine: Case) -> None:
    with engine.started(image()) as running:
        running.said("host")
        assert "/data" in [one.path for one in running.container.tmpfs]
        assert Path(f"/proc/{running.pid}/root/data/seed").read_text() == "sown\n"


@pytest.mark.parametrize(("path", "text"), [("/data/seed", "sown\n"), ("/etc/key", "turned\n")])
def test_what_is_closed_to_others_is_open_to_its_user(engine: Case, path: str, text: str) -> None:
    with engine.started(image(), Options(arguments=("read", path))) as running:
        end = attend.until_end(running.one, engine.machine)
    assert (end.code, running.log.text()) == (0, text)
    assert engine.engine in CLIENTS or running.container.user_namespace, "or nothing would be shown"


@pytest.mark.parametrize("code", [0, 3, 125, 127])
def test_the_programs_exit_code_and_words(engine: Case, code: int) -> None:
    with engine.started(image(), Options(arguments=("exit", str(code)))) as running:
        end = attend.until_end(running.one, engine.machine)
    assert (end.code, end.why, end.out_of_memory) == (code, "exited", False)
    assert running.log.text() == "going\n", "stderr, and nothing of the engine's"


def test_a_graceful_stop(engine: Case) -> None:
    with engine.started(image()) as running:
        running.said("host")
        end = attend.stop(running.one, engine.machine)
    assert (end.code, end.why) == (7, "stopped")


def test_the_engine_sends_signals_too(engine: Case) -> None:
    """For whoever may not signal the program itself."""
    with engine.started(image()) as running:
        running.said("host")
        engines.signal(running.one.runtime, running.place, 15)
        end = attend.until_end(running.one, engine.machine)
    assert end.code == 7


def test_whoever_does_not_stop_is_killed(engine: Case) -> None:
    with engine.started(image(), Options(arguments=("stay",), grace=0.3)) as running:
        running.said("host")
        end = attend.stop(running.one, engine.machine)
    assert (end.code, end.why) == (137, "killed")


def test_too_much_memory(engine: Case) -> None:
    with engine.started(image(), Options(arguments=("eat",), memory="16m")) as running:
        end = attend.until_end(running.one, engine.machine)
    assert (end.code, end.out_of_memory) == (137, True)


@pytest.mark.parametrize("engine", CLIENTS, indirect=True)
def test_too_much_memory_before_anybody_looked(engine: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it has ended when the engine is first asked for its process."""
    monkeypatch.setattr(client, "STEP", client.PATIENCE / 2)
    with engine.started(image(), Options(arguments=("eat",), memory="16m")) as running:
        assert running.pid == 0
        end = attend.until_end(running.one, engine.machine)
    assert (end.code, end.out_of_memory) == (137, True)


@pytest.mark.parametrize("engine", CLIENTS, indirect=True)
def test_what_ended_before_anybody_looked_has_no_doors(engine: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows its process, and without one every door leads into this machine's own network."""
    monkeypatch.setattr(client, "STEP", client.PATIENCE / 2)
    led = list[int]()
    doors = SimpleNamespace(addresses=(), to=led.append, close=lambda: None)
    machine = replace(engine.machine, forward=lambda _: doors)
    made = engine.made(image(), Options(arguments=("exit", "3"), publish=("8080",)))
    with placed(made, machine) as ready:
        assert foreground(made, ready, machine, DEAF).code == 3
    assert led == []


DEAF = Watcher(
    write=lambda *_: None,
    decided=lambda _: None,
    started=lambda _: None,
    condition=lambda _: None,
    found=lambda _: None,
)


def test_a_kill_by_somebody_is_no_lack_of_memory(engine: Case) -> None:
    with engine.started(image()) as running:
        running.said("host")
        os.kill(running.pid, signal.SIGKILL)
        end = attend.until_end(running.one, engine.machine)
    assert (end.code, end.why, end.out_of_memory) == (137, "exited", False)


def test_a_command_inside(engine: Case) -> None:
    need_no_chroot()
    with engine.started(image()) as running:
        running.said("host")
        words = engines.inside(running.one.runtime, running.place, ("/app/does", "exit", "5"))
        assert engine.machine.run(words).code == 5


#: Image → the error's name. Where engines differ: in `OTHER_WORDS`.
FAILURES = {
    "missing-program": "no-entrypoint",
    "not-executable": "not-executable",
    "dynamic": "no-loader",
    "script": "no-loader",
    "other-machine": "other-processor",
}


@pytest.mark.parametrize("name", FAILURES)
def test_images_that_cannot_start(engine: Case, name: str) -> None:
    with pytest.raises(WherryError) as caught, engine.started(odd_apps.place(name)):
        pytest.fail("it started")
    assert caught.value.name == FAILURES[name], caught.value.output or caught.value.why
    assert nothing_left(engine)


def test_a_working_directory_that_is_none(engine: Case) -> None:
    with pytest.raises(WherryError) as caught, engine.started(image(), Options(directory="/app/does")):
        pytest.fail("it started")
    assert caught.value.name == "bad-workdir", caught.value.output or caught.value.why


def test_a_profile_under_which_nothing_starts(engine: Case, tmp_path: Path) -> None:
    profile = tmp_path / "none.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []}))
    with pytest.raises(WherryError) as caught, engine.started(image(), Options(seccomp=str(profile))):
        pytest.fail("it started")
    assert caught.value.name == "bad-seccomp", caught.value.output or caught.value.why
    assert nothing_left(engine)


def nothing_left(engine: Case) -> bool:
    """No folder of a container, and nothing that the engine knows."""
    folders = list((Path(dict(engine.machine.variables)["WHERRY_RUN_DIR"]) / "containers").iterdir())
    known = ""
    if engine.engine in ("docker", "podman"):
        known = subprocess.run([engine.engine, "ps", "-aq"], capture_output=True, text=True, check=True).stdout
    return not folders and not known.strip()


def test_what_the_engine_itself_says(engine: Case) -> None:
    """A second source: what the engine tells of the container is what was decided, too."""
    options = Options(memory="64m", cpus="0.5", pids=50, capabilities=("NET_RAW",))
    with engine.started(image(), options) as running:
        if engine.engine in ("runc", "crun"):
            words = (*running.one.runtime.words, "--root", str(running.place.state), "state", running.place.id)
            said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            assert (json.loads(said)["status"], json.loads(said)["pid"]) == ("running", running.pid)
            return
        words = (engine.engine, "inspect", name_of(running.place))
        (told,) = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        assert told["State"]["Pid"] == running.pid
    host = told["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (64 << 20, 64 << 20, 50)
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["NetworkMode"] == "none"
    assert host["IpcMode"] == {"docker": "none", "podman": "shareable"}[engine.engine], "what podman calls none"
    assert told["Config"]["User"] == "65532:65532"
    assert "no-new-privileges" in " ".join(host["SecurityOpt"])
