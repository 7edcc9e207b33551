"""Containers as a user starts them: a folder in, a `wherry` with a run folder of its own out, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support import apps
from tests.support.cli import COMMAND, Done, variables, wherry
from tests.support.servers import free_port, need_no_chroot, need_root
from tests.support.tools import need

PATIENCE = 60.0


class Book:
    """One run folder. All that is below it, and every process that names it, is the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "run"
        self.temporary = folder / "tmp"
        self.environment = {"WHERRY_RUN_DIR": str(self.run), "TMPDIR": str(self.temporary)}
        self.seen: set[str] = set()
        """Ids of all containers that were ever looked at."""
        self.networks: dict[str, set[str]] = {}
        """Their network namespaces, `net:[4026532822]`, and where each was mounted while a process lived in it."""

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

    def until_it_listens(self, name: str) -> None:
        """A program that says so hears its signals by then."""
        until(lambda: "listening on" in self("logs", name).stdout)

    def containers(self) -> dict[str, dict[str, Any]]:
        """All of `ps --all`, by name."""
        return {one["name"]: one for one in self.json("ps", "--all")}

    def places(self) -> list[Path]:
        """Folders of containers."""
        folder = self.run / "containers"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        self.seen |= {path.name for path in found}
        own, mounted = str(Path("/proc/self/ns/net").readlink()), network_mounts(mounts())
        for path in found:
            with contextlib.suppress(OSError, ValueError):
                space = str(Path(f"/proc/{int((path / 'pid').read_text())}/ns/net").readlink())
                if space != own:
                    self.networks.setdefault(space, set()).update(mounted.get(space, ()))
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
        found += self.networks_left()
        return found + [f"group {path}" for path in groups() if path.name.removeprefix("wherry-") in self.seen]

    def until_nothing_is_left(self) -> None:
        """As `left`, which is told when it does not come to be."""
        with contextlib.suppress(AssertionError):
            until(lambda: self.left() == [])
        assert not (found := self.left()), found

    def networks_left(self) -> list[str]:
        """Network namespaces of its containers that something holds though no process lives in them; one with a process is
        among `processes`, or somebody else's by now."""
        held = network_namespaces() if self.networks else {}
        ours = {one: self.holders(one, held[one]) for one in self.networks.keys() & held.keys()}
        return [f"network namespace {one}, held by {', '.join(sorted(by))}" for one, by in ours.items() if by]

    def holders(self, space: str, found: set[str]) -> set[str]:
        """Of these, who holds ours and none that has its number by now: the kernel gives numbers again, and podman leaves mounts
        of namespaces without a process. A mount is ours where it was with our process, or lies below this folder."""
        if any(by.isdigit() for by in found):
            return set()
        own = {f"mount {path}" for path in self.networks[space]}
        return {
            by for by in found if by in own or by.startswith(f"mount {self.folder}/") or not by.startswith("mount ")
        }

    def scratch(self) -> list[str]:
        """Folders of single runs, which go with them."""
        return sorted(str(path) for path in (*self.temporary.iterdir(), *(self.folder / "home").rglob("run-*")))


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


def network_namespaces() -> dict[str, set[str]]:
    """All of this machine by `net:[4026532822]`, and what holds each: process ids, descriptors, mounts (namespaces(7))."""
    found: dict[str, set[str]] = {}
    for pid in pids():
        with contextlib.suppress(OSError):
            found.setdefault(str(Path(f"/proc/{pid}/ns/net").readlink()), set()).add(str(pid))
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if (target := str(entry.readlink())).startswith("net:["):
                        found.setdefault(target, set()).add(f"descriptor {entry.name} of {pid}")
            lines = Path(f"/proc/{pid}/mountinfo").read_text("utf-8", "replace").splitlines()
            for space, places in network_mounts(lines).items():
                found.setdefault(space, set()).update(f"mount {path}" for path in places)
    return found


def network_mounts(lines: list[str]) -> dict[str, set[str]]:
    """The places of each network namespace in lines of a mountinfo (proc_pid_mountinfo(5))."""
    found: dict[str, set[str]] = {}
    for words in map(str.split, lines):
        if words[3].startswith("net:["):
            found.setdefault(words[3], set()).add(words[4])
    return found


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
    found = Book(folder)
    for one in (folder / "home", found.temporary):
        one.mkdir()
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


@contextlib.contextmanager
def answering(shelf: Book) -> Iterator[int]:
    """A container called `good` that runs until the block ends; the port of this machine where it answers."""
    port = free_port()
    assert shelf.good("run", "-q", "-d", apps.place("good"), "--name", "good", "-p", f"{port}:8080") == "good"
    get(port, "/healthz")
    yield port
    shelf("rm", "--force", "good")
    assert shelf.left() == []


def need_exec() -> None:
    """For what is started inside a running container."""
    need_no_chroot()


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


def heard(descriptor: int, word: bytes) -> bytes:
    """What comes out of a pipe or terminal until `word` has come."""
    said, end = b"", time.monotonic() + PATIENCE
    while word not in said:
        assert select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0], said
        chunk = os.read(descriptor, 1 << 16)
        assert chunk, said
        said += chunk
    return said


def kill(*numbers: int) -> None:
    for pid in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
