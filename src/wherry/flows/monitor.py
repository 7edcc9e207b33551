"""Looks after one detached container: starts it, keeps its output, asks for its health, forwards its ports, writes its end.

Nothing of the container depends on this process. Its streams are pipes in the container's folder that its parent holds open in
both directions, so nobody gets SIGPIPE when the monitor is gone; that parent, a shell of one line, writes the exit code. Whoever
looks next starts another monitor, which takes all of it over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import threading
import time
from typing import Final

from msgspec.structs import replace

from wherry.errors import UsageError, WherryError
from wherry.flows import health
from wherry.flows.attend import KILLED, Attended
from wherry.flows.followed import Followed
from wherry.flows.held import refuse_reduced
from wherry.kit.attending import Forwarding, Opening
from wherry.kit.ports import Child, Command, Machine, Spawn
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.runtime import client, engines
from wherry.runtime.arguments import CLIENTS
from wherry.runtime.folders import STREAMS, End, Place, Record, Stopping
from wherry.runtime.kernel_log import KernelLog
from wherry.runtime.logs import Writer
from wherry.runtime.oci import Runtime, Streams

#: Runs the words behind it, and writes how they ended.
PARENT: Final = '"$@"; code=$?; echo $code >"$0"; exit $code'
PIPE: Final = 1 << 20
"""Bytes that a pipe takes while no monitor is there."""
CHUNK: Final = 1 << 18
IDLE: Final = 1.0
PATIENCE: Final = 5.0
"""Seconds between the end of the streams and the exit code."""
STARTING: Final = 30.0
STEP: Final = 0.005


class Watched(Value, frozen=True, kw_only=True):
    """A container that runs, and all that its monitor holds of it."""

    record: Record
    one: Attended
    ports: Forwarding
    writer: Writer
    readers: dict[str, int]


def begin(place: Place, runtime: Runtime, machine: Machine) -> Watched:
    """Starts what lies in `place`. UsageError [port-in-use]; UnavailableError [reduced-isolation]; what
    `engines.start` raises."""
    record, log = _record(place), KernelLog()
    ports = machine.forward(openings(record.container, runtime))
    try:
        streams = _streams(place)
        readers = _readers(place)  # before anybody can have written and gone
        try:
            child = engines.start(replace(runtime, spawn=parent(runtime.spawn, place)), place, streams)
        finally:
            streams.close()
        followed = Followed(child, place, machine.kill)
        one = Attended(container=record.container, place=place, runtime=runtime, child=followed, log=log)
        refuse_reduced(one, machine)
        lead(ports, place)
    except BaseException:
        ports.close()
        log.close()
        raise
    record = replace(record, addresses=ports.addresses, started=machine.now())
    place.keep(record)
    return Watched(record=record, one=one, ports=ports, writer=Writer(place.logs, record.keep), readers=readers)


def take_over(place: Place, runtime: Runtime, machine: Machine) -> Watched:
    """The same for a container whose monitor has died."""
    record = _record(place)
    readers = _readers(place)
    writer = Writer(place.logs, record.keep)
    writer.note("the monitor had died; another one goes on from here")
    end = time.monotonic() + STARTING
    while not place.pid() and place.is_held() and time.monotonic() < end:
        time.sleep(STEP)
    try:
        ports = machine.forward(_same(record))
    except WherryError as error:
        writer.note(f"its ports are not forwarded any more: {error.message}")
        ports = machine.forward(())
    lead(ports, place)
    record = replace(record, started=record.started or machine.now())
    place.keep(record)
    followed = Followed(Foreign(place), place, machine.kill)
    one = Attended(container=record.container, place=place, runtime=runtime, child=followed)
    return Watched(record=record, one=one, ports=ports, writer=writer, readers=readers)


class Foreign:
    """A container's parent that is not this process's child: its end shows at the streams that it holds. A
    `kit.ports.Child`."""

    def __init__(self, place: Place) -> None:
        self.pid, self._place = place.pid(), place

    def wait(self, seconds: float | None = None, /) -> int | None:
        """The code that it wrote; None when it has not ended, or ended without a word."""
        end = None if seconds is None else time.monotonic() + seconds
        while (code := self._place.code()) is None and (end is None or time.monotonic() < end):
            time.sleep(STEP)
        return code

    def signal(self, number: int, /) -> None:
        """Nobody sends it any."""


def stay(watched: Watched, machine: Machine) -> End:
    """Until the container's end, which is written and its remains taken away."""
    one, over = watched.one, threading.Event()
    doctor = threading.Thread(
        target=health.watched, args=(one, machine, one.place.is_now, over), name="health", daemon=True
    )
    with contextlib.closing(watched.writer), contextlib.closing(watched.ports):
        doctor.start()
        _copy_output(watched)
        over.set()
        code = one.child.wait(PATIENCE)
        end = conclude(one.place, one.runtime, Seen(code=code, lost=one.child.lost, log=one.log), machine)
        if one.log is not None:
            one.log.close()
        doctor.join(IDLE)
    if (one.place.record() or watched.record).remove and not one.place.state.exists():
        with contextlib.suppress(OSError):
            one.place.remove()
    return end


class Seen(Value, frozen=True, kw_only=True):
    """What was seen of a container's end."""

    code: int | None
    lost: bool = False
    """Its engine was killed, and with it the program."""
    log: KernelLog | None = None


def conclude(place: Place, runtime: Runtime, seen: Seen, machine: Machine) -> End:
    """Writes how it ended, then takes away what is left beside record, end and log."""
    asked = place.stopping()
    memory = engines.out_of_memory(runtime, place, seen.log)
    if memory is None:
        memory = seen.code == KILLED and asked is None
    said = asked or Stopping(why="exited" if seen.code is not None else "lost", by="")
    end = End(code=seen.code, finished=machine.now(), out_of_memory=memory, why=said.why, by=said.by, grace=said.grace)
    if seen.lost:
        end = End(finished=machine.now(), why="engine")
    place.ended(end)
    place.shed(deleted=engines.delete(runtime, place))
    return end


def parent(spawn: Spawn, place: Place) -> Spawn:
    """`spawn` whose children's exit codes are written to the place's `code`."""

    def started(command: Command, /, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> Child:
        argv = ("/bin/sh", "-c", PARENT, str(place.code_file), *command.argv)
        return spawn(replace(command, argv=argv), stdin, stdout, stderr)

    return started


def openings(container: Container, runtime: Runtime) -> tuple[Opening, ...]:
    """The ports to listen on; none where the engine publishes them itself. UsageError [container-option] for UDP."""
    if runtime.name in CLIENTS and client.publishes(container):
        return ()
    for row in container.publish:
        if row.protocol != "tcp":
            raise UsageError(
                "container-option",
                "wherry's own engines forward TCP only",
                where=f"-p {row.port}/{row.protocol}",
                next=("--network host", "--engine docker or podman"),
            )
    return tuple(Opening(host=row.host, outer=row.host_port, inner=row.port) for row in container.publish)


def _same(record: Record) -> tuple[Opening, ...]:
    """Where they were: a free one was chosen then."""
    rows = []
    for address in record.addresses:
        outer, _, inner = address.partition("->")
        host, _, number = outer.rpartition(":")
        rows.append(Opening(host=host.strip("[]"), outer=int(number), inner=int(inner.partition("/")[0])))
    return tuple(rows)


def lead(ports: Forwarding, place: Place) -> None:
    """Into the container; nowhere when it ended before anybody knew its process: 0 is this machine's own network."""
    if pid := place.pid():
        ports.to(pid)


def _record(place: Place) -> Record:
    record = place.record()
    assert record is not None, "its folder was made whole"
    return record


def _streams(place: Place) -> Streams:
    """Both pipes, open in both directions (pipe(7), fifo(7))."""
    opened = {}
    for name in STREAMS:
        os.mkfifo(place.stream(name), 0o600)
        opened[name] = os.open(place.stream(name), os.O_RDWR | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # an ordinary user may have too many already
            fcntl.fcntl(opened[name], fcntl.F_SETPIPE_SZ, PIPE)
    return Streams(**opened)


def _copy_output(watched: Watched) -> None:
    """Until nobody holds the streams any more. What outlives the container and holds them is not waited for."""
    with selectors.DefaultSelector() as selector:
        for name, descriptor in watched.readers.items():
            selector.register(descriptor, selectors.EVENT_READ, name)
        ended, look = False, 0.0
        while selector.get_map():
            ready = selector.select(0.0 if ended else IDLE)
            for key, _ in ready:
                data = _read(key.fd)
                if data:
                    watched.writer.write(key.data, data)
                elif data is not None:
                    selector.unregister(key.fd)
            if not ready:
                if ended:
                    return
                watched.writer.flush()
            if not ended and time.monotonic() > look:  # one that always says something, too, can lose its engine
                ended, look = watched.one.child.wait(0) is not None, time.monotonic() + IDLE


def _read(descriptor: int) -> bytes | None:
    """None: nothing now; empty: nothing any more."""
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:
        return None


def _readers(place: Place) -> dict[str, int]:
    """The reading ends of the pipes that are there."""
    opened = {}
    for name in STREAMS:
        with contextlib.suppress(FileNotFoundError):
            opened[name] = os.open(place.stream(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return opened
