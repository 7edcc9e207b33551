"""A Container as `docker run` and `podman run` read it. Values in, arguments out; touches nothing.

What an engine cannot be told is in `unsaid`, so that nobody believes it.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from typing import Final, Literal

from wherry.kit.value import Value
from wherry.model.container import Bind, Container, Publish, Tmpfs
from wherry.runtime.spec import IDS

Client = Literal["docker", "podman"]
Group = tuple[str, ...]
"""A flag with its value, or the image with its arguments."""
CLIENTS: Final[tuple[Client, ...]] = ("docker", "podman")
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
#: The engine's word; empty: its bridge.
NETWORKS: Final = {"own": "", "out": "", "none": "none", "host": "host"}
LOW_PORTS: Final = "net.ipv4.ip_unprivileged_port_start=1024"
"""Docker opens ports below 1024 to everybody since 20.10 (moby #41030); here NET_BIND_SERVICE decides, as under runc."""


class Given(Value, frozen=True, kw_only=True):
    """What the engine is told beside the container itself."""

    image: str
    """Its name in the engine."""
    name: str
    network: str
    """none, host, or empty for the engine's own bridge, where it publishes ports."""
    seccomp: str = ""
    """Path of a profile in Docker's form; empty: none."""
    environment_file: str = ""
    """Variables come from there where they can, so that nobody reads them in the list of processes; empty: all are flags."""
    processes: int = 0
    """The most that may be given for RLIMIT_NPROC: podman asks for more than it has otherwise."""
    labels: tuple[str, ...] = ()
    watched: bool = True
    """Wherry reads its output and asks for its health; the engine need do neither."""


def arguments(client: Client, container: Container, given: Given) -> tuple[Group, ...]:
    """Everything behind `docker run`, in groups that belong together; the image and its arguments come last."""
    words = container.arguments
    return (
        *_watched(client, given),
        *_identity(container, given),
        *_network(client, container, given),
        *_privileges(client, container, given),
        *_limits(client, container, given),
        *(_tmpfs(client, one, container) for one in container.tmpfs),
        *(_bind(client, one) for one in container.binds),
        *_variables(container, given),
        *((("--init",),) if container.init else ()),
        ("--stop-signal", container.stop_signal),
        ("--stop-timeout", str(math.ceil(container.grace))),
        ("--workdir", container.directory),
        ("--entrypoint", words[0]),
        (given.image, *words[1:]),
    )


def shown(client: Client, container: Container, image: str, seccomp: str, processes: int) -> str:
    """The command for a shell, one flag a line. `seccomp`: the path that the profile will have; `processes`: as in Given."""
    network = NETWORKS[container.network]
    profile = "" if container.seccomp == "unconfined" else seccomp
    given = Given(
        image=image, name=container.name, network=network, seccomp=profile, processes=processes, watched=False
    )
    lines = [f"{client} run --rm", *(shlex.join(group) for group in arguments(client, container, given))]
    return " \\\n  ".join(lines) + "\n"


def unsaid(client: Client, container: Container, *, leads_out: bool = True) -> tuple[str, ...]:
    """What of the container this engine cannot be told, in plain words. `leads_out`: its network is the engine's bridge."""
    found = []
    if client == "docker":
        if container.id_base:
            found.append("ids are this machine's: Docker maps them for all containers or for none (userns-remap)")
        if any(not bind.executable for bind in container.binds):
            found.append("programs on volumes can be executed: Docker's volumes know no noexec")
        if container.capabilities and container.user.uid:
            found.append("a user other than root gets capabilities by files alone: Docker sets no ambient ones")
        disk = "is on the disk and without a limit: only a volume gets what the image has there"
        found += [f"{one.path} {disk}" for one in container.tmpfs if one.copied]
        found.append("the umask is 022: Docker has no flag for another")
    else:
        others = (one for one in container.tmpfs if one.uid not in (0, container.user.uid))
        found += [f"{one.path} belongs to root: podman gives memory to the user or to root" for one in others]
    if container.network == "own" and leads_out:
        found.append("its network leads out, too: the engine's bridge does")
    return tuple(found)


def _watched(client: Client, given: Given) -> Iterator[Group]:
    if not given.watched:
        return
    yield ("--pull", "never")
    yield ("--log-driver", "none")
    yield ("--no-healthcheck",)
    if client == "podman":
        yield ("--cgroups", "enabled")
    for label in given.labels:
        yield ("--label", label)


def _identity(container: Container, given: Given) -> Iterator[Group]:
    yield ("--name", given.name)
    if container.hostname:
        yield ("--hostname", container.hostname)
    yield ("--user", f"{container.user.uid}:{container.user.gid}")
    for group in container.user.groups:
        yield ("--group-add", str(group))


def _network(client: Client, container: Container, given: Given) -> Iterator[Group]:
    if given.network:
        yield ("--network", given.network)
    else:
        yield from (("--publish", _published(row)) for row in container.publish)
    if client == "docker" and given.network != "host" and "CAP_NET_BIND_SERVICE" not in container.capabilities:
        yield ("--sysctl", LOW_PORTS)


def _published(row: Publish) -> str:
    host = f"[{row.host}]" if ":" in row.host else row.host
    return f"{host}:{row.host_port or ''}:{row.port}/{row.protocol}"


def _privileges(client: Client, container: Container, given: Given) -> Iterator[Group]:
    if container.read_only:
        yield ("--read-only",)
        if client == "podman":  # else it lays memory over /run, /tmp and /var/tmp that anybody may write to
            yield ("--read-only-tmpfs=false",)
    yield ("--cap-drop", "ALL")
    for name in container.capabilities:
        yield ("--cap-add", name.removeprefix("CAP_"))
    if container.no_new_privileges:
        yield ("--security-opt", "no-new-privileges")
    yield ("--security-opt", f"seccomp={given.seccomp or 'unconfined'}")
    if not container.masked:
        yield ("--security-opt", {"docker": "systempaths=unconfined", "podman": "unmask=ALL"}[client])
    yield ("--ipc", "none")
    yield ("--cgroupns", "private")
    if client == "podman":
        yield ("--umask", "0027")
        if container.id_base:
            yield ("--uidmap", f"0:{container.id_base}:{IDS}")
            yield ("--gidmap", f"0:{container.id_base}:{IDS}")


def _limits(client: Client, container: Container, given: Given) -> Iterator[Group]:
    limits = container.limits
    if limits.memory:
        yield ("--memory", str(limits.memory))
        yield ("--memory-swap", str(limits.memory))
    if limits.cpus:
        yield ("--cpus", f"{limits.cpus:g}")
    # Zero is no limit to podman, and the default to Docker, which is none; podman's own default is 2048.
    yield ("--pids-limit", str(limits.pids or (-1 if client == "docker" else 0)))
    if limits.files:
        yield ("--ulimit", f"nofile={limits.files}:{limits.files}")
    yield ("--ulimit", "core=0:0")
    if client == "podman" and given.processes:
        yield ("--ulimit", f"nproc={given.processes}:{given.processes}")


def _tmpfs(client: Client, one: Tmpfs, container: Container) -> Group:
    safe = "rw,nosuid,nodev,noexec"
    owned = f"uid={one.uid},gid={one.gid}"
    if client == "docker":
        data = f"mode={one.mode:04o},size={one.size},{owned}"
        if not one.copied:
            return ("--tmpfs", f"{one.path}:{safe},{data}")
        # Only a volume gets what the image has there; this one has no name, and goes with the container.
        return ("--mount", f"type=volume,{_field('dst', one.path)}")
    copy = "tmpcopyup" if one.copied else "notmpcopyup"
    if one.uid != container.user.uid or one.uid == 0:
        return ("--tmpfs", f"{one.path}:{safe},mode={one.mode:04o},size={one.size},{copy}")
    # podman knows no uid of a tmpfs, but hands it to the container's user.
    rest = f"tmpfs-size={one.size},tmpfs-mode={one.mode:04o},{copy},noexec,nosuid,nodev,U=true"
    return ("--mount", f"type=tmpfs,{_field('dst', one.path)},{rest}")


def _bind(client: Client, one: Bind) -> Group:
    words = ["type=bind", _field("src", one.source), _field("dst", one.path)]
    words += [] if one.writable else ["readonly" if client == "docker" else "ro=true"]
    if client == "podman":
        words += ["nosuid", "nodev", *([] if one.executable else ["noexec"])]
    return ("--mount", ",".join(words))


def _field(name: str, value: str) -> str:
    """One field of the CSV that --mount takes."""
    text = f"{name}={value}"
    return '"{}"'.format(text.replace('"', '""')) if any(one in value for one in ',"\n') else text


def _variables(container: Container, given: Given) -> Iterator[Group]:
    """Those that a file of lines cannot hold as flags, all others in the file."""
    if given.environment_file:
        yield ("--env-file", given.environment_file)
    for name, value in container.environment:
        if not given.environment_file or not fits_a_line(name, value):
            yield ("--env", f"{name}={value}")


def fits_a_line(name: str, value: str) -> bool:
    """Whether a variable is the same when it is read from a file of lines, by every version of both."""
    return (
        NAME.fullmatch(name) is not None
        and value == value.strip()
        and value.isprintable()
        and not any(one in value for one in "\"'\\#`")
    )
