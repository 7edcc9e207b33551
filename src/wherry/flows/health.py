"""Asks a running container how it is. A container and ports in, probes and conditions out; one loop for as long as it runs.

A route is asked from outside by the dial port, in the container's own network: it costs a millisecond, needs nothing in the
image, and does not count against the container's limits. A command can only be run inside, by the engine's exec.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import UnavailableError, WherryError
from wherry.flows.attend import Attended, pipes
from wherry.kit.ports import Child, Command, Machine
from wherry.model.plan import Health
from wherry.probe.elf import HEALTHY_STATUS
from wherry.runtime import engines, oci
from wherry.runtime.health import Condition, Probe, after, pause
from wherry.runtime.look import answers_at

ANSWER: Final = 1 << 12
PATIENCE: Final = 2.0
STARTING: Final = 10.0
"""Seconds that a runtime on a busy machine may take to start a command whose time is over: before that there is none to kill."""
STEP: Final = 0.01
HOSTS: Final = ("127.0.0.1", "::1")
Changed = Callable[[Condition], None]


def watched(one: Attended, machine: Machine, told: Changed, over: threading.Event) -> None:
    """Probes until `over`, and tells every condition. Where somebody did so before, from what he knew."""
    health = one.container.health
    if health is None:
        return
    known = one.place.condition() or Condition(since=machine.now())
    started = known.since  # what is asked for only while it starts
    _tell(told, known)
    left = pause(replace(known, probes=()), health, started, machine.now())  # what it knew may be old
    while not over.wait(left):
        probed = probe(one, health, machine)
        if over.is_set():
            return
        known = after(known, probed, health, started)
        _tell(told, known)
        left = pause(known, health, started, machine.now())


def _tell(told: Changed, known: Condition) -> None:
    """A full disk, or a folder that is gone, ends no watch."""
    with contextlib.suppress(WherryError):
        told(known)


def probe(one: Attended, health: Health, machine: Machine) -> Probe:
    """One look."""
    began, clock = machine.now(), time.monotonic()
    well, said = _asked(one, health, machine) if health.port else _run(one, health, machine)
    return Probe(began=began, seconds=time.monotonic() - clock, well=well, said=said)


def _asked(one: Attended, health: Health, machine: Machine) -> tuple[bool, str]:
    """One GET; all of it within the timeout."""
    end = time.monotonic() + health.timeout
    path = health.path or "/"
    if not answers_at(one.place.pid(), health.port):  # in this machine's network somebody else might answer
        return False, f"it does not listen on {health.port} itself"
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: wherry-probe\r\nConnection: close\r\n\r\n"
    data = b""
    try:
        try:
            opened = machine.dial(one.place.pid(), (HOSTS[0], health.port), health.timeout)
        except ConnectionRefusedError:
            opened = machine.dial(one.place.pid(), (HOSTS[1], health.port), health.timeout)
        with contextlib.closing(opened) as connection:
            connection.settimeout(max(0.01, end - time.monotonic()))
            connection.sendall(request.encode("ascii", "replace"))
            while b"\r\n" not in data and len(data) < ANSWER and (more := connection.recv(ANSWER)):
                data += more
                connection.settimeout(max(0.01, end - time.monotonic()))
    except TimeoutError:
        return False, f"no answer from {path} in {health.timeout:g} s"
    except ConnectionRefusedError:
        return False, f"nothing listens on {health.port}"
    except OSError as error:
        return False, error.strerror or str(error)
    words = data.split(b"\r\n", 1)[0].decode("latin-1").split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return False, f"what answers on {health.port} does not speak HTTP"
    return int(words[1]) in HEALTHY_STATUS, f"{words[1]} from {path}"


def _run(one: Attended, health: Health, machine: Machine) -> tuple[bool, str]:
    """The command inside. When its time is over it is killed before its parent out here: else nobody would collect it but the
    application, which does not know of it."""
    pid_file = one.place.path / "probe.pid"
    pid_file.unlink(missing_ok=True)
    command = engines.inside(one.runtime, one.place, health.command)
    if one.runtime.name in oci.NAMES:
        command = _with_pid_file(command, str(pid_file))
    said: list[bytes] = []
    try:
        with pipes(lambda _, data: _keep(said, data)) as streams:
            child = machine.spawn(command, -1, streams.stdout, streams.stderr)
            streams.close()
            code = child.wait(health.timeout)
            if code is None:
                if one.runtime.name in oci.NAMES:
                    _kill_inside(child, pid_file, machine)
                if child.wait(PATIENCE) is None:
                    child.signal(signal.SIGKILL)
                return False, f"it did not end in {health.timeout:g} s"
    except UnavailableError as error:
        return False, error.message
    return code == 0, b"".join(said).decode("utf-8", "replace").strip() or f"status {code}"


def _kill_inside(child: Child, pid_file: Path, machine: Machine) -> None:
    """The command, once its runtime has told its process."""
    end = time.monotonic() + STARTING
    while child.wait(STEP) is None and time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            machine.kill(int(pid_file.read_text()), signal.SIGKILL)
            return


def _keep(said: list[bytes], data: bytes) -> None:
    if sum(map(len, said)) < ANSWER:
        said.append(data[:ANSWER])


def _with_pid_file(command: Command, file: str) -> Command:
    place = command.argv.index("exec") + 1
    return replace(command, argv=(*command.argv[:place], "--pid-file", file, *command.argv[place:]))
