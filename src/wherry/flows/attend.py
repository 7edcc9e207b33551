"""Looks after one running container in the foreground: its output, its ports, its end. A place and ports in, an End out.

The first interrupt asks the program to stop, a second one kills it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from wherry.flows.followed import Followed
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.runtime import engines, oci
from wherry.runtime.folders import End, Place, Stopping
from wherry.runtime.kernel_log import KernelLog
from wherry.runtime.look import until_it_hears

CHUNK = 1 << 16
NAMES = ("stdout", "stderr")
PATIENCE = 2.0
"""Seconds for output that comes after the end; a process that outlived the container would hold the pipe for ever."""
KILLED = 137
Write = Callable[[str, bytes], None]
"""`stdout` or `stderr`, and what the program said there."""


class Attended(Value, frozen=True, kw_only=True):
    """One container that runs."""

    container: Container
    place: Place
    runtime: oci.Runtime
    child: Followed
    log: KernelLog | None = None
    """The kernel's, since before its start."""


@contextlib.contextmanager
def pipes(write: Write) -> Iterator[oci.Streams]:
    """Streams for a container whose output goes to `write`. Pipes, never our own terminal (F12); at the end all is written
    that was said."""
    pairs = [os.pipe() for _ in NAMES]
    threads = [
        threading.Thread(target=_drain, args=(read, name, write), daemon=True)
        for name, (read, _) in zip(NAMES, pairs, strict=True)
    ]
    for thread in threads:
        thread.start()
    streams = oci.Streams(stdout=pairs[0][1], stderr=pairs[1][1])
    try:
        yield streams
    finally:
        streams.close()
        for thread in threads:
            thread.join(PATIENCE)


def _drain(descriptor: int, name: str, write: Write) -> None:
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while data := pipe.read(CHUNK):
            write(name, data)


def until_end(attended: Attended, machine: Machine, begun: Callable[[], None] | None = None) -> End:
    """Waits for the program's own end, or brings it about when interrupted. `begun` is called first: an interrupt that comes as
    soon as somebody is told that it runs is one for the program, too."""
    try:
        if begun:
            begun()
        code = attended.child.wait()
        return ended(attended, code, None, machine)
    except KeyboardInterrupt:
        return stop(attended, machine)


def stop(attended: Attended, machine: Machine) -> End:
    """The stop signal, its grace, then SIGKILL; an interrupt meanwhile is SIGKILL at once."""
    by, grace = attended.container.stop_signal, attended.container.grace
    number, asked = int(signal.Signals[by]), Stopping(why="killed", by=by, grace=grace)
    try:
        until_it_hears(attended.place.pid(), number)
        _signal(attended, number, machine)
        code = attended.child.ended_within(grace)
    except KeyboardInterrupt:
        code, asked = None, Stopping(why="killed", by=signal.SIGKILL.name)
    if code is not None:
        return ended(attended, code, replace(asked, why="stopped"), machine)
    _signal(attended, signal.SIGKILL, machine)
    return ended(attended, attended.child.wait(), asked, machine)


def ended(attended: Attended, code: int | None, asked: Stopping | None, machine: Machine) -> End:
    """How it ended, read before its group is gone; what is left of it is taken away. `asked`: what we asked it ourselves."""
    memory = engines.out_of_memory(attended.runtime, attended.place, attended.log)
    if memory is None:
        memory = code == KILLED and asked is None
    said = attended.place.stopping() or asked or Stopping(why="exited", by="")
    end = End(code=code, finished=machine.now(), out_of_memory=memory, why=said.why, by=said.by, grace=said.grace)
    if attended.child.lost:
        end = End(finished=machine.now(), why="engine")
    if not engines.delete(attended.runtime, attended.place):
        attended.place.ended(end)
    return end


def _signal(attended: Attended, number: int, machine: Machine) -> None:
    pid = attended.place.pid()
    try:
        if pid:
            machine.kill(pid, number)
    except PermissionError:  # the program is another's; the engine may
        engines.signal(attended.runtime, attended.place, number)
