"""A terminal of a container's own beside the caller's: a command in, its exit code out; puts the caller's terminal into raw mode.

Never the caller's own terminal (F12): a program could push characters into it that the caller's shell reads afterwards.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import termios
import threading
import tty
from collections.abc import Iterator
from typing import Final

from wherry.kit.ports import Child, Command, Spawn

CHUNK: Final = 1 << 16
LOOK: Final = 0.1
SIZE: Final = b"\0" * 8


def in_terminal(command: Command, spawn: Spawn, stdin: int = 0, stdout: int = 1) -> int:
    """Runs it with a new terminal whose other end is the caller's streams; returns when it has ended."""
    ours, theirs = os.openpty()
    try:
        _copy_size(stdin, ours)
        try:
            child = spawn(command, theirs, theirs, theirs)
        finally:
            os.close(theirs)
        with _raw(stdin), _resized(stdin, ours, child):
            _copy(child, ours, stdin, stdout)
        code = child.wait()
        return 0 if code is None else code
    finally:
        os.close(ours)


def fed(stdin: int = 0) -> int:
    """The reading end of a pipe that gets what comes on `stdin`: so nobody else has the caller's terminal open."""
    reading, writing = os.pipe()

    def feed() -> None:
        with contextlib.suppress(OSError), os.fdopen(writing, "wb", buffering=0) as pipe:
            while data := os.read(stdin, CHUNK):
                pipe.write(data)

    threading.Thread(target=feed, name="input", daemon=True).start()
    return reading


def _copy(child: Child, ours: int, stdin: int, stdout: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        with contextlib.suppress(PermissionError):  # a file is always ready, and epoll knows none
            selector.register(stdin, selectors.EVENT_READ)
        while True:
            ready = selector.select(LOOK)
            for key, _ in ready:
                target = stdout if key.fd == ours else ours
                try:
                    data = os.read(key.fd, CHUNK)
                except OSError:  # EIO: the terminal's other end is closed
                    return
                if not data and key.fd == ours:
                    return
                if not data:
                    selector.unregister(stdin)
                    data = b"\x04"
                _write(target, data)
            if not ready and child.wait(0) is not None:
                return


def _write(target: int, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(target, data) :]


@contextlib.contextmanager
def _raw(stdin: int) -> Iterator[None]:
    if not os.isatty(stdin):
        yield
        return
    before = termios.tcgetattr(stdin)
    try:
        tty.setraw(stdin)
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resized(stdin: int, ours: int, child: Child) -> Iterator[None]:
    """The new terminal follows the caller's in size."""

    def follow(*_: object) -> None:
        _copy_size(stdin, ours)
        child.signal(signal.SIGWINCH)

    before = signal.signal(signal.SIGWINCH, follow)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _copy_size(source: int, target: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, SIZE))
