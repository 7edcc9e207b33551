"""The programs of `tests/apps` as plain processes of this machine. A name in, a running one out; starts and ends it.

That a program has its fault must be seen without wherry, or a check that fails for another reason would look right.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import apps

PATIENCE = 60.0
LISTENING = re.compile(r"listening on (\S+):(\d+)$", re.MULTILINE)
#: Orphans come to the program as they come to process 1 of a container: PR_SET_CHILD_SUBREAPER stays over exec.
LIKE_PROCESS_1 = (
    sys.executable,
    "-c",
    "import ctypes, os, sys; assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0; os.execv(sys.argv[1], sys.argv[1:])",
)
#: Of execv alone: what other programs call exec tries a shell where the kernel refuses a file.
INSIDE = (
    "import os, sys; os.chroot(sys.argv[1]); os.chdir('/'); os.setgroups([]); os.setgid(65532); os.setuid(65532); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """A program that runs, with its log as a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def addresses(self) -> list[tuple[str, int]]:
        """Where it says that it listens, in its order; waits for the first."""
        wait(lambda: LISTENING.search(self.said()) or self.process.poll() is not None, self)
        return [(host, int(port)) for host, port in LISTENING.findall(self.said())]

    @property
    def port(self) -> int:
        return self.addresses()[-1][1]

    def get(self, path: str, host: str = "127.0.0.1", sent: Callable[[], object] = int) -> tuple[int, str]:
        """Status and body; OSError or HTTPException where there is none. `sent` is called before the answer is waited for."""
        connection = http.client.HTTPConnection(host, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            sent()
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def status(self, path: str, sent: Callable[[], object] = int) -> int:
        """Of the answer; 0 where there is none, -1 where nobody listens."""
        try:
            return self.get(path, sent=sent)[0]
        except ConnectionRefusedError:
            return -1
        except (OSError, http.client.HTTPException):
            return 0

    def stop(self) -> int:
        """Its exit status after SIGTERM; -9 for one that has to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def unread(self) -> list[int]:
        """For each connection to its port, the bytes that it has not read yet (proc_net_tcp(5))."""
        rows = [
            line.split()
            for file in ("tcp", "tcp6")
            for line in Path(f"/proc/{self.process.pid}/net/{file}").read_text().splitlines()[1:]
        ]
        mine = f":{self.port:04X}"
        return [int(row[4].partition(":")[2], 16) for row in rows if row[1].endswith(mine) and row[3] == "01"]

    def field(self, name: str) -> int:
        """A number of /proc/PID/status."""
        match = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text(), re.MULTILINE)
        assert match, name
        return int(match[1])

    def children(self) -> list[str]:
        """The state of each child: S for one that sleeps, Z for one that ended and that nobody waited for."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, parent = path.read_text().rpartition(")")[2].split()[:2]
                found += [state] if int(parent) == self.process.pid else []
        return found


@dataclass(slots=True, kw_only=True)
class Stop:
    """What was seen while a program stopped."""

    slow: list[int] = field(default_factory=list)
    """Statuses of the requests that were in flight."""
    ready: list[int] = field(default_factory=list)
    """Of /readyz every few milliseconds, each on a connection of its own; -1 once nobody listens."""
    code: int = 0
    seconds: float = 0.0

    @property
    def phases(self) -> list[int]:
        """What /readyz said one after the other. The first may be from before the signal arrived; a connection that was cut
        off while the port closed says nothing."""
        said = [one for one in self.ready if one]
        return [one for one, before in zip(said, [None, *said], strict=False) if one != before]


@contextlib.contextmanager
def running(name: str, folder: Path, *before: str, root: Path | None = None, **environment: str) -> Iterator[Bare]:
    """The program on a free port, started by the words `before`; whatever it started is gone afterwards.

    `root`: it sees nothing but this folder, in which it is /app/NAME, and runs as 65532."""
    log = folder / f"{name}.log"
    words = inside(root, f"/app/{name}") if root else [str(apps.program(name))]
    command = ["setpriv", "--pdeathsig", "KILL", *before, *words]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={"PORT": "0", **environment}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, cwd="/",
        )  # fmt: skip
    try:
        yield Bare(process=process, log=log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def inside(root: Path, *words: str) -> list[str]:
    """The command line that starts `words` as 65532 where `root` is all there is; for root only."""
    return [sys.executable, "-S", "-c", INSIDE, str(root), *words]


def stopped(bare: Bare, *, in_flight: int = 4, milliseconds: int = 800) -> Stop:
    """SIGTERM while requests are in flight: the program has read all of them, and answers after `milliseconds`, or later."""
    seen = Stop()
    threads = asked(bare, seen.slow, in_flight, milliseconds)
    start = time.monotonic()
    bare.process.send_signal(signal.SIGTERM)
    while bare.process.poll() is None and time.monotonic() - start < PATIENCE:
        seen.ready.append(bare.status("/readyz"))
        time.sleep(0.01)
    seen.code, seen.seconds = bare.process.wait(1), time.monotonic() - start
    for thread in threads:
        thread.join()
    return seen


def asked(bare: Bare, answers: list[int], number: int, milliseconds: int) -> list[threading.Thread]:
    """So many requests that the program has read and not answered yet. A machine that takes longer to send them all asks again,
    for later answers."""
    while True:
        threads = sent(bare, answers, number, f"/slow?ms={milliseconds}")
        wait(lambda: answers or (len(unread := bare.unread()) >= number and not any(unread)), bare)
        if not answers:
            return threads
        for thread in threads:
            thread.join()
        answers.clear()
        milliseconds *= 2


def sent(bare: Bare, answers: list[int], number: int, path: str) -> list[threading.Thread]:
    """So many requests, whose statuses come into `answers`."""
    done = threading.Semaphore(0)
    threads = [threading.Thread(target=lambda: answers.append(bare.status(path, done.release))) for _ in range(number)]
    for thread in threads:
        thread.start()
    assert all(done.acquire(timeout=PATIENCE) for _ in threads)
    return threads


def wait(condition: Callable[[], object], bare: Bare) -> None:
    """Until `condition()` is true; an assertion with the log when it does not get so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, bare.said()[-2000:]
        time.sleep(0.01)
