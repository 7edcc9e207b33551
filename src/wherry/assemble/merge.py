"""Settings of an image that moves to another base. Three run configs in (the image's, its old base's, the new base's), what to
change out; touches nothing.

What the image has from its old base becomes the new base's; what it says itself stays. A value is the old base's when both say
the same and it says something: then a rebuild would take the new base's too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from wherry.assemble.config import PATH
from wherry.oci.config import RunConfig

T = TypeVar("T")
ROOT = ("", "0", "root", "0:0", "root:root", "0:root", "root:0")


def merged(image: RunConfig, old: RunConfig, new: RunConfig) -> dict[str, object]:
    """Members of `config` that change, by their names in JSON; None takes one out."""
    start = _start(image, old, new)
    wanted: dict[str, object] = {
        "User": image.user if becomes_root(image, old, new) else _of(image.user, old.user, new.user),
        "ExposedPorts": _mapping(image.exposed_ports or {}, old.exposed_ports or {}, new.exposed_ports or {}),
        "Env": environment(image.env or (), old.env or (), new.env or ()),
        **start,
        "Volumes": _mapping(image.volumes or {}, old.volumes or {}, new.volumes or {}),
        "WorkingDir": _directory(image.working_dir, old.working_dir, new.working_dir),
        "Labels": _mapping(image.labels or {}, old.labels or {}, new.labels or {}),
        "StopSignal": _of(image.stop_signal, old.stop_signal, new.stop_signal),
        "Healthcheck": _of(image.healthcheck, old.healthcheck, new.healthcheck),
    }
    before: dict[str, object] = {
        "User": image.user,
        "ExposedPorts": image.exposed_ports or {},
        "Env": image.env or (),
        "Entrypoint": image.entrypoint,
        "Cmd": image.cmd,
        "Volumes": image.volumes or {},
        "WorkingDir": image.working_dir,
        "Labels": image.labels or {},
        "StopSignal": image.stop_signal,
        "Healthcheck": image.healthcheck,
    }
    return {name: value or None for name, value in wanted.items() if value != before[name]}


def becomes_root(image: RunConfig, old: RunConfig, new: RunConfig) -> bool:
    """Whether the new base's user, where it would be taken, is root and the image's is not."""
    return bool(image.user) and image.user == old.user and image.user not in ROOT and new.user in ROOT


def environment(image: tuple[str, ...], old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Variables in the order a build on the new base gives them: the base's, then the image's own; PATH first where it was."""
    ours, below, wanted = _pairs(image), _pairs(old), _pairs(new)
    own = {name: value for name, value in ours.items() if below.get(name) != value}
    removed = below.keys() - ours.keys()
    found = {name: value for name, value in wanted.items() if name not in removed}
    found |= {name: _around(value, _said(below, name), _said(wanted, name)) for name, value in own.items()}
    if next(iter(ours), "") == "PATH" in found:
        found = {"PATH": found["PATH"], **found}
    return tuple(f"{name}={value}" for name, value in found.items())


def _pairs(variables: tuple[str, ...]) -> dict[str, str]:
    return dict(variable.partition("=")[::2] for variable in variables)


def _said(variables: dict[str, str], name: str) -> str:
    """A base's variable; its PATH is the usual one when it says none."""
    return variables.get(name, PATH if name == "PATH" else "")


def _around(value: str, old: str, new: str) -> str:
    """A list that the image made longer, as `PATH=$PATH:/app` does, around the new base's value."""
    if old and new and value.startswith(f"{old}:"):
        return new + value.removeprefix(old)
    if old and new and value.endswith(f":{old}"):
        return value.removesuffix(old) + new
    return value


def _start(image: RunConfig, old: RunConfig, new: RunConfig) -> dict[str, object]:
    """Entrypoint and Cmd go together: an image's own entrypoint never gets another's arguments."""
    entrypoint = _of(image.entrypoint, old.entrypoint, new.entrypoint)
    same = (image.entrypoint or None) == (old.entrypoint or None)
    return {"Entrypoint": entrypoint, "Cmd": _of(image.cmd, old.cmd, new.cmd) if same else image.cmd}


def _of(image: T, old: T, new: T) -> T:
    return new if image and image == old else image


def _directory(image: str, old: str, new: str) -> str:
    """No directory is the root."""
    return (new or (image and "/")) if (image or "/") == (old or "/") else image


def _mapping(image: Mapping[str, T], old: Mapping[str, T], new: Mapping[str, T]) -> dict[str, T]:
    """Names that came from the old base change to the new base's; its other names come too where all of the old base's did."""
    inherits = bool(old) and all(image.get(name) == value for name, value in old.items())
    own = {name: value for name, value in image.items() if name not in old or old[name] != value}
    came = {name for name, value in image.items() if name in old and old[name] == value}
    return {name: value for name, value in new.items() if inherits or name in came} | own
