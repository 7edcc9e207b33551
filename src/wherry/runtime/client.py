"""docker and podman as engines: a Container and an image's name in, a running process out; starts their programs, touches the
container's folder.

`docker run` stays in the foreground: its exit code is the program's, and its streams are. What it says itself goes to the same
stderr, so that stream is held back until the program runs.
"""

from __future__ import annotations

import contextlib
import os
import resource
import threading
import time
from pathlib import Path
from typing import Final, cast

import msgspec

from wherry.errors import UnavailableError
from wherry.formats.seccomp import Seccomp, encode, to_docker
from wherry.kit.files import atomic_write
from wherry.kit.ports import Child, Command
from wherry.kit.value import Value, decodable
from wherry.model.container import Container
from wherry.model.plan import Pairs
from wherry.runtime.arguments import Client, Given, arguments, fits_a_line
from wherry.runtime.folders import PID, Place
from wherry.runtime.oci import Runtime, Streams

PATIENCE: Final = 60.0
STEP: Final = 0.01
STRANGE: Final = 10.0
"""Seconds that a running container's process may not be found here: it may have ended, which a busy engine takes its time to
notice."""
COMMAND: Final = "command.json"
LABEL: Final = "wherry.id"
NOT_STARTED: Final = ("created", "configured", "initialized", "")
CHUNK: Final = 1 << 16
KEPT: Final = 1 << 20
#: What the two programs read of the environment; nothing else of it concerns them.
VARIABLES: Final = frozenset(
    (
        *("HOME", "PATH", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
        *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"),
        *("DOCKER_API_VERSION", "CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE", "CONTAINERS_STORAGE_CONF"),
        *("CONTAINERS_REGISTRIES_CONF", "STORAGE_DRIVER", "STORAGE_OPTS", "DBUS_SESSION_BUS_ADDRESS"),
        "_CONTAINERS_USERNS_CONFIGURED",
    )
)


class State(Value, frozen=True, kw_only=True):
    """What `inspect` says of a container."""

    id: str = ""
    status: str = ""
    pid: int = 0
    out_of_memory: bool = False

    @property
    def has_run(self) -> bool:
        """Its program was started, whatever became of it."""
        return self.status not in NOT_STARTED


def name_of(place: Place) -> str:
    """What the engine calls the container."""
    return f"wherry-{place.id}"


def prepare(runtime: Runtime, container: Container, place: Place, image: str, seccomp: Seccomp | None) -> None:
    """The words of `run`, and the files that they name."""
    profile, variables = place.bundle / "seccomp.json", place.path / "environment"
    if seccomp is not None:
        atomic_write(profile, encode(to_docker(seccomp)), mode=0o600)
    atomic_write(variables, _lines(container.environment), mode=0o600)
    given = Given(
        image=image,
        name=name_of(place),
        network="host" if container.network == "host" else "" if bridged(container) else "none",
        seccomp=str(profile) if seccomp is not None else "",
        environment_file=str(variables),
        processes=processes(),
        labels=(f"{LABEL}={place.id}",),
    )
    groups = arguments(cast(Client, runtime.name), container, given)
    words = ("run", *(word for group in groups for word in group))
    atomic_write(place.bundle / COMMAND, msgspec.json.encode(words), mode=0o600)


def start(runtime: Runtime, place: Place, streams: Streams) -> Child:
    """Starts what was prepared; returns when the program runs, or has run. UnavailableError [cannot-start], [remote-engine]; what
    is a mistake of the image has its own name."""
    words = msgspec.json.decode((place.bundle / COMMAND).read_bytes(), type=decodable(tuple[str, ...]))
    held = Held(streams.stderr)
    try:
        child = runtime.spawn(
            _command(runtime, *words), stdin=streams.stdin, stdout=streams.stdout, stderr=held.descriptor
        )
    finally:
        held.close()
    end = time.monotonic() + PATIENCE
    strange = 0.0
    while True:
        code = child.wait(STEP)
        state = look(runtime, place)
        near = state.pid > 0 and _is_near(state)
        if near:
            atomic_write(place.path / PID, str(state.pid).encode())
        if near or (code is not None and state.has_run):
            held.release()
            return child
        if code is not None:
            from wherry.runtime.failures import failure

            raise failure(_cleaned(held.words()) or f"{runtime.name} ended with status {code} and said nothing")
        strange = strange or (time.monotonic() if state.pid else 0.0)
        if strange and time.monotonic() - strange > STRANGE:
            raise _remote(runtime, state)
        if time.monotonic() > end:
            child.signal(9)
            raise UnavailableError("cannot-start", f"{runtime.name} did not start the container in {PATIENCE:.0f} s")


def look(runtime: Runtime, place: Place) -> State:
    """What the engine says of it now; an empty State when it knows nothing."""
    form = "{{.Id}} {{.State.Status}} {{.State.Pid}} {{.State.OOMKilled}}"
    said = runtime.run(_command(runtime, "inspect", "--type", "container", "--format", form, name_of(place)))
    words = said.stdout.decode("utf-8", "replace").split()
    if said.code or len(words) != 4 or not words[2].isdigit():
        return State()
    return State(id=words[0], status=words[1], pid=int(words[2]), out_of_memory=words[3] == "true")


def has_image(runtime: Runtime, name: str) -> bool:
    """Whether the engine has an image of that name."""
    return not runtime.run(_command(runtime, "image", "inspect", "--format", "{{.Id}}", name)).code


def delete(runtime: Runtime, place: Place) -> bool:
    """`rm --force`, with the volumes that have no name."""
    done = runtime.run(_command(runtime, "rm", "--force", "--volumes", name_of(place)))
    return not done.code or b"no such container" in done.stderr.lower()


def out_of_memory(runtime: Runtime, place: Place) -> bool | None:
    """What the engine says; None when it knows nothing of it any more. podman's no is no answer: its monitor hears the end of a
    process before it hears why (podman 4.3)."""
    state = look(runtime, place)
    return True if state.out_of_memory else False if state.id and runtime.name == "docker" else None


def signal(runtime: Runtime, place: Place, number: int) -> None:
    """`kill --signal`."""
    runtime.run(_command(runtime, "kill", "--signal", str(number), name_of(place)))


def inside(runtime: Runtime, place: Place, words: tuple[str, ...]) -> Command:
    """`exec`."""
    return _command(runtime, "exec", name_of(place), *words)


def publishes(container: Container) -> bool:
    """Whether the engine publishes its ports itself: only root may enter the container's network and forward there."""
    return bridged(container)


def bridged(container: Container) -> bool:
    """Whether its network is the engine's bridge."""
    return container.network == "out" or (container.network == "own" and os.geteuid() != 0)


def _command(runtime: Runtime, *words: str) -> Command:
    return Command(argv=(runtime.program, *words), environment=runtime.environment, directory="/", timeout=PATIENCE)


def _is_near(state: State) -> bool:
    """Whether the container's process is one of this machine's and has not ended: then its groups bear the container's id."""
    try:
        return state.id in Path(f"/proc/{state.pid}/cgroup").read_text()
    except OSError:
        return False


def _remote(runtime: Runtime, state: State) -> UnavailableError:
    """Its processes are another machine's, where nobody here can look at them."""
    return UnavailableError(
        "remote-engine",
        f"{runtime.name} runs containers on another machine than this, or out of its sight",
        why=f"process {state.pid} of this machine is not the container's",
        next=("run wherry where the daemon runs", f"wherry run --print {runtime.name} gives the command"),
    )


def _cleaned(said: str) -> str:
    """The engine's words without its advice."""
    lines = (line.removeprefix("docker: ").removeprefix("Error response from daemon: ") for line in said.splitlines())
    return "\n".join(line for line in lines if line.strip() and not line.startswith(("Run 'docker", "See 'docker")))


def _lines(environment: Pairs) -> bytes:
    return "".join(f"{name}={value}\n" for name, value in environment if fits_a_line(name, value)).encode()


def processes() -> int:
    """The most that a child of ours may have for RLIMIT_NPROC; podman lowers its own to the largest process id."""
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    try:
        largest = int(Path("/proc/sys/kernel/pid_max").read_text())
    except (OSError, ValueError):
        largest = 1 << 15
    return largest if hard == resource.RLIM_INFINITY else min(hard, largest)


class Held:
    """A stream that is kept back until somebody says what it is: a program's words, or an engine's."""

    def __init__(self, target: int) -> None:
        reading, self.descriptor = os.pipe()
        self._target = os.dup(target) if target >= 0 else -1
        self._released, self._ended, self._lock = False, False, threading.Lock()
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, args=(reading,), name="held", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """This process's end of it."""
        os.close(self.descriptor)

    def release(self) -> None:
        """From now on it goes where it should."""
        with self._lock:
            self._released = True
            self._hand(self._kept)
            self._kept = b""
            self._done()

    def words(self) -> str:
        """All of it, for one whose writer has ended; nothing of it goes on."""
        self._thread.join(2.0)
        with self._lock:
            self._released = self._ended = True
            self._done()
            return self._kept.decode("utf-8", "replace")

    def _drain(self, reading: int) -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while data := pipe.read(CHUNK):
                with self._lock:
                    if self._released:
                        self._hand(data)
                    else:
                        self._kept = (self._kept + data)[-KEPT:]
        with self._lock:
            self._ended = True
            self._done()

    def _done(self) -> None:
        """Its reader's end, once nothing more can come and it is known what came."""
        if self._released and self._ended and self._target >= 0:
            os.close(self._target)
            self._target = -1

    def _hand(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            while data and self._target >= 0:
                data = data[os.write(self._target, data) :]
