"""What was seen of a container under its limits, in its root, as somebody else and elsewhere: looks that try. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value


class Mount(Value, frozen=True, kw_only=True):
    """One mount as the kernel tells of it (proc_pid_mountinfo(5))."""

    path: str
    kind: str
    options: tuple[str, ...]


class Writes(Value, frozen=True, kw_only=True, tag="writes"):
    """What a test program could write to, tried as the application's user in a copy of its container."""

    tried: int
    """Outside of the declared places: files made in every folder, every file opened for writing, every mode set."""
    refused: tuple[tuple[str, int], ...] = ()
    """The kernel's words, and how often."""
    made: tuple[str, ...] = ()
    """Folders in which a file could be made."""
    opened: tuple[str, ...] = ()
    """Files that could be opened for writing."""
    changed: tuple[str, ...] = ()
    """What got a mode, the one it had."""
    writable: tuple[str, ...] = ()
    """Declared places that can be written to."""
    unwilling: tuple[str, ...] = ()
    """Declared places that cannot."""
    cut: bool = False
    """There was more than was tried."""
    mounts: tuple[Mount, ...] = ()


class Surroundings(Value, frozen=True, kw_only=True, tag="surroundings"):
    """What Go's standard library finds in this root, tried by the test program."""

    certificates: int = 0
    """Authorities in the system's pool."""
    authority: str = ""
    """A well-known one whose chain was verified by it."""
    distrust: str = ""
    """Why none was."""
    zones: tuple[tuple[str, str], ...] = ()
    """Names, and why they could not be loaded."""
    addresses: tuple[str, ...] = ()
    """Of localhost."""
    lookup: str = ""
    """Why it has none."""
    files: tuple[tuple[str, str], ...] = ()
    """What resolving reads, and why it could not be read."""
    user: str = ""
    home: str = ""
    nobody: str = ""
    """Why the user has no name."""


class Links(Value, frozen=True, kw_only=True, tag="links"):
    """Functions in the application's program that say what it may need of its surroundings; empty: none of them is in it."""

    tls: str = ""
    own_certificates: bool = False
    """It brings authorities of its own (x509roots/fallback)."""
    zones: str = ""
    own_zones: bool = False
    """It brings time zones of its own (time/tzdata)."""
    names: str = ""
    users: str = ""
    children: str = ""


class Refused(Value, frozen=True, kw_only=True, tag="refused"):
    """What the application itself wanted to write and could not."""

    paths: tuple[str, ...] = ()
    """As the kernel told of them, without those of folders that are there."""


class Exercise(Value, frozen=True, kw_only=True, tag="exercise"):
    """The application left alone for a moment, then asked for a moment."""

    idle: float = 0.0
    """Seconds alone."""
    idle_cpu: float | None = None
    """Processors' worth of time meanwhile; None: this machine does not say."""
    idle_wait: float = 0.0
    """What it wanted beside that and others had: on a busy machine nobody gets what they want."""
    routes: tuple[str, ...] = ()
    asked: int = 0
    """GETs."""
    seconds: float = 0.0
    """All of them together."""
    ended: int | None = None
    """Its exit code, if it ended meanwhile."""
    memory: int | None = None
    """Most bytes that it needed: without file contents that the kernel may drop."""
    memory_limit: int | None = None
    """As the kernel keeps it; None: there is none."""
    cpu_limit: float | None = None
    pids: int | None = None
    """Most processes and threads at a time."""
    pids_limit: int | None = None
    refused_forks: int | None = None
    oom_kills: int | None = None
    """As its group counts them."""
    out_of_memory: bool = False
    """It ended so, as its group or its engine says."""
    processes: int = 1
    """Most processes at a time."""
    children: int = 0
    """Different ones that were seen beside the first."""
    zombies: tuple[int, ...] = ()
    """Ended ones that nobody collected for a third of a second."""
    refusals: tuple[str, ...] = ()
    """Lines of its log about writes that were refused."""
    log: tuple[str, ...] = ()


class MemoryTrial(Value, frozen=True, kw_only=True, tag="memory-trial"):
    """A copy in which the test program took memory without end."""

    limit: int
    reached: int
    """Bytes that it had in the end."""
    killed: bool
    """By the kernel."""
    oom_kills: int | None = None
    """What the group counted, read from outside."""


class CpuTrial(Value, frozen=True, kw_only=True, tag="cpu-trial"):
    """A copy in which the test program kept every processor busy."""

    limit: float
    own: bool = True
    """That of the application; else a smaller one, since this machine has, or had, no more to give."""
    used: float
    """Processors' worth of time."""
    throttled: int | None = None
    """Periods in which it had to wait."""
    seconds: float = 0.0


class PidsTrial(Value, frozen=True, kw_only=True, tag="pids-trial"):
    """A copy in which the test program started children until it was refused."""

    limit: int
    had: int
    """Children."""
    error: str = ""
    """What refused the next one."""
    peak: int | None = None
    """All tasks of the group, by its own count."""
    refused: int | None = None


class Stranger(Value, frozen=True, kw_only=True, tag="stranger"):
    """How it came up as a user that no file knows, in group 0, as OpenShift starts it."""

    uid: int
    healthy_after: float | None = None
    waited: float = 0.0
    ended: int | None = None
    log: tuple[str, ...] = ()


class Emulated(Value, frozen=True, kw_only=True, tag="emulated"):
    """How the image for another processor came up under an emulator."""

    platform: str
    emulator: str
    healthy_after: float | None = None
    waited: float = 0.0
    answer: str = ""
    """`GET /healthz 200`; empty: listening was enough."""
    ended: int | None = None
    log: tuple[str, ...] = ()
