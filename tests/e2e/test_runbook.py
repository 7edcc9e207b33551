"""The runbook: containers that go on by themselves, and every command that looks at them or ends them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps
from tests.support.cli import COMMAND, variables
from tests.support.runbook import Book, answering, book, get, heard, kill, need_exec, until
from tests.support.servers import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


@pytest.fixture(autouse=True)
def _empty(shelf: Book) -> None:
    """What a test that failed has left is no trouble of the next."""
    if shelf.places():
        shelf("rm", "--force", *shelf.containers())


@pytest.fixture
def good(shelf: Book) -> Iterator[int]:
    with answering(shelf) as port:
        yield port


def test_from_its_start_to_its_end(shelf: Book, good: int) -> None:
    (known,) = shelf.json("ps")
    assert (known["name"], known["state"], known["engine"]) == ("good", "running", "runc")
    assert known["addresses"] == [f"127.0.0.1:{good}->8080/tcp"]
    assert "good" in shelf.good("ps").splitlines()[1]
    assert "listening" in shelf.good("logs", "good").lower()
    done = shelf("stop", "good")
    assert (done.code, done.stdout) == (0, "good\n")
    assert "stopped in peace" in done.stderr
    assert shelf.containers()["good"]["end"]["code"] == 0
    assert shelf.good("ps").count("\n") == 0
    assert "no container runs" in shelf("ps").stderr
    assert f":{good}" not in shelf.good("ps", "--all")
    told = shelf.good("inspect", "good")
    assert "ended 0" in told
    assert " ago" in told
    until(lambda: shelf.processes() == [])
    assert shelf.good("rm", "good") == "good"
    assert shelf.left() == []


def test_one_that_runs_is_not_removed_by_accident(shelf: Book, good: int) -> None:
    done = shelf("rm", "good")
    assert (done.code, "[still-running]" in done.stderr) == (2, True)
    assert get(good, "/healthz")


def test_a_name_that_nobody_has(shelf: Book, good: int) -> None:
    for verb in ("logs", "stop", "rm", "stats"):
        done = shelf(verb, "goood")
        assert (done.code, "did you mean good?" in done.stderr) == (2, True)


def test_rm_leaves_nothing_by_itself(shelf: Book) -> None:
    done = shelf("run", "-q", "-d", "--rm", apps.place("good"), "--name", "brief")
    assert done.code == 0
    assert shelf("stop", "brief").code == 0
    shelf.until_nothing_is_left()


def test_one_that_ends_at_once_says_why(shelf: Book) -> None:
    said = []

    def is_told() -> bool:  # a busy machine may run it only when its user has the prompt again
        shelf("rm", "--force", "three")
        said.append(shelf("run", "-d", apps.place("exits3"), "--name", "three"))
        return said[-1].code != 0

    until(is_told)
    done = said[-1]
    assert done.code == 3
    assert "three ended with status 3" in done.stderr
    assert "no configuration: /etc/app/config.yaml\n" in done.stderr, "its last words"
    assert shelf.containers()["three"]["end"]["code"] == 3
    shelf.good("rm", "three")


def test_a_panic_is_explained(shelf: Book) -> None:
    shelf("run", "-q", "-d", apps.place("panics"), "--name", "panic")
    until(lambda: shelf.containers()["panic"]["state"] == "ended")
    assert shelf.containers()["panic"]["end"]["code"] == 2
    done = shelf("logs", "panic", "--tail", "50")
    assert "panic:" in done.stderr
    shelf.good("rm", "panic")


@pytest.mark.parametrize(
    ("app", "words", "said"),
    [
        ("nosigterm", (), "does not handle SIGTERM"),
        ("ignoresigterm", ("--time", "0"), "did not stop within 0 s of SIGTERM, and was killed: status 137, SIGKILL"),
        ("ignoresigterm", ("--signal", "INT", "--time", "0"), "did not stop within 0 s of SIGINT, and was killed"),
        ("nosigterm", ("--signal", "HUP"), "does not handle SIGHUP"),
        ("good", ("--signal", "KILL"), "was killed, as asked: status 137, SIGKILL"),
        ("exitcode", (), "ended with status 1"),
    ],
)
def test_stop_explains_the_exit_code(shelf: Book, app: str, words: tuple[str, ...], said: str) -> None:
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place(app), "--name", "one", "-p", f"{port}:8080")
    get(port, "/healthz")
    done = shelf("stop", "one", "one", *words)
    assert done.stdout == "one\n"
    assert said in " ".join(done.stderr.split()), done.stderr
    later = shelf.good("inspect", "one")
    assert said in " ".join(later.split()), later
    shelf.good("rm", "one")


def test_the_oom_killer_is_told(shelf: Book) -> None:
    shelf("run", "-q", "-d", apps.place("leaks"), "--name", "big", "--memory", "32m", "-e", "GOMEMLIMIT=off")
    until(lambda: shelf.containers()["big"]["state"] == "ended")
    assert shelf.containers()["big"]["end"]["out_of_memory"]
    assert "out of memory" in shelf.good("ps", "-a")
    shelf.good("rm", "big")


def test_logs_by_time_and_number(shelf: Book, good: int) -> None:
    asked: list[str] = []
    for number in range(1, 6):
        asked.append(get(good, f"/?{number}"))
        until(lambda: shelf("logs", "good").stdout.count("GET /") >= len(asked))  # what comes at once has one time
    every = shelf("logs", "good").stdout.splitlines()
    assert shelf("logs", "good", "--tail", "2").stdout.splitlines() == every[-2:]
    assert shelf("logs", "good", "--tail", "0").stdout == ""
    stamped = shelf("logs", "good", "--timestamps").stdout.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]{18}Z ", line) for line in stamped)
    after = stamped[-1].split()[0]
    assert shelf("logs", "good", "--since", after).stdout.splitlines() == every[-1:]
    assert shelf("logs", "good", "--since", "1h").stdout.splitlines() == every
    done = shelf("logs", "good", "--since", "soon")
    assert (done.code, "[container-option]" in done.stderr) == (2, True)


def test_logs_are_followed_to_the_end(shelf: Book, good: int) -> None:
    process = shelf.popen("logs", "--follow", "good")
    time.sleep(0.5)
    shelf.good("stop", "good")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.decode() == shelf("logs", "good").stdout


def test_f13_a_talkative_one_stays_bounded(shelf: Book) -> None:
    """10 MB a second, and a first line of 32 MB."""
    words = ("--log-size", "256k", "--log-files", "2", "-e", f"LONG_LINE={32 << 20}", "--memory", "128m")
    shelf.good("run", "-q", "-d", apps.place("chatty"), "--name", "chatty", *words)
    (folder,) = (path / "logs" for path in shelf.places())
    until(lambda: "log.1" in sizes(folder))
    time.sleep(1)
    until(lambda: sizes(folder).keys() == {"log", "log.1"})  # while they change places there is one
    looks = [sizes(folder) for _ in range(50)]
    assert max(size for look in looks for size in look.values()) <= (256 << 10) + (1 << 19)
    (monitor,) = shelf.monitors()
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{monitor}/status").read_text())[0])
    assert peak < 64 << 10, "KiB"
    assert shelf.containers()["chatty"]["state"] == "running"
    assert len(shelf("logs", "chatty", "--tail", "3").stdout.splitlines()) == 3
    shelf.good("rm", "--force", "chatty")


def sizes(folder: Path) -> dict[str, int]:
    """Of the files there are; none of them may go meanwhile."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_health_is_a_state_that_changes(shelf: Book) -> None:
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "well", "-p", f"{port}:8080")
    until(lambda: shelf.containers()["well"]["health"] == "healthy")
    assert "healthy" in shelf.good("ps")
    text = shelf.good("inspect", "well")
    assert "GET /healthz on 8080" in text
    assert "200 from /healthz" in text
    document = shelf.json("inspect", "well")
    assert document["condition"]["probes"][-1]["well"] is True
    assert document["usage"]["memory"] > 0
    shelf.good("rm", "--force", "well")


def test_a_command_inside_tells_its_health(shelf: Book) -> None:
    need_exec()
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("selfhealth"), "--name", "self", "-p", f"{port}:8080")
    until(lambda: shelf.containers()["self"]["health"] == "healthy")
    get(port, "/sick")
    until(lambda: shelf.containers()["self"]["health"] == "unhealthy")
    document = shelf.json("inspect", "self")
    assert document["condition"]["failing"] >= 3
    assert document["condition"]["probes"][-1]["well"] is False
    assert "unhealthy" in shelf.good("ps")
    shelf.good("rm", "--force", "self")


def test_one_that_is_never_well_is_told(shelf: Book) -> None:
    process = shelf.popen("run", apps.place("late"))
    assert process.stderr
    heard(process.stderr.fileno(), b"unhealthy: 503 from /healthz")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_an_ended_one_says_what_its_last_words_mean(shelf: Book) -> None:
    """Whoever looks later is told what `run` would tell."""
    shelf("run", "-q", "-d", apps.place("lowport"), "--name", "low")
    until(lambda: shelf.containers()["low"]["end"] is not None)
    stopped, inspected = shelf("stop", "low"), shelf("inspect", "low")
    shelf.good("rm", "low")
    for said in (stopped.stderr, inspected.stdout):
        assert "port 80 is below 1024: --cap-add NET_BIND_SERVICE" in " ".join(said.split())


def test_inspect_knows_images_and_containers(shelf: Book, good: int) -> None:
    assert "layer" in shelf.good("inspect", apps.place("good"))
    done = shelf("inspect", "nothing-of-the-kind", "--isolation")
    assert (done.code, "[no-such-container]" in done.stderr) == (2, True)


def test_stats_say_what_is_used(shelf: Book, good: int) -> None:
    (used,) = shelf.json("stats", "good")
    assert 0 < used["memory"] < used["memory_limit"] == 256 << 20
    assert (used["pids_limit"], used["oom_kills"]) == (256, 0)
    assert used["processors"] is not None
    assert "256 MiB" in shelf.good("stats", "--no-stream")


def test_burning_is_seen_as_throttled(shelf: Book) -> None:
    shelf.good("run", "-q", "-d", apps.place("burns"), "--name", "burns", "--cpus", "0.2")
    until(lambda: shelf.json("stats", "burns")[0]["throttled"] > 0)
    (used,) = shelf.json("stats", "burns")
    assert used["processors"] < 0.5
    shelf.good("rm", "--force", "burns")


def test_an_init_collects_orphans_and_hands_signals_on(shelf: Book) -> None:
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("zombies"), "--name", "zombies", "--init", "-p", f"{port}:8080")
    get(port, "/healthz")
    pid = shelf.containers()["zombies"]["pid"]
    assert Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/dev/init\0/app/zombies")
    done = shelf("stop", "zombies")
    assert "stopped in peace" in done.stderr, done.stderr
    shelf.good("rm", "zombies")


def test_a_dead_monitor_is_noticed_and_replaced(shelf: Book, good: int) -> None:
    kill(*shelf.monitors())
    until(lambda: not shelf.monitors())
    (pid,) = [one["pid"] for one in [shelf.containers()["good"]]]
    assert get(good, "/healthz"), "the next look gave it another monitor, which forwards again"
    assert len(shelf.monitors()) == 1
    assert shelf.containers()["good"]["pid"] == pid, "the program noticed nothing"
    assert "the monitor had died" in shelf("logs", "good").stderr
    done = shelf("stop", "good")
    assert "stopped in peace" in done.stderr
    assert shelf.containers()["good"]["end"]["code"] == 0


def test_an_end_without_a_monitor_is_known_by_its_parent(shelf: Book) -> None:
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "alone")
    pid = shelf.containers()["alone"]["pid"]
    shelf.until_it_listens("alone")
    kill(*shelf.monitors())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists())
    until(lambda: not shelf.processes())
    assert shelf.containers()["alone"]["end"]["code"] == 0
    shelf.good("rm", "alone")


def test_an_end_that_nobody_saw_is_said_to_be_so(shelf: Book) -> None:
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "lost")
    pid = shelf.containers()["lost"]["pid"]
    kill(*shelf.monitors(), *shelf.processes("/bin/sh"))
    kill(pid)
    until(lambda: not Path(f"/proc/{pid}").exists())
    until(lambda: not shelf.processes("runc"))
    known = shelf.containers()["lost"]
    assert (known["state"], known["end"]["code"], known["end"]["why"]) == ("ended", None, "lost")
    assert "nobody saw how" in " ".join(shelf("stop", "lost").stderr.split()) or "ended ?" in shelf.good("ps", "-a")
    shelf.good("rm", "lost")


def test_words_go_on_while_no_monitor_is_there(shelf: Book) -> None:
    """No SIGPIPE, and nothing is lost that fits into the pipe."""
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "talks", "-p", f"{port}:8080")
    get(port, "/?first")
    pid = shelf.containers()["talks"]["pid"]
    kill(*shelf.monitors())
    time.sleep(0.3)
    assert Path(f"/proc/{pid}").exists()
    shelf.good("ps")
    get(port, "/?second")
    assert shelf.containers()["talks"]["state"] == "running"
    shelf.good("rm", "--force", "talks")


def test_several_at_once_have_names_of_their_own(shelf: Book) -> None:
    started = [shelf.popen("run", "-q", "-d", apps.place("good")) for _ in range(4)]
    names = {process.communicate(timeout=60)[0].decode().strip() for process in started}
    assert len(names) == 4, names
    shelf.good("rm", "--force", *sorted(names))
    assert shelf.left() == []


def test_a_silent_reader_is_no_trouble(shelf: Book, good: int) -> None:
    """`logs | head`: a pipe that is closed early."""
    words = [*COMMAND, "logs", "good"]
    reading, writing = os.pipe()
    os.close(reading)
    environment = variables(shelf.folder / "home", **shelf.environment)
    done = subprocess.run(words, env=environment, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1)
