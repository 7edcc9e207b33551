"""Ordinary users run containers: with and without subordinate ids, hardened as root's are, limits aside."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.examples import Build
from tests.support.servers import need_no_chroot
from tests.support.strangers import Stranger, handed, stranger
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

TAG = "1.2.3"
PATIENCE = 60.0


@pytest.fixture(scope="module", params=["with subordinate ids", "without"])
def user(request: pytest.FixtureRequest, example: Build) -> Iterator[Stranger]:
    need("runc")
    need_no_chroot()
    with stranger(subordinate=request.param != "without") as made:
        handed(example("http-api").layout, made)
        yield made


def image(user: Stranger) -> str:
    return f"oci:{user.home / 'layout'}:{TAG}"


@contextlib.contextmanager
def running(user: Stranger, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """A foreground run: the process, where it answers, the program's process id."""
    command = user.wherry("run", "--engine", "runc", *words, "-p", "127.0.0.1::8080", image(user))
    log = user.home / "log"
    with log.open("w") as out:
        run = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True, cwd="/", start_new_session=True
        )
    try:
        end = time.monotonic() + PATIENCE
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert run.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        (pid,) = (int(file.read_text()) for file in user.home.glob(".local/share/wherry/run/containers/*/pid"))
        yield run, found[0], pid
    finally:
        run.send_signal(signal.SIGINT)
        try:
            run.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()


def facts(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def asked(address: str) -> int:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                return int(answer.status)
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_it_runs_hardened_and_leaves_nothing(user: Stranger) -> None:
    with running(user) as (run, address, pid):
        assert asked(address) == 200
        seen = facts(pid)
        outside = user.first + 65531 if user.first else user.uid
        assert seen["Uid"].split() == [str(outside)] * 4
        assert {seen[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
        assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
        for kind in ("user", "net", "pid", "mnt", "ipc", "uts"):
            inside, here = (Path(f"/proc/{one}/ns/{kind}").readlink() for one in (pid, "self"))
            assert inside != here, kind
        root = next(
            line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines() if line.split()[4] == "/"
        )
        assert "ro" in root[5].split(",")
        run.send_signal(signal.SIGINT)
        assert run.wait(PATIENCE) == 0
    log = (user.home / "log").read_text()
    assert "[no-limits]" in log
    assert f"{'65532:65532' if user.first else '0:0'} " in log
    assert not list(user.home.glob(".local/share/wherry/run/containers/*")), log
    assert not Path(f"/proc/{pid}").exists()


def test_a_killed_run_is_cleaned_up_by_the_next(user: Stranger) -> None:
    with running(user) as (run, _, pid):
        run.kill()
        run.wait()
        assert Path(f"/proc/{pid}").exists(), "wherry is gone, not the container"
    with running(user) as (_, address, _):
        assert asked(address) == 200
        assert not runs(pid), Path(f"/proc/{pid}/status").read_text()


def runs(pid: int) -> bool:
    """Whether it is more than a number that nobody has collected yet."""
    try:
        return facts(pid)["State"][0] not in "ZX"
    except FileNotFoundError:
        return False


def test_secrets_are_read_by_the_program_alone(user: Stranger) -> None:
    secret = user.home / "token"
    secret.write_text("not-a-real-one\n")
    os.chown(secret, user.uid, user.uid)
    secret.chmod(0o600)
    with running(user, "--secret", str(secret)) as (_, address, pid):
        assert asked(address) == 200
        inside = Path(f"/proc/{pid}/root/run/secrets/token")
        assert facts(pid)["Uid"].split()[0] == str(user.uid), "outside it is the user, or it could not read it"
        assert inside.read_text() == "not-a-real-one\n"
        assert (inside.stat().st_uid, inside.stat().st_mode & 0o777) == (user.uid, 0o400)


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [(("--memory", "64m"), 4, "no-limits"), (("--relax", "userns"), 2, "container-option")],
    ids=["a limit", "no user namespace"],
)
def test_what_cannot_be_had_is_refused(user: Stranger, words: tuple[str, ...], code: int, name: str) -> None:
    command = user.wherry("run", "--engine", "runc", *words, image(user))
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert f"error [{name}]" in done.stderr


#: A machine that makes no user namespaces for anybody: one whose ids are this machine's, and whose limit is 0 (namespaces(7)).
NONE = """
import ctypes, os, sys
child = os.getpid()
here, there = os.pipe(), os.pipe()
if os.fork() == 0:
    os.read(here[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as file:
            file.write("0 0 4294967295")
    os.write(there[1], b".")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.write(here[1], b".")
os.read(there[0], 1)
with open("/proc/sys/user/max_user_namespaces", "w") as file:
    file.write("0")
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("engine", ["runc", "crun"])
def test_neither_root_nor_user_namespaces(user: Stranger, engine: str) -> None:
    need(engine)
    command = user.wherry("run", "-q", "--engine", engine, image(user))
    start = command.index("setpriv")
    apart = [sys.executable, "-I", "-S", "-c", NONE]
    done = subprocess.run(
        [*command[:start], *apart, *command[start:]], capture_output=True, text=True, cwd="/", timeout=60, check=False
    )
    assert (done.returncode, done.stderr.count("error [")) == (4, 1), done.stderr
    assert "error [no-user-namespaces]" in done.stderr
    assert not list(user.home.glob(".local/share/wherry/run/containers/*"))
