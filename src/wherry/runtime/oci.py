"""runc and crun: a Container and a root in, a running process out; starts the runtime by ports, touches the container's folder.

`RUNTIME run` stays in the foreground as the program's parent, so that somebody collects the exit code; nothing of this process is
open in it but the three streams (F01).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Final

import msgspec

from wherry.errors import UnavailableError, WherryError
from wherry.formats.seccomp import Seccomp
from wherry.kit.files import atomic_write, disk_errors
from wherry.kit.ports import Child, Command, Run, Spawn
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.model.plan import Pairs
from wherry.runtime import cgroups
from wherry.runtime.folders import PID, Place
from wherry.runtime.outward import LINGERS, RESOLVER, trouble
from wherry.runtime.spec import Surroundings, by_systemd, spec

PATIENCE: Final = 30.0
STEP: Final = 0.001
NAMES: Final = ("runc", "crun")
#: Runtimes need nothing of the user's environment.
ENVIRONMENT: Final = (
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("XDG_RUNTIME_DIR", "/run"),
)


class Runtime(Value, frozen=True, kw_only=True):
    """An engine's program, and how to start it."""

    name: str
    """runc, crun, docker or podman."""
    program: str
    version: str
    run: Run
    spawn: Spawn
    no_pivot: bool = False
    """/ of this process is no mount point (a plain chroot), so pivot_root(2) cannot be used."""
    environment: Pairs = ENVIRONMENT
    outward: str = ""
    """slirp4netns, where it is here and this runtime can use it: what leads out of a container's network."""
    prefix: tuple[str, ...] = ()
    """Words before the program: what brings about a state of this machine without which it refuses to work."""

    @property
    def words(self) -> tuple[str, ...]:
        """How a command line begins."""
        return (*self.prefix, self.program)


class Streams:
    """Open descriptors for the container's three streams; -1: nothing."""

    def __init__(self, *, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr

    def close(self) -> None:
        """This process's ends: the container has its own. Once only: the numbers soon belong to somebody else."""
        ours = {self.stdin, self.stdout, self.stderr} - {-1}
        self.stdin = self.stdout = self.stderr = -1
        for descriptor in ours:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def prepare(runtime: Runtime, container: Container, place: Place, root: str, seccomp: Seccomp | None) -> None:
    """config.json and the files it mounts."""
    write_files(container, place.files)
    around = Surroundings(
        id=place.id,
        root=root,
        files=str(place.files),
        seccomp=seccomp,
        outward=runtime.outward,
        folder=str(place.path),
        lingers=runtime.name in LINGERS,
        groups_shown=shows_groups(runtime),
    )
    atomic_write(place.bundle / "config.json", msgspec.json.encode(spec(container, around)), mode=0o600)


def start(runtime: Runtime, place: Place, streams: Streams) -> Child:
    """Starts what the bundle says; returns when the program runs, with its parent: that one's exit code is the program's.

    UnavailableError [cannot-start], with what the runtime said; what is a mistake of the image has its own name."""
    log = place.path / "runtime.log"
    argv = [*runtime.words, "--root", str(place.state), "--log", str(log), "--log-format", "json"]
    record = place.record()
    argv += ["--systemd-cgroup"] if record and by_systemd(record.container.group) else []
    argv += ["run"]
    argv += ["--no-pivot"] if runtime.no_pivot else []
    argv += ["--keep"] if keeps(runtime) else []  # else its group is gone before anybody has read how it ended
    argv += ["--bundle", str(place.bundle), "--pid-file", str(place.path / PID), place.id]
    command = Command(argv=tuple(argv), environment=runtime.environment, directory="/")
    child = runtime.spawn(command, stdin=streams.stdin, stdout=streams.stdout, stderr=streams.stderr)
    end = time.monotonic() + PATIENCE
    while not place.pid():
        code = child.wait(STEP)
        if code is not None:
            if place.pid():
                break  # it was quick, and has ended
            from wherry.runtime.rootless import suspected

            raise suspected(explained(log, code))
        if time.monotonic() > end:
            child.signal(9)
            raise UnavailableError("cannot-start", f"{runtime.name} did not start the container in {PATIENCE:.0f} s")
    return child


def shows_groups(runtime: Runtime) -> bool:
    """Whether the program may be shown its control groups: crun 1.8 lets everybody write to the memory that it lays above version
    1's controllers."""
    return runtime.name != "crun" or (cgroups.MOUNT / "cgroup.controllers").exists()


def keeps(runtime: Runtime) -> bool:
    """Whether it can leave an ended container until it is deleted: seen of crun 1.21, not of 1.8."""
    numbers = re.findall(r"\d+", runtime.version)[:2]
    return runtime.name == "runc" or tuple(map(int, numbers)) >= (1, 21)


def delete(runtime: Runtime, place: Place) -> bool:
    """Kills what is left of the container and takes its groups and mounts away; nothing happens when there is nothing."""
    command = (*runtime.words, "--root", str(place.state), "delete", "--force", place.id)
    runtime.run(Command(argv=command, environment=runtime.environment, directory="/", timeout=PATIENCE))
    return not (place.state / place.id).exists()


def out_of_memory(_: Runtime, place: Place) -> bool | None:
    """What its group counts; None when the group went with the container (crun)."""
    record = place.record()
    above = record.container.group if record else ""
    kills = None if above is None else cgroups.usage(cgroups.group_named(place.id, above)).oom_kills
    return None if kills is None else bool(kills)


def signal(runtime: Runtime, place: Place, number: int) -> None:
    """`RUNTIME kill`."""
    command = (*runtime.words, "--root", str(place.state), "kill", place.id, str(number))
    runtime.run(Command(argv=command, environment=ENVIRONMENT, directory="/", timeout=PATIENCE))


def inside(runtime: Runtime, place: Place, words: tuple[str, ...]) -> Command:
    """`RUNTIME exec`."""
    argv = (*runtime.words, "--root", str(place.state), "exec", place.id, *words)
    return Command(argv=argv, environment=runtime.environment, directory="/")


def explained(log: Path, code: int) -> WherryError:
    """What kept the container from starting, in words."""
    from wherry.runtime.failures import failure

    said = [message for message in (*_messages(log), trouble(log.parent)) if message]
    return failure("\n".join(said) or f"it ended with status {code} and said nothing")


def _messages(log: Path) -> list[str]:
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
            if entry.get("level") in ("error", "fatal"):
                found.append(str(entry.get("msg", "")))
        except (ValueError, AttributeError):
            found.append(line)
    return found


def write_files(container: Container, folder: Path) -> None:
    """hosts, hostname and resolv.conf, which every container has of its own."""
    hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost\n"
    hosts += f"127.0.1.1\t{container.hostname}\n" if container.hostname else ""
    servers = {"host": _read("/etc/resolv.conf"), "out": f"nameserver {RESOLVER}\n"}
    resolv = servers.get(container.network, "")
    texts = {"hosts": hosts, "hostname": f"{container.hostname}\n", "resolv.conf": resolv}
    for name, text in texts.items():
        path = folder / name
        with disk_errors(path):
            path.write_text(text)
            path.chmod(0o644)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def is_chroot() -> bool:
    """Whether / of this process is no mount point."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:  # noqa: PTH123
        return not any(line.split()[4] == "/" for line in mounts)
