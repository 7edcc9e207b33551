"""What a container said, on the disk: pieces of its output in, a few files of bounded size out; and lines back from them.

The form is the Kubernetes runtime interface's (CRI): `TIME stdout F text`, P for a piece whose line goes on. A full disk loses
words and says how many; it never stops the program.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.kit.value import Value

NAME: Final = "log"
LONGEST: Final = 1 << 14
"""Bytes of a line that has not ended yet, before a piece of it is written."""
READ: Final = 1 << 20
FILE: Final = re.compile(rf"{NAME}(\.\d+)?", re.ASCII)


class Keep(Value, frozen=True, kw_only=True):
    """How much is kept."""

    size: int = 10 << 20
    """Bytes of one file, roughly: it is exceeded by at most one piece."""
    files: int = 3


class Line(Value, frozen=True, kw_only=True):
    """One line that a container said, or a piece of a long one."""

    time: str
    """RFC 3339 with nanoseconds, UTC: as text it sorts as time does."""
    stream: str
    whole: bool
    """False: the line goes on in the next piece."""
    text: bytes


class Writer:
    """Writes to `folder`; one process at a time."""

    def __init__(self, folder: Path, keep: Keep) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._path, self._keep = folder / NAME, keep
        self._pending = {"stdout": b"", "stderr": b""}
        self._descriptor, self._size, self._lost = -1, 0, 0

    def write(self, stream: str, data: bytes) -> None:
        """A piece of output as it came."""
        data = self._pending[stream] + data
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        prefix = stamp().encode() + b" " + stream.encode()
        out = b""
        if end:
            head = prefix + b" F "
            out = head + data[: end - 1].replace(b"\n", b"\n" + head) + b"\n"
        if len(rest) >= LONGEST:
            out += prefix + b" P " + rest + b"\n"
            rest = b""
        self._pending[stream] = rest
        if out:
            self._append(out)

    def flush(self) -> None:
        """Writes pieces of lines that have not ended, too."""
        for stream, rest in self._pending.items():
            if rest:
                self._append(f"{stamp()} {stream} P ".encode() + rest + b"\n")
                self._pending[stream] = b""

    def note(self, text: str) -> None:
        """A line of wherry's own."""
        self._append(f"{stamp()} wherry F {text}\n".encode())

    def close(self) -> None:
        """After the last word."""
        self.flush()
        self._forget()

    def _append(self, data: bytes) -> None:
        try:
            if self._descriptor < 0:
                self._open()
            if self._size and self._size + len(data) > self._keep.size:
                self._rotate()
            if self._lost:
                note = f"{stamp()} wherry F the disk was full: {self._lost} bytes are lost\n".encode()
                _put(self._descriptor, note)
                self._size, self._lost = self._size + len(note), 0
            _put(self._descriptor, data)
            self._size += len(data)
        except OSError:
            self._lost += len(data)
            self._forget()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        self._forget()
        for number in range(self._keep.files - 1, 0, -1):
            older = self._path.with_name(f"{NAME}.{number - 1}") if number > 1 else self._path
            with contextlib.suppress(FileNotFoundError):
                older.replace(self._path.with_name(f"{NAME}.{number}"))
        self._path.unlink(missing_ok=True)
        self._open()

    def _forget(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1


def _put(descriptor: int, data: bytes) -> None:
    """All of it, or an error and nothing: half a line would spoil the next one."""
    before = os.fstat(descriptor).st_size
    written = os.write(descriptor, data)
    try:
        while written < len(data):
            written += os.write(descriptor, data[written:])
    except OSError:
        os.ftruncate(descriptor, before)
        raise


class Tail:
    """Lines of a container from its oldest file on; `more` goes on where it ended, through rotations."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._rest = folder, b""
        self._file: int = -1

    def more(self) -> Iterator[Line]:
        """All lines that are there and were not given yet."""
        while True:
            if self._file < 0 and not self._first():
                return
            while data := os.read(self._file, READ):
                lines = (self._rest + data).split(b"\n")
                self._rest = lines.pop()
                yield from filter(None, map(parsed, lines))
            if not self._next():
                return

    def close(self) -> None:
        """Gives the file back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _first(self) -> bool:
        """The oldest file there is."""
        return any(self._opened(path) for path in reversed(files(self._folder)))

    def _next(self) -> bool:
        """The file behind this one; False when this is the newest. One that was rotated away meanwhile is followed by the
        oldest."""
        here = os.fstat(self._file)
        paths = list(reversed(files(self._folder)))
        place = next((number for number, path in enumerate(paths) if _inode(path) == here.st_ino), -1)
        if not paths or place == len(paths) - 1:
            return False
        if here.st_size > os.lseek(self._file, 0, os.SEEK_CUR):
            return True  # something came meanwhile
        self.close()
        return any(self._opened(path) for path in paths[place + 1 :])

    def _opened(self, path: Path) -> bool:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        self._rest = b""
        return True


def files(folder: Path) -> tuple[Path, ...]:
    """A container's log files, the newest first."""
    try:
        found = [path for path in folder.iterdir() if FILE.fullmatch(path.name)]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda path: int(path.suffix[1:] or "0")))


def parsed(line: bytes) -> Line | None:
    """None for what no Writer has written."""
    words = line.split(b" ", 3)
    if len(words) != 4 or words[2] not in (b"F", b"P"):
        return None
    when, stream = words[0].decode("ascii", "replace"), words[1].decode("ascii", "replace")
    return Line(time=when, stream=stream, whole=words[2] == b"F", text=words[3])


def last_lines(folder: Path, count: int) -> tuple[Line, ...]:
    """The last `count` lines, pieces joined, of the newest file and the one before."""
    found: list[Line] = []
    for path in files(folder)[:2]:
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - READ))
            found[:0] = [one for line in file.read(READ + 1).split(b"\n") if (one := parsed(line))]
        if sum(one.whole for one in found) > count:
            break
    return tuple(joined(found))[-count:] if count else ()


def joined(lines: list[Line]) -> Iterator[Line]:
    """Pieces of one line together; at most READ bytes of it."""
    held: dict[str, bytes] = {}
    for one in lines:
        text = (held.pop(one.stream, b"") + one.text)[:READ]
        if one.whole:
            yield Line(time=one.time, stream=one.stream, whole=True, text=text)
        else:
            held[one.stream] = text
    for stream, text in held.items():
        yield Line(time=lines[-1].time, stream=stream, whole=True, text=text)


def stamp(at: int | None = None) -> str:
    """Nanoseconds since 1970, now if none are said, as RFC 3339."""
    seconds, nano = divmod(time.time_ns() if at is None else at, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nano:09d}Z"


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1
