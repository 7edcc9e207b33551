"""A container as it was decided, before any engine has turned it into its own words. Touches nothing."""

from __future__ import annotations

from typing import Literal

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.plan import Decision, Health, Pairs
from wherry.oci.platform import Platform

Network = Literal["own", "out", "none", "host"]
"""own: a network of its own whose published ports wherry forwards; out: the same, and it leads out; none: a loopback alone; host:
this machine's."""


class User(Value, frozen=True, kw_only=True):
    """Who the program runs as, in numbers."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


class Limits(Value, frozen=True, kw_only=True):
    """What it may use; 0 is no limit."""

    memory: int = 0
    """Bytes; swap is included, so there is none beside it."""
    cpus: float = 0.0
    """Processors' worth of time."""
    pids: int = 0
    """Processes and threads."""
    files: int = 0
    """Open files of a process (RLIMIT_NOFILE)."""


class Tmpfs(Value, frozen=True, kw_only=True):
    """Memory that the program may write to, gone with the container."""

    path: str
    mode: int = 0o1777
    size: int = 64 << 20
    uid: int = 0
    gid: int = 0
    copied: bool = False
    """What the image has there is copied into it first."""


class Owned(Value, frozen=True, kw_only=True):
    """A folder of the image that belongs to the program's user: there to be written to."""

    path: str
    mode: int
    uid: int
    gid: int
    empty: bool = True


class Bind(Value, frozen=True, kw_only=True):
    """A file or folder of this machine inside the container."""

    source: str
    path: str
    writable: bool = False
    executable: bool = False


class Publish(Value, frozen=True, kw_only=True):
    """A port of this machine that leads into the container."""

    host: str = "127.0.0.1"
    host_port: int = 0
    """0: a free one."""
    port: int
    protocol: Literal["tcp", "udp"] = "tcp"


class IdRange(Value, frozen=True, kw_only=True):
    """Ids of a user namespace, and which of this machine they are."""

    inside: int
    outside: int
    size: int = 1


class Rootless(Value, frozen=True, kw_only=True):
    """What an ordinary user may have of this machine for a container."""

    uid: int
    gid: int
    uids: tuple[IdRange, ...] = ()
    """Subordinate ids, as they can follow the user's own (/etc/subuid); empty: none, or nobody here to map them."""
    gids: tuple[IdRange, ...] = ()
    any_id: bool = False
    """The runtime can map one id alone, whichever it is (crun); else that one is root's (runc)."""
    group: str | None = None
    """The control group below which the user may make others, as a path in the hierarchy that begins with a slash; or the slice
    where the user's own systemd makes them; None: there is none."""


class Container(Value, frozen=True, kw_only=True):
    """Everything about one container. Hardened unless `relaxed` names what is not."""

    name: str
    image: str
    """What it is made of, as people are told: name:tag@digest, or the package it was compiled from."""
    platform: Platform
    arguments: tuple[str, ...]
    """The whole command; the first is the program."""
    environment: Pairs = ()
    directory: str = "/"
    user: User
    hostname: str = ""
    read_only: bool = True
    tmpfs: tuple[Tmpfs, ...] = ()
    binds: tuple[Bind, ...] = ()
    capabilities: tuple[str, ...] = ()
    """CAP_NET_BIND_SERVICE ..., sorted; all five sets hold just these (inheritable none)."""
    no_new_privileges: bool = True
    seccomp: str = "default"
    """default (wherry's own), unconfined, or the path of a profile."""
    masked: bool = True
    """Docker's list of /proc and /sys files is hidden or read-only."""
    id_base: int = 0
    """Its uid 0 is this uid of this machine, a number that nobody has; 0: no user namespace, ids are this machine's, unless
    `uids` says more."""
    uids: tuple[IdRange, ...] = ()
    """The user namespace of a container that an ordinary user starts, and its groups."""
    gids: tuple[IdRange, ...] = ()
    group: str | None = ""
    """The control group above its own, a path; or the slice where the user's systemd makes it; None: it gets none, so it has no
    limits."""
    network: Network = "own"
    publish: tuple[Publish, ...] = ()
    ports: tuple[str, ...] = ()
    """What the image says it listens on: `8080/tcp`."""
    limits: Limits = Limits()
    init: bool = False
    joins: int = 0
    """A process whose network, processes, names and ids it shares (`wherry debug`); 0: it has its own."""
    terminal: bool = False
    stop_signal: str = "SIGTERM"
    grace: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    health: Health | None = None
    relaxed: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def user_namespace(self) -> bool:
        """Whether its ids are other ones on this machine."""
        return bool(self.id_base or self.uids)


class Options(Value, frozen=True, kw_only=True):
    """What a user may say about a container; None and empty: nothing was said."""

    name: str = ""
    arguments: tuple[str, ...] = ()
    """In place of the image's arguments."""
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    """`NAME=value`, or `NAME` for this machine's value."""
    environment_files: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    """`[HOST:][HOSTPORT:]PORT[/PROTOCOL]`."""
    volumes: tuple[str, ...] = ()
    """`SOURCE:PATH[:ro|rw]`."""
    secrets: tuple[str, ...] = ()
    """`NAME=FILE` or `FILE`: a file at /run/secrets/NAME."""
    tmpfs: tuple[str, ...] = ()
    user: str = ""
    network: str = ""
    memory: str = ""
    cpus: str = ""
    pids: int | None = None
    files: int | None = None
    capabilities: tuple[str, ...] = ()
    seccomp: str = ""
    relax: tuple[str, ...] = ()
    init: bool = False
    directory: str = ""
    hostname: str = ""
    stop_signal: str = ""
    grace: float | None = None
