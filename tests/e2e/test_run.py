"""wherry run in the foreground: what people see of a container from its start to its end, and what each mistake gets."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps
from tests.support.cli import COMMAND, variables
from tests.support.runbook import Book, book, get, heard, kill, until
from tests.support.servers import free_port
from wherry.cli.signals import ECHO

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


def named(app: str) -> tuple[str, ...]:
    """The image of an application, called like it."""
    return apps.place(app), "--name", app


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out.decode(), err.decode()


def test_its_words_and_exit_code_are_its_own(shelf: Book) -> None:
    done = shelf("run", *named("exits3"))
    assert done.code == 3
    assert done.stdout == ""
    assert "exits3 ended with status 3" in done.stderr
    assert "65532:65532" in done.stderr
    assert shelf.left() == []


def test_quiet_says_nothing_of_its_own(shelf: Book) -> None:
    done = shelf("run", "-q", *named("exits"))
    assert (done.code, "warning" in done.stderr, "exits" in done.stderr) == (0, False, False)


def test_an_interrupt_stops_it_in_order(shelf: Book) -> None:
    port = free_port()
    process = shelf.popen("run", *named("good"), "-p", f"{port}:8080")
    assert get(port, "/healthz")
    process.send_signal(signal.SIGINT)
    code, _, said = ended(process)
    assert code == 0
    assert "good stopped in peace" in said
    assert shelf.left() == []


def test_on_a_terminal_nothing_is_shown_between_the_programs_words(shelf: Book) -> None:
    port = free_port()
    ours, theirs = os.openpty()
    environment = {**variables(shelf.folder / "home", **shelf.environment), "TERM": "xterm"}
    process = subprocess.Popen(
        [*COMMAND, "run", *named("good"), "-p", f"{port}:8080"],
        cwd=shelf.folder,
        env=environment,
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
    )
    os.close(theirs)
    said = heard(ours, b"listening on")
    get(port, "/healthz")
    time.sleep(1)  # whatever is shown again and again would be by then
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
        while data := os.read(ours, 1 << 16):
            said += data
    os.close(ours)
    assert process.wait(60) == 0
    before, _, after = said.partition(b"listening on")
    assert b"so far" in before or b"\x1b[K" in before, "it was a terminal"
    assert b"\x1b[K" not in after.rpartition(b"stopped in peace")[0], after


@pytest.mark.parametrize("flags", [(), ("--init",)], ids=["without", "with"])
def test_init_for_go_is_said_and_true(shelf: Book, flags: tuple[str, ...]) -> None:
    """Go's runtime acts on SIGTERM as first process, too, with another exit code alone."""
    port = free_port()
    process = shelf.popen("run", *named("nosigterm"), "-p", f"{port}:8080", *flags)
    assert get(port, "/healthz")
    first = Path(f"/proc/{next(iter(shelf.containers().values()))['pid']}/cmdline").read_bytes()
    assert first.startswith(b"/dev/init\0") == bool(flags)
    process.send_signal(signal.SIGINT)
    code, _, said = ended(process)
    assert said.count("[init-for-go]") == bool(flags), said
    assert code in ((143,) if flags else (2, 143)), said  # by versions of Go
    assert "nosigterm does not handle SIGTERM" in said
    assert shelf.left() == []


def test_signals_that_come_at_once_are_one(shelf: Book) -> None:
    """timeout(1) signals its child and its group: that asks, and does not kill."""
    port = free_port()
    process = shelf.popen("run", *named("good"), "-p", f"{port}:8080")
    assert get(port, "/healthz")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGHUP)
    code, _, said = ended(process)
    assert code == 0, said
    assert "stopped in peace" in said


def test_a_second_interrupt_kills(shelf: Book) -> None:
    port = free_port()
    process = shelf.popen("run", *named("slowstop"), "-p", f"{port}:8080", "--grace", "60", "-e", "STOP_DELAY=10m")
    assert process.stdout
    assert get(port, "/healthz")
    process.send_signal(signal.SIGINT)
    heard(process.stdout.fileno(), b"stopping")  # the first one has come to the program
    time.sleep(2 * ECHO)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, _, said = ended(process)
    assert code == 137
    assert time.monotonic() - began < 40, "before its grace is over"
    assert "was killed, as asked" in said
    assert shelf.left() == []


def test_one_that_ignores_its_signal_is_killed_after_its_grace(shelf: Book) -> None:
    port = free_port()
    process = shelf.popen("run", *named("ignoresigterm"), "-p", f"{port}:8080", "--grace", "0.5")
    get(port, "/healthz")
    process.send_signal(signal.SIGTERM)
    code, _, said = ended(process)
    assert code == 137
    assert "did not stop within 0.5 s of SIGTERM" in said


def test_one_that_needs_more_memory_than_it_may(shelf: Book) -> None:
    done = shelf("run", *named("leaks"), "--memory", "32m", "-e", "GOMEMLIMIT=off")
    assert done.code == 137
    assert "leaks was killed: it needed more than its memory limit" in done.stderr


@pytest.mark.parametrize(
    ("app", "words", "said"),
    [
        ("fills", ("--tmpfs", "/tmp:1m"), "/tmp is memory of 1 MiB, and full: --tmpfs /tmp:SIZE, or -v a folder"),
        ("forks", ("--pids", "40"), "it may have 40 processes and threads: --pids N lets it have more"),
    ],
)
def test_one_that_ends_at_a_limit_is_told_which(shelf: Book, app: str, words: tuple[str, ...], said: str) -> None:
    done = shelf("run", *named(app), *words, "-e", "REFUSED=exit")
    assert done.code == 1, done.stderr
    assert said in " ".join(done.stderr.split())
    assert shelf.left() == []


def test_one_that_forks_without_end_stops_in_order(shelf: Book) -> None:
    port = free_port()
    process = shelf.popen("run", *named("forks"), "-p", f"{port}:8080", "--pids", "60")
    assert get(port, "/healthz")
    until(lambda: shelf.json("stats")[0]["pids"] == 60)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 0
    assert shelf.left() == []


def test_a_full_tmpfs_stops_nobody_else(shelf: Book) -> None:
    port = free_port()
    process = shelf.popen("run", *named("fills"), "-p", f"{port}:8080", "--tmpfs", "/tmp:1m")
    assert get(port, "/healthz")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--entrypoint", "/nope"), 3, "[no-entrypoint]"),
        (("-w", "/nope"), 3, "[bad-workdir]"),
        (("-v", "./nope:/data"), 2, "[bad-volume]"),
        (("-v", "./:/../x"), 1, "[path-escape]"),
        (("--tmpfs", "relative"), 2, "[container-option]"),
        (("--engine", "nope"), 2, "[container-option]"),
        (("--user", "nope"), 2, "[bad-user]"),
        (("--seccomp", "nope.json"), 2, "[no-seccomp]"),
        (("-p", "8080/udp"), 2, "[container-option]"),
    ],
)
def test_a_mistake_is_one_clear_error(shelf: Book, words: tuple[str, ...], code: int, said: str) -> None:
    done = shelf("run", *named("good"), *words)
    assert (done.code, said in done.stderr) == (code, True), done.stderr
    assert shelf.left() == []


def test_a_link_to_the_machine_is_no_volume(shelf: Book) -> None:
    (shelf.folder / "link").symlink_to("/etc")
    done = shelf("run", *named("good"), "-v", "./link:/data")
    assert (done.code, "[volume-of-machine]" in done.stderr) == (1, True), done.stderr
    assert shelf.left() == []


def test_a_broken_profile(shelf: Book) -> None:
    (shelf.folder / "bad.json").write_text('{"defaultAction": 7}')
    done = shelf("run", *named("good"), "--seccomp", "bad.json")
    assert "[bad-seccomp]" in done.stderr
    assert "$.defaultAction" in done.stderr


def test_a_port_in_use(shelf: Book) -> None:
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("good"), "-p", f"{port}:8080", "--name", "first")
    for words in ((), ("-d",)):
        done = shelf("run", *named("good"), "-p", f"{port}:8080", *words)
        assert (done.code, "[port-in-use]" in done.stderr) == (2, True), done.stderr
        assert "256 MiB" not in done.stderr, "nothing is told of a container that cannot be had"
        done = shelf("run", *named("good"), "-p", "8081/udp", *words)
        assert (done.code, "TCP only" in done.stderr, "256 MiB" in done.stderr) == (2, True, False), done.stderr
    done = shelf("run", apps.place("good"), "--name", "first")
    assert (done.code, "[name-taken]" in done.stderr) == (2, True)
    shelf.good("rm", "--force", "first")
    assert shelf.left() == []


def test_an_image_of_root_is_refused_unless_asked(shelf: Book) -> None:
    done = shelf("run", *named("rootonly-as-root"))
    assert (done.code, "[runs-as-root]" in done.stderr) == (1, True)
    process = shelf.popen(
        "run", "-q", *named("rootonly-as-root"), "--relax", "user", "-p", f"{(port := free_port())}:8080"
    )
    assert get(port, "/healthz")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 0


def test_the_next_run_clears_away_what_a_killed_one_left(shelf: Book) -> None:
    port = free_port()
    process = shelf.popen("run", *named("good"), "-p", f"{port}:8080")
    get(port, "/healthz")
    kill(process.pid)
    process.communicate()
    assert shelf.left() != []
    done = shelf("run", *named("exits"))
    assert "[mended]" in done.stderr
    shelf.until_nothing_is_left()


def test_the_machines_environment_stays_outside(shelf: Book) -> None:
    """F09: only what was named comes in; a value may come from the environment by name."""
    os.environ["WHERRY_TEST_CANARY"] = "yellow"
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "canary", "-e", "GIVEN=1")
    try:
        shelf.until_it_listens("canary")  # before that it may still be the runtime, with variables of its own
        pid = shelf.containers()["canary"]["pid"]
        data = Path(f"/proc/{pid}/environ").read_bytes()
        names = {one.partition(b"=")[0].decode() for one in data.split(b"\0") if one}
    finally:
        del os.environ["WHERRY_TEST_CANARY"]
        shelf.good("rm", "--force", "canary")
    assert names <= {"PATH", "HOME", "GOMEMLIMIT", "GOMAXPROCS", "GIVEN", "PORT"}
    assert "GIVEN" in names


@pytest.mark.parametrize("form", ["docker", "podman", "runc", "quadlet", "systemd", "seccomp"])
def test_what_equals_it_elsewhere(shelf: Book, form: str) -> None:
    text = shelf.good("run", *named("good"), "-p", "8080", "--print", form)
    marks = {
        "docker": "--cap-drop ALL", "podman": "--read-only-tmpfs=false", "runc": '"noNewPrivileges": true',
        "quadlet": "NoNewPrivileges=true", "systemd": "Restart=on-failure", "seccomp": '"defaultAction"',
    }  # fmt: skip
    assert marks[form] in text
    assert shelf.good("run", *named("good"), "-p", "8080", "--print", form) == text
    if form in ("docker", "podman", "quadlet"):
        profile = next(line for line in text.splitlines() if "--print seccomp" in line).partition(">")[2].split()[0]
        assert text.count(profile) == 2, "made first, and named"
    if form == "systemd":
        assert f"WorkingDirectory={shelf.folder}" in text
    assert shelf.left() == []
