"""Which engine runs containers for one command. A Machine in, a runtime out; asks versions once for each program."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from wherry.cache.folders import prepare
from wherry.cache.records import Records, key
from wherry.errors import UnavailableError, UsageError
from wherry.flows.folders import folders_of
from wherry.kit.ports import Command, Completed, Machine, Run
from wherry.kit.value import decodable
from wherry.runtime.arguments import CLIENTS
from wherry.runtime.find import check, client, runtimes
from wherry.runtime.oci import NAMES, Runtime
from wherry.runtime.rootless import preferred

ALL = (*NAMES, *CLIENTS)


def engine_for(machine: Machine, wanted: str = "") -> Runtime:
    """The engine that `wanted` names; else runc or crun where they may run, else Docker or podman where they answer. UsageError
    [container-option] for another word, UnavailableError [no-runtime], [no-engine]."""
    if wanted in CLIENTS:
        return _client(machine, wanted)
    try:
        return own_runtime(machine, wanted)
    except UnavailableError:
        if wanted:
            raise
        for name in CLIENTS:
            with contextlib.suppress(UnavailableError):
                return _client(machine, name)
        raise


def _client(machine: Machine, name: str) -> Runtime:
    one = client(name, machine.which, machine.run, machine.spawn, machine.variables)
    if one is None:
        raise UnavailableError(
            "no-engine", f"{name} is not on this machine", next=(f"install {name}", "leave --engine out: runc or crun")
        )
    return one


def own_runtime(machine: Machine, wanted: str = "") -> Runtime:
    """runc or crun, rather one that `check` accepts. UsageError [container-option] for another word, UnavailableError
    [no-runtime] when neither is here."""
    if wanted and wanted not in ALL:
        raise UsageError(
            "container-option",
            f"there is no engine {wanted[:40]!r}",
            where=f"--engine {wanted[:40]}",
            next=f"one of {', '.join(ALL)}",
        )
    here = {one.name: one for one in found(machine)}
    names = tuple(here) if wanted or os.geteuid() == 0 else preferred(tuple(here), machine.which)
    fitting = [here[name] for name in names if wanted in ("", name)]
    if fitting:
        return next((one for one in fitting if not _is_refused(one)), fitting[0])
    raise UnavailableError(
        "no-runtime",
        f"{wanted or 'runc'} is not on this machine",
        why="wherry runs containers by runc or crun, without a daemon" if not wanted else "",
        next=("install runc", "--engine docker or podman"),
    )


def _is_refused(runtime: Runtime) -> bool:
    try:
        check(runtime)
    except UnavailableError:
        return True
    return False


def found(machine: Machine) -> tuple[Runtime, ...]:
    """runc and crun, those that are here; each program is asked for its version once."""
    return runtimes(machine.which, _remembered(machine), machine.spawn)


def _remembered(machine: Machine) -> Run:
    """Runs a program that says its version, unless the very file was asked before."""
    records = Records(prepare(folders_of(machine)))

    def run(command: Command, /) -> Completed:
        try:
            status = os.stat(command.argv[0])  # noqa: PTH116 - the program itself, behind its links
        except OSError:
            return machine.run(command)
        name = key("version", *command.argv, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = records.get(name)
        if known is not None:
            return msgspec.json.decode(known, type=decodable(Completed))
        ended = machine.run(command)
        if not ended.code:
            records.put(name, msgspec.json.encode(ended))
        return ended

    return run


def run_folder(machine: Machine) -> Path:
    """Where containers live: WHERRY_RUN_DIR, else /var/lib/wherry for root, else beside wherry's own store. Root's home is closed
    to others, and a container in a user namespace is somebody else even where root started it."""
    said = dict(machine.variables)
    own = said.get("WHERRY_RUN_DIR", "")
    if own.startswith("/"):
        return Path(own)
    data = said.get("WHERRY_DATA_DIR", "")
    if data.startswith("/"):
        return Path(data, "run")
    return Path("/var/lib/wherry") if os.geteuid() == 0 else Path(machine.environment.data_home, "wherry", "run")
