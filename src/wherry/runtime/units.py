"""A Container for those who keep services running: a Podman Quadlet, a systemd unit. Values in, text out; touches nothing.

Restarts, order and boot are theirs; hardening is the same as under wherry.
"""

from __future__ import annotations

import math
from typing import Final

from wherry.model.container import Container
from wherry.runtime.arguments import NETWORKS, Given, Group, arguments, unsaid

#: podman's flags, and the keys of podman-systemd.unit(5) that mean the same; every other flag becomes PodmanArgs.
KEYS: Final = {
    "--name": "ContainerName",
    "--publish": "PublishPort",
    "--cap-drop": "DropCapability",
    "--cap-add": "AddCapability",
    "--tmpfs": "Tmpfs",
    "--mount": "Mount",
    "--network": "Network",
    "--env": "Environment",
    "--read-only": "ReadOnly",
    "--init": "RunInit",
}
PATHS: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where a service of systemd looks for programs."""
PATIENCE: Final = 5
"""Seconds beyond the grace before systemd kills."""


def quadlet(container: Container, image: str, seccomp: str) -> str:
    """A `.container` file. `seccomp`: the path that the profile will have."""
    profile = "" if container.seccomp == "unconfined" else seccomp
    given = Given(image=image, name=container.name, network=NETWORKS[container.network], seccomp=profile, watched=False)
    *groups, command = arguments("podman", container, given)
    notes = [f"# {note}" for note in unsaid("podman", container)]
    rows = [f"Image={image}", *(_key(group) for group in groups)]
    if command[1:]:
        rows.append(f"Exec={_line(command[1:])}")
    return "\n".join(
        (
            *notes,
            "[Unit]",
            f"Description={_plain(container.name)}",
            "",
            "[Container]",
            *rows,
            "",
            "[Service]",
            *_service(container),
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        )
    )


def systemd(
    container: Container, words: tuple[str, ...], folder: str, variables: tuple[tuple[str, str], ...] = ()
) -> str:
    """A `.service` file around `wherry run`, whose words are given, the first the program's absolute path.
    `folder`: what their paths are relative to. `variables`: what wherry needs beside those that systemd sets."""
    return "\n".join(
        (
            "[Unit]",
            f"Description={_plain(container.name)}",
            "",
            "[Service]",
            "Type=exec",
            f"WorkingDirectory={_plain(folder)}",
            *(f"Environment={_word(f'{name}={value}')}" for name, value in variables),
            f"ExecStart={_line(words)}",
            "# Not NoNewPrivileges or Protect*: the runtime makes namespaces and mounts.",
            "RestrictRealtime=yes",
            "LockPersonality=yes",
            "KillMode=mixed",
            *_service(container),
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        )
    )


def _service(container: Container) -> tuple[str, ...]:
    return (
        "Restart=on-failure",
        "RestartSec=2",
        f"TimeoutStopSec={math.ceil(container.grace) + PATIENCE}",
    )


def _key(group: Group) -> str:
    flag, *values = group
    value = values[0] if values else ""
    if group == ("--security-opt", "no-new-privileges"):
        return "NoNewPrivileges=true"
    if flag == "--security-opt" and value.startswith("seccomp="):
        return f"SeccompProfile={_plain(value.removeprefix('seccomp='))}"
    # podman 5.4 takes fields of Mount= apart at every comma, quoted or not.
    if flag not in KEYS or (flag == "--mount" and any(one in value for one in "\"'\\")):
        return f"PodmanArgs={_line(group)}"
    if flag == "--env":
        return f"Environment={_line((value,))}"
    return f"{KEYS[flag]}={_plain(value).replace('$', '$$') if values else 'true'}"


def _line(words: tuple[str, ...]) -> str:
    """Words of a command, systemd.service(5): $ begins a variable. A quadlet's all become words of one."""
    return " ".join(_word(word).replace("$", "$$") for word in words)


def _word(word: str) -> str:
    """systemd.syntax(7): quotes where there is anything to quote, and C's escapes within."""
    if word and not any(one in word for one in " \t\n\"'\\;"):
        return _plain(word)
    return '"{}"'.format(_plain(word.replace("\\", "\\\\").replace('"', '\\"')))


def _plain(text: str) -> str:
    """systemd's specifiers begin with %; a line has one line."""
    return text.replace("%", "%%").replace("\n", "\\n")
