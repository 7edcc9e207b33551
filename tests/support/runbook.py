"""Containers as a user starts them: a folder in, a `wherry` with a run folder of its own out, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.cli import COMMAND, Done, variables, wherry
from tests.support.servers import need_no_chroot, need_root
from tests.support.tools import need

PATIENCE = 20.0


class Book:
    """One run folder. All that is below it, and every process that names it, is the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "run"
        self.environment = {"WHERRY_RUN_DIR": str(self.run)}
        self.seen: set[str] = set()
        """Ids of all containers that were ever looked at."""

    def __call__(self, *words: str | Path) -> Done:
        return wherry(*words, home=self.folder / "home", cwd=self.folder, **self.environment)

    def good(self, *words: str | Path) -> str:
        """The stdout of a command that must succeed."""
        done = self(*words)
        assert done.code == 0, done.stderr
        return done.stdout.strip()

    def popen(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """The same, without waiting; its streams are pipes."""
        return subprocess.Popen(
            [*COMMAND, *map(str, words)],
            cwd=self.folder,
            env=variables(self.folder / "home", **self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def json(self, *words: str) -> Any:
        """A command's document."""
        return json.loads(self.good(*words, "--json"))

    def containers(self) -> dict[str, dict[str, Any]]:
        """All of `ps --all`, by name."""
        return {one["name"]: one for one in self.json("ps", "--all")}

    def places(self) -> list[Path]:
        """Folders of containers."""
        folder = self.run / "containers"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        self.seen |= {path.name for path in found}
        return found

    def processes(self, *words: str) -> list[int]:
        """Those whose command or working files name this folder: monitors, runtimes, parents. `words` must be in it, too."""
        found = []
        for pid in pids():
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                text = line + Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")
                if str(self.run) in text and pid != os.getpid() and all(word in line for word in words):
                    found.append(pid)
        return found

    def monitors(self) -> list[int]:
        return self.processes("wherry.cli.monitor")

    def left(self) -> list[str]:
        """What containers of this folder have left on the machine: processes, mounts, groups, folders, namespaces."""
        ids = [path.name for path in self.places()]
        found = [f"folder {one}" for one in ids] + [f"process {pid}" for pid in self.processes()]
        found += [f"mount {line.split()[4]}" for line in mounts() if str(self.run) in line]
        found += [f"unfinished {path.name}" for path in self.run.glob("roots/.*.tmp")]
        return found + [f"group {path}" for path in groups() if path.name.removeprefix("wherry-") in self.seen]


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


def groups() -> list[Path]:
    """Control groups of containers of wherry, in every hierarchy."""
    return [path for pattern in ("wherry-*", "*/wherry-*") for path in Path("/sys/fs/cgroup").glob(pattern)]


@contextlib.contextmanager
def book() -> Iterator[Book]:
    """A run folder that containers in user namespaces can enter; whatever runs at the end is killed."""
    need_root()
    need("runc")
    folder = Path(tempfile.mkdtemp(prefix="wherry-book-"))
    folder.chmod(0o755)
    (folder / "home").mkdir()
    found = Book(folder)
    try:
        yield found
    finally:
        names = [one["name"] for one in json.loads(found("ps", "--all", "--json").stdout or "[]")]
        if names:
            found("rm", "--force", *names)
        for pid in found.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for path in groups():
            if path.name.removeprefix("wherry-") in found.seen:
                with contextlib.suppress(OSError):
                    path.rmdir()
        shutil.rmtree(folder, ignore_errors=True)


def need_exec() -> None:
    """For what is started inside a running container."""
    need_no_chroot()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def get(port: int, path: str = "/", *, patience: float = PATIENCE) -> str:
    """What a server on this machine answers, once it does."""
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def until(what: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


def kill(*numbers: int) -> None:
    for pid in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
