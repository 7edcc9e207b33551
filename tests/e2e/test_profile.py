"""`wherry profile` on real engines: what it records is what strace sees, what it writes is enforced, and it does not slow the
application down."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import apps
from tests.support.cli import wherry
from tests.support.contained import Case, case
from tests.support.containers import Engine
from tests.support.examples import Build
from tests.support.programs_in_c import HOST
from tests.support.servers import answers, free_port, need_no_chroot
from tests.support.strangers import handed, stranger
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.flows.container import RunRequest
from wherry.flows.exercise import Exercise
from wherry.flows.live import Live, live
from wherry.flows.profile import Profiled, ProfileRequest, profile
from wherry.flows.request import BuildRequest
from wherry.formats import seccomp
from wherry.kit.notices import Wanted, Watching
from wherry.model.container import Options
from wherry.model.profile import Profile
from wherry.runtime.record.filter import recording_filter
from wherry.runtime.record.recorder import Recorder
from wherry.runtime.seccomp import default_seccomp

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

ROUTES = ("/healthz", "/readyz", "/slow?ms=30", "/")
EXERCISE = Exercise(routes=ROUTES, seconds=1.0)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def runc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    need("runc")
    with case("runc", tmp_path_factory.mktemp("runc")) as made:
        yield made


def profiled(one: Case, app: str, **words: object) -> Profiled:
    options = words.pop("options", Options())
    assert isinstance(options, Options)
    run = RunRequest(subject=apps.place(app), engine=one.engine, options=options)
    return profile(ProfileRequest(run=run, **{"exercise": EXERCISE, **words}), one.machine)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def strict(runc: Case) -> Profiled:
    return profiled(runc, "good", mode="strict")


@pytest.fixture(scope="module")
def safe(runc: Case) -> Profiled:
    return profiled(runc, "good")


def traced(folder: Path) -> set[str]:
    """What strace sees of the same program doing the same, as a plain process."""
    need("strace")
    port, log = free_port(), folder / "trace"
    command = ["strace", "-f", "-qq", "-o", str(log), str(apps.program("good"))]
    with subprocess.Popen(
        command, env={"PORT": str(port), "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL
    ) as one:
        end = time.monotonic() + PATIENCE
        while not answers(f"http://127.0.0.1:{port}/healthz") and time.monotonic() < end:
            time.sleep(0.02)
        for route in ROUTES * 5:
            assert answers(f"http://127.0.0.1:{port}{route}")
        (child,) = Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        one.wait(PATIENCE)
    return set(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))


def test_the_verdict_of_strace(strict: Profiled, safe: Profiled, tmp_path: Path) -> None:
    """Everything that strace sees was recorded or is in the floor; everything recorded is seen by strace or the runtime's."""
    seen, made = traced(tmp_path), strict.profile
    recorded = {name for name, _ in made.recording.calls}
    assert len(seen) > 25
    assert seen <= recorded | set(made.floor)
    assert seen <= set(safe.profile.names)
    assert seen <= set(safe.profile.ceiling.names) | {"execve"}
    assert recorded <= seen | set(made.floor) | {"prlimit64", "fcntl", "uname"}


def test_strict_lies_between_and_safe_is_the_ceiling(strict: Profiled, safe: Profiled) -> None:
    narrow, wide = set(strict.profile.names), set(safe.profile.names)
    assert narrow < wide
    assert wide <= set(safe.profile.ceiling.names) | set(safe.profile.floor)
    assert strict.profile.ceiling.complete
    assert len(narrow) < 70
    assert strict.profile.before > 350
    assert set(strict.profile.unexercised) == wide - narrow
    assert strict.profile.recorded.exit_code == strict.profile.proved.exit_code == 0


def test_what_is_recorded_beside_calls(strict: Profiled) -> None:
    seen = strict.profile.recording
    assert [(one.protocol, one.port) for one in seen.bound if one.port] == [("tcp", 8080)]
    assert [one.path for one in seen.files if one.intent == "run"] == ["/app/good"]
    assert "fstatfs" in seen.engine
    assert seen.trouble == ""
    assert strict.profile.suggestions == ()


def test_the_written_profile_is_one(strict: Profiled) -> None:
    made = seccomp.read(strict.text.encode(), seccomp.Target(architecture=HOST.architecture), name="p")
    assert made.default_action == "SCMP_ACT_ERRNO"
    assert {name for rule in made.syscalls if rule.action == "SCMP_ACT_ALLOW" for name in rule.names} == set(
        strict.profile.names
    )


def without(made: Profiled, name: str) -> str:
    """The profile, killing, with one name less."""
    text = made.text.replace('"SCMP_ACT_ERRNO"', '"SCMP_ACT_KILL_PROCESS"', 1)
    return text.replace(f'"{name}",', "", 1)


@contextlib.contextmanager
def under(one: Case, text: str, folder: Path) -> Iterator[Live]:
    """The good application under a profile of this text."""
    file = folder / "profile.json"
    file.write_text(text)
    with live(one.made(apps.place("good"), Options(seccomp=str(file))), one.machine) as running:
        yield running


def well(one: Case, running: Live) -> bool:
    return running.until(lambda: one.machine.ask(running.pid, 8080, "/healthz").status == 200, PATIENCE)


def test_a_call_less_and_the_kernel_kills(strict: Profiled, runc: Case, tmp_path: Path) -> None:
    """What the proof relies on: the same profile without accept4 ends the application with SIGSYS."""
    with under(runc, without(strict, "accept4"), tmp_path) as running:
        assert not well(runc, running)
        assert running.wait(PATIENCE) == 128 + signal.SIGSYS
    with under(runc, without(strict, "no_such_call"), tmp_path) as running:
        assert well(runc, running)


def test_stopped_and_continued_it_lives_on(strict: Profiled, runc: Case, tmp_path: Path) -> None:
    """The kernel restarts waits in the program's name (restart_syscall), which no recording sees."""
    with under(runc, without(strict, "no_such_call"), tmp_path) as running:
        assert well(runc, running)
        for _ in range(5):
            os.kill(running.pid, signal.SIGSTOP)
            time.sleep(0.05)
            os.kill(running.pid, signal.SIGCONT)
            time.sleep(0.05)
        assert well(runc, running)


@pytest.mark.parametrize("engine", ["crun", "docker", "podman"])
def test_each_engine_gives_the_same_profile(engine: str, strict: Profiled, tmp_path: Path) -> None:
    need(engine)
    with case(engine, tmp_path) as one:
        made = profiled(one, "good", mode="strict").profile
    assert made.engine.startswith(engine)
    assert made.recording.detailed == (engine != "docker")
    # What Go's scheduler does differs from run to run; all of that is in the floor.
    assert set(made.names) ^ set(strict.profile.names) <= {
        "fcntl",
        "uname",
        "prlimit64",
        "getcwd",
        "readlinkat",
        "pread64",
    }


def test_a_program_that_is_never_well_gives_no_profile(runc: Case) -> None:
    with pytest.raises(WherryError) as caught:
        profiled(runc, "exits3")
    assert caught.value.name == "not-exercised"


def test_directories_are_suggested(runc: Case) -> None:
    made = profiled(runc, "writes")
    lines = [one.line for one in made.profile.suggestions]
    assert any(line.startswith("writable = [") and "/var/log" in line for line in lines), lines


SCRIPT = """#!/bin/sh
exec python3 -c 'import os, urllib.request
for _ in range(3): urllib.request.urlopen(os.environ["WHERRY_URL"] + "/slow?ms=1").read()'
"""


def test_a_script_exercises(runc: Case, tmp_path: Path) -> None:
    script = tmp_path / "smoke"
    script.write_text(SCRIPT)
    made = profiled(runc, "good", exercise=Exercise(script=str(script), seconds=0.1)).profile
    assert made.recorded.script == made.proved.script == 0
    assert dict(made.recording.calls)["accept4"] > 3


def fails(script: Path) -> Path:
    script.write_text("#!/bin/sh\nexit 3\n")
    return script


def test_the_next_line_runs_the_same_under_it(tmp_path: Path) -> None:
    need("runc")
    there, file = tmp_path / "there", tmp_path / "a profile.json"
    there.mkdir()
    done = wherry("profile", "-C", there, apps.place("hello"), "--engine=runc", "-o", file, home=tmp_path, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert f"    --security-opt no-new-privileges --security-opt 'seccomp={file}'" in done.stderr.splitlines()
    (line,) = (row.partition("next  ")[2] for row in done.stderr.splitlines() if row.startswith("  next  "))
    words = shlex.split(line)
    assert words == ["wherry", "run", "-C", str(there), "--seccomp", str(file), apps.place("hello")]
    ran = wherry(*words[1:], home=tmp_path, cwd=tmp_path)
    assert (ran.code, ran.stdout) == (0, "hello\n"), ran.stderr


@pytest.mark.parametrize("mode", ["safe", "strict"])
@pytest.mark.parametrize("how", ["route", "script"])
def test_an_exercise_that_failed_proves_nothing(how: str, mode: str, tmp_path: Path) -> None:
    """As a user meets it: told, exit status 1, and a strict profile is not written."""
    need("runc")
    script = fails(tmp_path / "smoke.sh")
    words, said = {
        "route": (("--get", "/healthz", "--get", "/nosuchroute"), "GET /nosuchroute: 404"),
        "script": (("--exercise", script), "smoke.sh: status 3"),
    }[how]
    place, file = apps.place("good"), tmp_path / "seccomp.json"
    common = ("--engine", "runc", "--for", "0.2", "--mode", mode, "-o", file)
    done = wherry("profile", place, *words, *common, home=tmp_path, cwd=tmp_path)
    assert done.code == 1, done.stderr
    assert "exercise-failed" in done.stderr
    assert said in " ".join(done.stderr.split())
    assert "GET /healthz" not in done.stderr
    assert "killed at any other" not in done.stderr
    assert not any(line.split()[:1] == ["proved"] for line in done.stderr.splitlines())
    assert file.exists() == (mode == "safe")


@pytest.mark.parametrize("where", ["missing/seccomp.json", "."])
def test_the_place_of_the_profile_is_looked_at_first(where: str, tmp_path: Path) -> None:
    """Nothing is run: the image is not even looked for."""
    done = wherry("profile", "oci:nowhere:x", "-o", tmp_path / where, home=tmp_path, cwd=tmp_path)
    assert done.code == 2
    assert ("[no-such-folder]" if "/" in where else "[usage]") in done.stderr


MOODY = """package main
import ("context"; "net/http"; "os"; "os/signal"; "syscall")
func main() {
	http.HandleFunc("/rare", func(w http.ResponseWriter, r *http.Request) { os.Symlink("x", "/tmp/y"); os.Hostname() })
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	s := &http.Server{Addr: ":8080"}
	c := make(chan os.Signal, 1); signal.Notify(c, syscall.SIGTERM)
	go func() { <-c; s.Shutdown(context.Background()) }()
	s.ListenAndServe()
}
"""
LATER = """#!/bin/sh
if [ -e {flag} ]; then python3 -c 'import os, urllib.request
urllib.request.urlopen(os.environ["WHERRY_URL"] + "/rare").read()'; fi
touch {flag}
"""


def moody(runc: Case, folder: Path, mode: str) -> Profile:
    """The profile of an application that does more in the second run than in the first."""
    (folder / "main.go").write_text(MOODY)
    (folder / "go.mod").write_text("module example.com/moody\n\ngo 1.24\n")
    script = folder / "script"
    script.write_text(LATER.format(flag=folder / "flag"))
    options = Options(publish=(f"{free_port()}:8080",))
    run = RunRequest(build=BuildRequest(directory=str(folder)), engine=runc.engine, options=options)
    request = ProfileRequest(
        run=run, exercise=Exercise(script=str(script), seconds=0.1), mode="strict" if mode == "strict" else "safe"
    )
    return profile(request, runc.machine).profile


def test_what_only_the_proof_sees_is_added(runc: Case, tmp_path: Path) -> None:
    made = moody(runc, tmp_path, "strict")
    assert "symlinkat" in made.added
    assert "symlinkat" in made.names
    assert made.proved.exit_code == 0


def test_safe_has_what_a_recording_never_saw(runc: Case, tmp_path: Path) -> None:
    made = moody(runc, tmp_path, "safe")
    assert made.added == ()
    assert "symlinkat" in made.unexercised
    assert "symlinkat" in made.names
    assert "symlinkat" not in dict(made.recording.calls)


def asked(one: Case, both: tuple[Live, ...], rate: float, seconds: float) -> list[float]:
    """The median milliseconds of each, asked in turns `rate` times a second, a connection each time: what else the machine does
    meanwhile, it does to both."""
    times, began = [list[float]() for _ in both], time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        for running, seen in zip(both, times, strict=True):
            answer = one.machine.ask(running.pid, 8080, "/healthz")
            assert answer.status == 200
            seen.append((answer.ended - answer.began) * 1000)
    return [statistics.median(seen) for seen in times]


@contextlib.contextmanager
def plain(one: Case, folder: Path) -> Iterator[Live]:
    """The application under the profile that all are recorded over."""
    folder.mkdir()
    text = seccomp.encode(seccomp.to_docker(default_seccomp(HOST.architecture))).decode()
    with under(one, text, folder) as running:
        assert well(one, running)
        yield running


@contextlib.contextmanager
def watched(one: Case, folder: Path) -> Iterator[tuple[Live, Callable[[], int]]]:
    """The same while every call is told of, and how many connections were told of so far."""
    folder.mkdir()
    watching: list[Watching] = []
    recorder = Recorder(HOST.architecture, frozenset(("write",)), lambda: watching[0].counts)
    once = next(
        number for number, name in recorder.names.items() if name == "getsockname"
    )  # Go asks for each connection
    with one.machine.watch(Wanted(shown=recorder.shown), recorder.see) as watch:
        watching.append(watch)
        base = default_seccomp(HOST.architecture)
        told_of = recording_filter(base, HOST.architecture, frozenset(), watch.address)
        with under(one, seccomp.encode(seccomp.to_docker(told_of)).decode(), folder) as running:
            assert well(one, running)
            yield running, lambda: watch.counts.get(once, 0)
    assert watch.trouble == ""


def test_recording_keeps_the_pace_and_loses_nothing(runc: Case, tmp_path: Path) -> None:
    """50 requests a second: the median at most doubled. The same application, watched and not."""
    tmp_path.chmod(0o755)
    rounds, rate, seconds = 4, 50.0, 1.5
    with plain(runc, tmp_path / "plain") as usual, watched(runc, tmp_path / "watched") as (told, connections):
        before = connections()
        turns = [asked(runc, (usual, told), rate, seconds) for _ in range(rounds)]
        assert told.until(lambda: connections() - before == rounds * rate * seconds, PATIENCE)
    assert min(slow for _, slow in turns) <= 2 * min(fast for fast, _ in turns), turns


def test_the_health_probe_lives_under_it(strict: Profiled, docker: Engine, tmp_path: Path) -> None:
    """Docker runs wherry's probe inside, under the container's profile; it has a few calls of its own."""
    need_no_chroot()
    file = tmp_path / "profile.json"
    file.write_text(without(strict, "no_such_call"))
    done = wherry(
        "copy",
        apps.place("good"),
        "docker-daemon:localhost/good:profile",
        home=tmp_path,
        cwd=tmp_path,
        **docker.variables,
    )
    assert done.code == 0, done.stderr
    flags = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--security-opt=seccomp={file}")
    with docker.running("localhost/good:profile", *flags, "--health-interval=1s") as name:
        end, state = time.monotonic() + PATIENCE, ""
        while state not in ("healthy", "unhealthy") and time.monotonic() < end:
            state = docker("inspect", "--format={{.State.Health.Status}}", name)
            time.sleep(0.2)
        assert state == "healthy", docker("inspect", "--format={{json .State.Health}}", name)


@pytest.mark.parametrize("subordinate", [True, False], ids=["with subordinate ids", "without"])
def test_ordinary_users_profile(subordinate: bool, example: Build) -> None:
    need_no_chroot()
    with stranger(subordinate=subordinate) as user:
        handed(example("http-api").layout, user)
        place = f"oci:{user.home / 'layout'}:1.2.3"
        words = user.wherry(
            "profile", "--engine", "runc", "--get", "/readyz", "--for", "0.5", "--mode", "strict", place
        )
        done = subprocess.run(words, capture_output=True, text=True, cwd="/", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made = seccomp.read(done.stdout.encode(), seccomp.Target(architecture=HOST.architecture), name="p")
    (allowed,) = (rule.names for rule in made.syscalls if "accept4" in rule.names)
    assert 40 < len(allowed) < 75
