"""Running an engine's own command. Arguments and the ports in, what it said out; starts that program."""

from __future__ import annotations

from wherry.errors import UnavailableError
from wherry.kit.ports import Command, Completed
from wherry.kit.text import one_line
from wherry.store.keeper import Ports

PATIENCE = 900.0
#: What podman, skopeo and ctr read; nothing else of the environment concerns them.
KNOWN = frozenset(
    (
        *(
            "HOME",
            "PATH",
            "USER",
            "LOGNAME",
            "TMPDIR",
            "XDG_RUNTIME_DIR",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_CACHE_HOME",
        ),
        *("CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF"),
        *(
            "CONTAINER_HOST",
            "CONTAINER_SSHKEY",
            "CONTAINER_CONNECTION",
            "STORAGE_DRIVER",
            "STORAGE_OPTS",
            "REGISTRY_AUTH_FILE",
        ),
        *(
            "CONTAINERD_ADDRESS",
            "CONTAINERD_NAMESPACE",
            "DBUS_SESSION_BUS_ADDRESS",
            "SSH_AUTH_SOCK",
            "_CONTAINERS_USERNS_CONFIGURED",
        ),
    )
)


def ask(ports: Ports, program: str, *arguments: str, stdout: str = "") -> Completed:
    """Runs `program`, an absolute path, and gives its end, whatever it is."""
    environment = tuple((name, value) for name, value in ports.environment if name in KNOWN)
    return ports.run(
        Command(
            argv=(program, *arguments),
            environment=environment,
            directory=ports.scratch,
            timeout=PATIENCE,
            limit=8 << 20,
            stdout=stdout,
        )
    )


def demand(ports: Ports, program: str, *arguments: str) -> str:
    """What `program` says; UnavailableError [engine-refused] with its own words when it fails."""
    done = ask(ports, program, *arguments)
    if done.code:
        name = program.rpartition("/")[2]
        raise UnavailableError(
            "engine-refused", f"{name} {one_line(arguments[0])} failed with status {done.code}", where=program
        ).with_output(done.stderr.decode("utf-8", "replace")[-4000:])
    return done.stdout.decode("utf-8", "replace")
