"""A container that runs while somebody looks at it. Made in, a live one out; stopped and taken away at the end."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from wherry.flows import attend, health
from wherry.flows.container import Made, placed
from wherry.flows.followed import Followed, refuse_loss
from wherry.flows.held import refuse_reduced
from wherry.kit.ports import Machine
from wherry.kit.text import one_line
from wherry.model.container import Container
from wherry.runtime import cgroups, engines
from wherry.runtime.health import Probe
from wherry.runtime.kernel_log import KernelLog
from wherry.runtime.look import lives

KEPT = 1 << 16
STEP = 0.003


class Log:
    """The end of what a container said, bounded."""

    def __init__(self) -> None:
        self._lock, self._data = threading.Lock(), b""
        self._streams: dict[str, bytes] = {}

    def write(self, stream: str, data: bytes) -> None:
        """As `attend.Write`."""
        with self._lock:
            self._data = (self._data + data)[-KEPT:]
            self._streams[stream] = (self._streams.get(stream, b"") + data)[-KEPT:]

    def lines(self, most: int = 5) -> tuple[str, ...]:
        """The last lines, made harmless."""
        with self._lock:
            text = self._data.decode("utf-8", "replace")
        return tuple(one_line(line.expandtabs(4))[:200] for line in text.splitlines() if line.strip())[-most:]

    def text(self, stream: str = "") -> str:
        """All that is kept, of one stream (stdout or stderr) or of both."""
        with self._lock:
            return (self._streams.get(stream, b"") if stream else self._data).decode("utf-8", "replace")


class Live:
    """One running container, its process `pid` on this machine and its output."""

    def __init__(self, one: attend.Attended, log: Log, machine: Machine) -> None:
        self.container, self.log, self.began = one.container, log, time.monotonic()
        self._one, self._machine = one, machine
        self.pid = one.place.pid()
        self._group = _group(self.pid)

    @property
    def age(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self.began

    def usage(self) -> cgroups.Usage:
        """What its control group says now."""
        return cgroups.usage(self._group)

    def out_of_memory(self) -> bool | None:
        """Whether its memory limit killed it, by whoever knows: its group, its engine or the kernel's log; None: nobody does."""
        kills = self.usage().oom_kills
        return True if kills else engines.out_of_memory(self._one.runtime, self._one.place, self._one.log)

    def signal(self, name: str) -> None:
        """To the first process."""
        self._machine.kill(self.pid, int(signal.Signals[name]))

    def checked(self) -> Probe | None:
        """One run of its health command inside, by its engine; None: it has none."""
        check = self.container.health
        return health.probe(self._one, check, self._machine) if check and check.command else None

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None when it has not ended after `seconds`. One that has is waited for until its engine tells how."""
        return self._one.child.ended_within(seconds)

    def watched(self, seconds: float) -> tuple[float, float]:
        """Watches the program until it has ended, but no longer than `seconds`: the last moment at which it was seen alive, and
        that of the last look. `wait` tells how it ended."""
        alive = now = time.monotonic()
        end = now + seconds
        while now < end and lives(self.pid):
            alive = now
            self._one.child.wait(min(STEP, end - now))
            now = time.monotonic()
        return alive, now

    def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Looks every few milliseconds until `what` holds; False when it ended or the time was over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return True
            if self._one.child.wait(STEP) is not None:
                return False
        return False


@contextlib.contextmanager
def live(
    made: Made,
    machine: Machine,
    change: Callable[[Container], Container] | None = None,
    before: Callable[[], object] = lambda: None,
) -> Iterator[Live]:
    """Starts `made`, or what `change` makes of its container, without published ports; killed and taken away at the end. `before`
    is called last before its start.

    UnavailableError [cannot-start], [reduced-isolation], BuildError [no-entrypoint] and its like."""
    container = replace(made.container, publish=())
    container = replace(change(container) if change else container, name=f"{container.name}-{time.monotonic_ns()}")
    log = Log()
    with contextlib.ExitStack() as held:
        ready = held.enter_context(placed(replace(made, container=container), machine))
        streams = held.enter_context(attend.pipes(log.write))
        kernel = held.enter_context(contextlib.closing(KernelLog()))
        before()
        child = engines.start(ready.runtime, ready.place, streams)
        streams.close()
        followed = Followed(child, ready.place, machine.kill)
        one = attend.Attended(container=container, place=ready.place, runtime=ready.runtime, child=followed, log=kernel)
        try:
            running = Live(one, log, machine)
            refuse_reduced(one, machine)
            yield running
            refuse_loss(followed, ready.runtime.name, made.container.name)
        finally:
            if followed.wait(0) is None:
                machine.kill(ready.place.pid(), signal.SIGKILL)
                followed.wait(10.0)


def _group(pid: int) -> cgroups.Group:
    try:
        return cgroups.group_of(pid)
    except OSError:
        return cgroups.Group()
