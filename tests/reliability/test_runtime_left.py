"""F13 ★: nothing stays behind. Many at once, and kills of wherry and of its monitors at random moments."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import apps
from tests.support.contained import case, image
from tests.support.runbook import Book, book, kill, mounts, network_namespaces, until
from wherry.errors import UnavailableError
from wherry.flows.container import placed

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("runc")]
STARTS, AT_ONCE, KILLS = 200, 20, 24


@pytest.fixture
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


def clean(shelf: Book) -> None:
    """After one more look, by which whatever a kill left is put in order."""
    shelf.good("ps")
    names = list(shelf.containers())
    if names:
        shelf.good("rm", "--force", *names)
    shelf.until_nothing_is_left()


def test_f13_many_starts_and_stops_leave_nothing(shelf: Book) -> None:
    place = apps.place("good")

    def one(number: int) -> int:
        name = f"n{number}"
        started = shelf("run", "-q", "-d", place, "--name", name)
        shelf.places()
        if started.code:
            return started.code
        stopped = shelf("stop", name)
        return stopped.code or shelf("rm", name).code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(one, range(STARTS)))
    assert codes == [0] * STARTS
    assert (shelf.left(), shelf.scratch()) == ([], [])
    assert not [line for line in mounts() if str(shelf.run) in line]
    assert len(shelf.seen) >= STARTS
    assert shelf.networks
    # A second opinion: what is still there under one of their numbers is some other test's.
    held = network_namespaces()
    assert [one for one in listed() & shelf.networks.keys() if shelf.holders(one, held.get(one, set()))] == []


def listed() -> set[str]:
    """What lsns finds."""
    done = subprocess.run(["lsns", "-t", "net", "-n", "-o", "NS"], capture_output=True, text=True, check=True)
    return {f"net:[{number}]" for number in done.stdout.split()}


def test_a_network_namespace_that_something_holds_is_seen(shelf: Book) -> None:
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "good")
    pid = shelf.containers()["good"]["pid"]
    shelf.places()
    (space,) = shelf.networks
    assert space in listed()
    held = shelf.folder / "held"
    held.touch()
    subprocess.run(["mount", "--bind", f"/proc/{pid}/ns/net", held], check=True)
    try:
        shelf.good("rm", "--force", "good")
        assert [(space in one, str(held) in one) for one in shelf.left()] == [(True, True)]
        assert shelf.holders(space, {"mount /run/netns/of-podman"}) == set(), "whoever got the number later"
        assert shelf.holders(space, {"descriptor 3 of 4"}) != set()
    finally:
        subprocess.run(["umount", held], check=True)
    assert shelf.left() == []


@pytest.mark.parametrize("detached", [False, True], ids=["foreground", "detached"])
def test_f13_a_kill_of_wherry_at_any_moment(shelf: Book, detached: bool) -> None:
    place, chance = apps.place("good"), random.Random(13)
    flags = ("-d",) if detached else ()
    shelf.good("run", "-q", "-d", place, "--name", "first")  # unpacks the image, which no other does
    begun = time.monotonic()
    shelf.good("run", "-q", "-d", place, "--name", "second")
    usual = time.monotonic() - begun
    clean(shelf)
    for number in range(KILLS):
        process = shelf.popen("run", *flags, place, "--name", f"k{number}")
        time.sleep(chance.uniform(0, usual * 1.2))
        process.kill()
        process.communicate()
    # What was handed over to a monitor before the kill runs on, by right; all else is put in order by the next look.
    shelf.good("ps")
    until(lambda: "starting" not in {one["state"] for one in shelf.containers().values()})
    states = {name: one["state"] for name, one in shelf.containers().items()}
    assert set(states.values()) <= ({"running"} if detached else set()), states
    clean(shelf)
    shelf("run", "-q", apps.place("exits"))  # the next run takes away the folders of killed ones
    assert shelf.scratch() == []


def test_f13_a_kill_of_the_monitor_at_any_moment(shelf: Book) -> None:
    """The application goes on, whenever it was; a look finds it, and mends it."""
    place, chance = apps.place("good"), random.Random(7)
    for number in range(KILLS):
        name = f"m{number}"
        process = shelf.popen("run", "-q", "-d", place, "--name", name)
        time.sleep(chance.uniform(0.05, 0.6))
        kill(*shelf.monitors())
        _, said = process.communicate(timeout=120)
        known = shelf.containers().get(name)
        if process.returncode == 0:
            assert known is not None
            assert known["state"] == "running", (name, known)
        else:
            assert b"[monitor-died]" in said, said
        clean(shelf)


def test_f13_a_runtime_that_outlives_the_monitor_of_its_start(tmp_path: Path) -> None:
    """It knows nothing of a container yet, so it cannot be told to delete one; what it would have started must not run."""
    with case("runc", tmp_path) as engine, contextlib.ExitStack() as held:
        ready = held.enter_context(placed(engine.made(image()), engine.machine, foreground=False, remove=False))
        words = ("/bin/sh", "-c", "read never", "--bundle", str(ready.place.bundle))
        busy = subprocess.Popen(words, stdin=subprocess.PIPE)
        until(lambda: b"--bundle" in Path(f"/proc/{busy.pid}/cmdline").read_bytes())  # a moment after its exec
        gone = UnavailableError("monitor-died", "it is gone")
        assert not held.__exit__(type(gone), gone, None), "the caller hears of it"
        busy.communicate(timeout=20)
        assert busy.returncode == -signal.SIGKILL
        assert not ready.place.path.exists()


def test_f13_a_kill_while_it_is_stopped(shelf: Book) -> None:
    place, chance = apps.place("slowstop"), random.Random(5)
    for number in range(6):
        name = f"s{number}"
        shelf.good("run", "-q", "-d", place, "--name", name, "--grace", "1")
        process = shelf.popen("stop", name)
        time.sleep(chance.uniform(0.1, 1.5))
        kill(process.pid, *shelf.monitors())
        process.communicate()
        clean(shelf)


def test_a_full_disk_does_not_stop_the_program(shelf: Book) -> None:
    """Logs on a file system of 1 MiB: words are lost, and counted; the program goes on."""
    small = shelf.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "small", small], check=True)
    try:
        (shelf.run).mkdir()
        (shelf.run).chmod(0o711)
        shelf.good("run", "-q", "-d", apps.place("hello"), "--name", "warm")
        shelf.good("rm", "--force", "warm")
        (shelf.run / "containers").rmdir()
        (shelf.run / "containers").symlink_to(small)
        shelf.good("run", "-q", "-d", apps.place("chatty"), "--name", "chatty", "--network", "none")
        until(lambda: os.statvfs(small).f_bavail < 64)  # blocks: it is full
        time.sleep(1)
        pid = shelf.containers()["chatty"]["pid"]
        assert Path(f"/proc/{pid}").exists()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists())
        (log,) = small.glob("*/logs/log")
        log.unlink(missing_ok=True)
        shelf("rm", "--force", "chatty")
        assert not list(small.iterdir())
    finally:
        kill(*shelf.processes())
        subprocess.run(["umount", "-l", small], check=True)
