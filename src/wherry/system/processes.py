"""The Run port: commands in, their ends out; starts processes, each in a session of its own.

A worker thread starts and drains each child while the caller only waits; so an interrupt, which Python delivers to the
main thread between two steps, always finds the child registered and ends its whole group (H06). No shell, nothing
inherited.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from typing import IO

from wherry.errors import UnavailableError, WherryError
from wherry.kit.ports import Command, Completed

CHUNK = 1 << 16
#: After a polite SIGTERM, on which git removes its lock files, SIGKILL follows.
GRACE = 0.7
#: How often to look whether a silent child has ended while a descendant holds its pipes.
LOOK = 0.25
#: Bytes of input that a pipe surely takes at once.
MOST_INPUT = 60 << 10


class Processes:
    """Runs children; `stop` ends all of them from any thread. One instance may run several at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: list[_Task] = []
        self._stopped = False

    def __call__(self, command: Command, /) -> Completed:
        """Runs one child to its end; see `kit.ports.Run`. Raises UnavailableError [program-start], [program-timeout],
        [program-output] (it said more than the limit) or [stopped]."""
        task = _Task(command)
        with self._lock:
            if self._stopped:
                raise _given_up(command)
            self._tasks.append(task)
        try:
            return task.run()
        finally:
            with self._lock:
                self._tasks.remove(task)

    def stop(self) -> None:
        """Ends every child's group and refuses new ones."""
        with self._lock:
            self._stopped = True
            tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()


class _Task:
    """One child and the thread that drains it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._lock = threading.Lock()
        self._cancelled = False
        self._child: subprocess.Popen[bytes] | None = None
        self._done = threading.Semaphore(0)
        self._outcome: Completed | WherryError | None = None

    def run(self) -> Completed:
        try:
            threading.Thread(target=self._work, name=f"run {self.command.argv[0]}", daemon=True).start()
            self._done.acquire()
        except BaseException:
            self.cancel()
            raise
        if isinstance(self._outcome, Completed):
            return self._outcome
        raise self._outcome or RuntimeError("a child was run, but its end was lost")

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
        if self._child is not None:
            end_group(self._child)

    def _work(self) -> None:
        try:
            self._outcome = self._drive()
        except WherryError as error:
            self._outcome = error
        finally:
            self._done.release()

    def _drive(self) -> Completed:
        begin = time.monotonic()
        with self._lock:
            if self._cancelled:
                raise _given_up(self.command)
            child = self._child = _start(self.command)
        try:
            stdout, stderr = _drain(child, self.command)
        except BaseException:
            end_group(child)
            raise
        finally:
            code = child.wait()
            for stream in (child.stdout, child.stderr):
                if stream is not None:
                    stream.close()
        if self._cancelled:
            raise _given_up(self.command)
        seconds = time.monotonic() - begin
        return Completed(code=128 - code if code < 0 else code, stdout=stdout, stderr=stderr, seconds=seconds)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Ends the child and all that belong to its group: SIGTERM, then after GRACE seconds SIGKILL."""
    deadline = time.monotonic() + GRACE
    try:
        alive = _signal(child, signal.SIGTERM)
        while alive and time.monotonic() < deadline:
            time.sleep(0.01)
            child.poll()
            alive = _signal(child, 0)
    finally:
        _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen[bytes], number: int) -> bool:
    """False when nobody is left in the group."""
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _start(command: Command) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as opened:
        try:
            return subprocess.Popen(
                command.argv,
                stdin=opened.enter_context(_input(command)) if command.stdin or command.input else subprocess.DEVNULL,
                stdout=opened.enter_context(open(command.stdout, "wb")) if command.stdout else subprocess.PIPE,  # noqa: PTH123
                stderr=subprocess.PIPE,
                cwd=command.directory or None,
                env=dict(command.environment),
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise _not_started(command, error) from error


def _input(command: Command) -> IO[bytes]:
    """What the child reads. A text goes into a pipe whole, which holds 64 KiB, so that nobody has to feed the child."""
    if command.input is None:
        return open(command.stdin, "rb")  # noqa: PTH123 - the caller closes it
    text = command.input.reveal().encode()
    if len(text) > MOST_INPUT:
        raise ValueError("its input is too long")
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    return os.fdopen(reading, "rb")


def _drain(child: subprocess.Popen[bytes], command: Command) -> tuple[bytes, bytes]:
    """All that the child says on both streams; ends when they close, or when the child has ended and its heirs are silent."""
    deadline = time.monotonic() + command.timeout if command.timeout else float("inf")
    said: dict[int, bytearray] = {}
    streams = [stream for stream in (child.stdout, child.stderr) if stream is not None]
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
            said[stream.fileno()] = bytearray()
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_late(command)
            has_ended = child.poll() is not None  # before the look: what it said last is there by then
            ready = selector.select(min(LOOK, left))
            if not ready and has_ended:
                break
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                said[key.fd] += chunk
                if len(said[key.fd]) > command.limit:
                    raise _too_much(command)
    _await(child, command, deadline)
    stdout = bytes(said[child.stdout.fileno()]) if child.stdout is not None else b""
    return stdout, bytes(said[child.stderr.fileno()]) if child.stderr is not None else b""


def _await(child: subprocess.Popen[bytes], command: Command, deadline: float) -> None:
    """A child may close its streams long before it ends; its time counts still."""
    try:
        child.wait(None if deadline == float("inf") else max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise _too_late(command) from error


def _not_started(command: Command, error: OSError | ValueError) -> UnavailableError:
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    place = str(error.filename or "") if isinstance(error, OSError) else ""
    return UnavailableError(
        "program-start", f"could not start {command.argv[0]}: {reason}", where=place or command.argv[0]
    )


def _too_late(command: Command) -> UnavailableError:
    return UnavailableError(
        "program-timeout", f"{command.argv[0]} did not end within {command.timeout:g} s and was stopped"
    )


def _too_much(command: Command) -> UnavailableError:
    return UnavailableError("program-output", f"{command.argv[0]} said more than {command.limit} bytes and was stopped")


def _given_up(command: Command) -> UnavailableError:
    return UnavailableError("stopped", f"{command.argv[0]} was stopped, because its work was given up")
