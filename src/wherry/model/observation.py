"""What was seen of containers, each look a value. Touches nothing.

A look that was not possible is Unseen with its reason (its check is UNKNOWN), one that makes no sense for this image is Needless
(SKIP); so a judge can never mistake nothing for something.
"""

from __future__ import annotations

from typing import Final

from wherry.kit.ports import Answer
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.model.contents import Contents
from wherry.model.trials import (
    CpuTrial,
    Emulated,
    Exercise,
    Links,
    MemoryTrial,
    PidsTrial,
    Refused,
    Stranger,
    Surroundings,
    Writes,
)

#: capabilities(7), by number.
CAPABILITIES: Final = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"),
    *("LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"),
    *("SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"),
    *("MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"),
    "CHECKPOINT_RESTORE",
)


def capabilities_in(mask: int) -> tuple[str, ...]:
    """The capabilities of one of a process's sets, `CHOWN` ...; one that is newer than the list by its number."""
    numbers = (number for number in range(mask.bit_length()) if mask >> number & 1)
    return tuple(CAPABILITIES[one] if one < len(CAPABILITIES) else str(one) for one in numbers)


class Unseen(Value, frozen=True, kw_only=True, tag="unseen"):
    """It could not be seen here."""

    why: str
    host: bool = False
    """This machine cannot show it of any image."""
    next: tuple[str, ...] = ()
    """What can be done about that."""


class Needless(Value, frozen=True, kw_only=True, tag="needless"):
    """There is nothing to be seen."""

    why: str


Nothing = Unseen | Needless


class Start(Value, frozen=True, kw_only=True, tag="start"):
    """How it came up."""

    listening_after: float | None = None
    """Seconds from its start to the first listening port; None: never."""
    healthy_after: float | None = None
    """To the first good answer of its health route; None: never, or no route is known."""
    waited: float = 0.0
    route: str = ""
    """`GET /healthz`; empty: none is known."""
    command: str = ""
    """The health command, where that is asked in place of a route."""
    status: int = 0
    """Of the last answer."""
    ended: int | None = None
    """Its exit code, if it ended by itself meanwhile."""
    refused: str = ""
    """Why nothing could be started: the program is not there, is for another processor ..."""
    next: tuple[str, ...] = ()
    """What can be done about that."""
    out_of_memory: bool = False
    log: tuple[str, ...] = ()
    """Its last lines."""

    @property
    def is_well(self) -> bool:
        """Whether it came up and went on: healthy, or listening where nobody knows how to ask for more."""
        first = self.healthy_after if self.route or self.command else self.listening_after
        return self.ended is None and first is not None


class Identity(Value, frozen=True, kw_only=True, tag="identity"):
    """What the kernel says of the first process (proc_pid_status(5)), ids as inside."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    host_uid: int
    capabilities: tuple[tuple[str, int], ...]
    """CapInh, CapPrm, CapEff, CapBnd, CapAmb, each a mask."""
    no_new_privileges: bool | None = None
    seccomp: int | None = None
    """0 off, 1 strict, 2 filter."""
    security: str | None = ""
    """The profile of AppArmor or SELinux; empty: there is none; None: it was not seen which one the program got."""
    namespaces: tuple[str, ...] | None = ()
    """Those that are not this machine's: pid, net, mnt ...; None: an ordinary user may not see those of a runtime's own code."""


class Checked(Value, frozen=True, kw_only=True):
    """One run of a health command inside the container."""

    command: str
    well: bool
    said: str = ""
    """Its words, or its status."""


class Routes(Value, frozen=True, kw_only=True, tag="routes"):
    """Health and readiness while it runs; what readiness says while it stops is in `Drain`."""

    health: str = ""
    health_port: int = 0
    """Where that was asked."""
    health_status: int = 0
    checked: Checked | Unseen | None = None
    """What its health command says, where it has one in place of a route."""
    ready: str = ""
    ready_status: int = 0
    ready_before: int = 0
    """The first answer of the readiness route, asked from the start on; 0: it refused connections until it was ready."""


class DrainTry(Value, frozen=True, kw_only=True):
    """One container stopped with requests under way."""

    answers: tuple[Answer, ...] = ()
    """Of the requests that were under way when the signal came; empty: none could be."""
    hasty: Answer | None = None
    """The slow route's answer, where none was under way: it was there before the signal."""
    late: tuple[Answer, ...] = ()
    """Of requests begun afterwards."""
    exit_code: int | None = None
    """None: it did not end within its grace, and was killed."""
    seconds: float = 0.0
    """From the signal to its end; its engine tells of that later, at times much later."""
    alive: float = 0.0
    """From the signal to the last moment at which it was seen alive, which on a busy machine may be long before."""
    ready: int | None = None
    """The first no of the readiness route after the signal, or what it still said after half a second."""


class Drain(Value, frozen=True, kw_only=True, tag="drain"):
    """How it stops."""

    signal: str
    grace: float
    route: str = ""
    """The slow route; empty: none is known, so nothing was under way."""
    tries: tuple[DrainTry, ...] = ()


class Socket(Value, frozen=True, kw_only=True):
    """A port that a container listens on."""

    protocol: str
    """tcp or udp."""
    address: str
    port: int


class Sockets(Value, frozen=True, kw_only=True, tag="sockets"):
    """All ports that it listens on."""

    listening: tuple[Socket, ...] = ()
    own_network: bool = True


class Observed(Value, frozen=True, kw_only=True):
    """All looks of one proof; what nobody asked for stays Unseen."""

    container: Container
    again: str = ""
    """The command that runs the same."""
    said_user: str = ""
    """As the image says it: numbers or a name."""
    start: Start | Nothing = Unseen(why="nobody looked")
    identity: Identity | Nothing = Unseen(why="nobody looked")
    routes: Routes | Nothing = Unseen(why="nobody looked")
    drain: Drain | Nothing = Unseen(why="nobody looked")
    sockets: Sockets | Nothing = Unseen(why="nobody looked")
    contents: Contents | Nothing = Unseen(why="nobody looked")
    links: Links | Nothing = Unseen(why="nobody looked")
    writes: Writes | Nothing = Unseen(why="nobody looked")
    refused: Refused | Nothing = Unseen(why="nobody looked")
    surroundings: Surroundings | Nothing = Unseen(why="nobody looked")
    exercise: Exercise | Nothing = Unseen(why="nobody looked")
    memory: MemoryTrial | Nothing = Unseen(why="nobody looked")
    cpu: CpuTrial | Nothing = Unseen(why="nobody looked")
    pids: PidsTrial | Nothing = Unseen(why="nobody looked")
    stranger: Stranger | Nothing = Unseen(why="nobody looked")
    emulated: Emulated | Nothing = Unseen(why="nobody looked")


class Expectations(Value, frozen=True, kw_only=True):
    """What `[prove]` asks for; the judges compare with it."""

    start: float = 10.0
    """Seconds until healthy."""
    ready_route: str = ""
    ready_guess: str = ""
    """Where the sources show it, when nobody said it."""
    backing: tuple[str, ...] = ()
    """Servers that it talks to: postgres, redis. A network of the container's own has none of them."""
    slow_route: str = ""
    requests: int = 8
    """Under way when the stop signal comes."""
    tries: int = 3
    size: int = 0
    """Most bytes of the unpacked image; 0: no budget."""
    idle_cpu: float = 0.2
    """Processors' worth of time while nobody asks anything."""
    memory: float = 0.9
    """Share of its memory limit that it may need."""
