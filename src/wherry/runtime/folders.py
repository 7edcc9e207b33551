"""Where containers live on this machine. A run folder in, a folder a container out; touches that folder.

RUN/containers/ID/ holds all that belongs to one container, so that whoever comes next can clean up after a kill (F13):
`container.json` is there before anything starts, and a lock on the folder dies with whoever looks after the container.
RUN/roots/KEY/ are unpacked images, shared by containers that only read them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from wherry.errors import UsageError
from wherry.kit.files import atomic_write, disk_errors
from wherry.kit.value import Value, decodable
from wherry.model.container import Container
from wherry.runtime.health import Condition
from wherry.runtime.logs import Keep

T = TypeVar("T")
Why = Literal["exited", "stopped", "killed", "lost", "engine"]
"""By itself; asked to stop; by SIGKILL of ours; nobody saw it; its engine was killed."""
RECORD = "container.json"
END = "end.json"
PID = "pid"
CODE = "code"
CONDITION = "health.json"
STOPPING = "stopping"
MONITOR = "monitor.log"
STREAMS = ("stdout", "stderr")
AGAIN = (0.01, 0.05, 0.2, 0.5)
"""Seconds between attempts to remove a folder."""
OPEN = 0o711
"""Others may pass through, since a container's root in a user namespace is somebody else; nobody may list."""


class Record(Value, frozen=True, kw_only=True):
    """What is known of a container from its beginning."""

    id: str
    container: Container
    engine: str
    """runc, crun, docker or podman."""
    program: str = ""
    """The engine's path."""
    foreground: bool = True
    """It ends with the wherry that started it."""
    remove: bool = False
    """Nothing of it is kept when it ends."""
    root: str = ""
    created: float = 0.0
    """Unix seconds."""
    addresses: tuple[str, ...] = ()
    """Where its published ports are: `127.0.0.1:8080->8080/tcp`."""
    started: float = 0.0
    """Unix seconds; 0: not yet."""
    keep: Keep = Keep()
    """How much of its output is kept."""


class End(Value, frozen=True, kw_only=True):
    """How a container ended."""

    code: int | None = None
    """None: nobody saw it."""
    finished: float = 0.0
    out_of_memory: bool = False
    why: Why = "exited"
    by: str = ""
    """The signal by which it was asked to stop; empty: by none."""
    grace: float = 0.0
    """Seconds that it was given from that signal on."""


class Stopping(Value, frozen=True, kw_only=True):
    """That somebody asks a container to stop, or kills it."""

    why: Why
    by: str
    grace: float = 0.0


class Place:
    """One container's folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.id = path, path.name
        self.lock = -1
        """Its descriptor while `attended`: whoever has a copy of it goes on looking after the container."""

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    @property
    def state(self) -> Path:
        """The runtime's own state."""
        return self.path / "state"

    @property
    def files(self) -> Path:
        """What is mounted from here: hosts, resolv.conf, secrets."""
        return self.path / "files"

    @property
    def logs(self) -> Path:
        """What it said, where it is kept."""
        return self.path / "logs"

    @property
    def code_file(self) -> Path:
        """Where the parent of a detached container writes its exit code, so that it outlives a monitor."""
        return self.path / CODE

    def record(self) -> Record | None:
        """None when the folder is none of a container's, or is being made or removed."""
        return _read(self.path / RECORD, Record)

    def keep(self, record: Record) -> None:
        """Writes the record whole."""
        atomic_write(self.path / RECORD, msgspec.json.encode(record), mode=0o600)

    def end(self) -> End | None:
        """How it ended; None while it has not, or nobody saw it."""
        return _read(self.path / END, End)

    def ended(self, end: End) -> None:
        """Writes how it ended."""
        atomic_write(self.path / END, msgspec.json.encode(end), mode=0o600)

    def pid(self) -> int:
        """The program's process on this machine; 0 before it started."""
        try:
            return int((self.path / PID).read_text())
        except (OSError, ValueError):
            return 0

    def code(self) -> int | None:
        """The exit code that its parent wrote."""
        try:
            text = self.code_file.read_text()
        except OSError:
            return None
        return int(text) if text.endswith("\n") and text.strip().isdigit() else None

    def condition(self) -> Condition | None:
        """How its monitor found it; None: nobody looked."""
        return _read(self.path / CONDITION, Condition)

    def is_now(self, condition: Condition) -> None:
        """Writes how it was found."""
        atomic_write(self.path / CONDITION, msgspec.json.encode(condition), mode=0o600)

    def stopping(self) -> Stopping | None:
        """Whether somebody asked it to stop, or killed it."""
        return _read(self.path / STOPPING, Stopping)

    def will_stop(self, asked: Stopping) -> None:
        """Says so before the signal is sent."""
        atomic_write(self.path / STOPPING, msgspec.json.encode(asked), mode=0o600)

    def stream(self, name: str) -> Path:
        """The pipe that one of STREAMS goes through, for a detached container."""
        return self.path / name

    def is_held(self) -> bool:
        """Whether any process has the program's streams open: its parent does from before its start until behind its end."""
        for name in STREAMS:
            try:
                os.close(os.open(self.stream(name), os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC))
                return True
            except OSError:
                continue
        return False

    def monitor_said(self) -> str:
        """What its monitor said when something went wrong there."""
        try:
            return (self.path / MONITOR).read_text("utf-8", "replace")[-4096:]
        except OSError:
            return ""

    def is_attended(self) -> bool:
        """Whether somebody looks after it now."""
        try:
            with self.attended(wait=False):
                return False
        except BlockingIOError:
            return True

    @contextlib.contextmanager
    def attended(self, *, wait: bool = False) -> Iterator[None]:
        """Holds its lock; BlockingIOError when another does, FileNotFoundError when the container is gone."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            self.lock = descriptor
            yield
        finally:
            self.lock = -1
            os.close(descriptor)

    def shed(self, *, deleted: bool) -> None:
        """Takes away what an ended container needs no more: its bundle, programs and secrets; record, end and log stay. The
        runtime's state stays, too, until the container is `deleted`: while it is there, whoever looks tries that again."""
        kept = {RECORD, END, CONDITION, MONITOR, self.logs.name, *(() if deleted else (self.state.name,))}
        for entry in self.path.iterdir():
            if entry.name not in kept:
                _take_away(entry)

    def remove(self) -> None:
        """Takes the folder away, its record last, so that a kill meanwhile leaves something that is cleaned up again. Again where
        a runtime or monitor that is about to end wrote something meanwhile."""
        for wait in AGAIN:
            for entry in self.path.iterdir():
                if entry.name != RECORD:
                    _take_away(entry)
            if {entry.name for entry in self.path.iterdir()} <= {RECORD}:
                (self.path / RECORD).unlink(missing_ok=True)
                break
            time.sleep(wait)
        self.path.rmdir()


def prepare(run: Path) -> Path:
    """Makes the run folder and the two in it."""
    with disk_errors(run):
        for folder in (run, run / "containers", run / "roots"):
            folder.mkdir(mode=OPEN, parents=True, exist_ok=True)
            if folder.stat().st_mode & 0o777 != OPEN and folder.stat().st_uid == os.geteuid():
                folder.chmod(OPEN)
    return run


def places(run: Path) -> tuple[Place, ...]:
    """All containers' folders, the oldest first."""
    try:
        found = [Place(path) for path in (run / "containers").iterdir() if path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return ()
    return tuple(sorted(found, key=lambda place: (_born(place.path), place.id)))


@contextlib.contextmanager
def gate(run: Path) -> Iterator[None]:
    """One at a time: names are given and roots are made or removed behind it."""
    descriptor = os.open(run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def new(run: Path, record: Record) -> Iterator[Place]:
    """A folder for `record`, its lock held. A name without digits behind it that is taken gets some, unless the user chose it:
    then UsageError [name-taken]. The caller removes the folder, or leaves it to be found."""
    with contextlib.ExitStack() as held:
        with gate(run), disk_errors(run):
            _refuse_taken(run, record)
            place = Place(run / "containers" / record.id)
            place.path.mkdir(mode=OPEN)
            place.path.chmod(OPEN)
            held.enter_context(place.attended())
            for folder in (place.bundle, place.files):
                folder.mkdir(mode=OPEN)
                folder.chmod(OPEN)
            place.state.mkdir(mode=0o700)
            place.keep(record)
        yield place


def _refuse_taken(run: Path, record: Record) -> None:
    for other in places(run):
        known = other.record()
        if known and known.container.name == record.container.name:
            raise UsageError(
                "name-taken",
                f"a container called {record.container.name} is there already",
                where=f"--name {record.container.name}",
                next=(f"wherry rm --force {shlex.quote(known.container.name)}", "another --name"),
            )


def find(run: Path, name: str) -> Place | None:
    """The container of that name or id, or of the only id that begins so (4 characters at least)."""
    known = [(place, record) for place in places(run) if (record := place.record())]
    for place, record in known:
        if name in (record.container.name, record.id):
            return place
    near = [place for place, record in known if len(name) >= 4 and record.id.startswith(name)]
    return near[0] if len(near) == 1 else None


def fresh_name(run: Path, title: str) -> str:
    """`title`, or `title-2` and so on when that is taken."""
    taken = {record.container.name for place in places(run) if (record := place.record())}
    number = 2
    name = title
    while name in taken:
        name = f"{title}-{number}"
        number += 1
    return name


def _take_away(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=decodable(kind))
    except (OSError, msgspec.MsgspecError):
        return None


def _born(path: Path) -> int:
    try:
        return (path / RECORD).stat().st_mtime_ns
    except OSError:
        return 0
