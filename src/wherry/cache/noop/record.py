"""Remembers a finished build. A request, inputs and an outcome in, an index on disk out; reads every input.

In two steps. `draft` may run while Go compiles: it proves each path and takes its stats, and whatever could have changed since
the build began makes the draft unclear. `finish` comes after the build, and sees that all stats are still the same. So every
input was one and the same from before anything was read until all was done (decision 0004).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wherry.cache.aside import move_aside
from wherry.cache.folders import Folders
from wherry.cache.noop import state
from wherry.cache.noop.check import file_of, load, save
from wherry.cache.noop.collect import MOST, TooManyError, collect
from wherry.cache.noop.inputs import (
    DockerOutput,
    FileOutput,
    Inputs,
    LayoutOutput,
    Output,
    PodmanOutput,
    QuietSocket,
    RegistryOutput,
)
from wherry.cache.noop.mounts import honest
from wherry.cache.noop.request import Request, seal
from wherry.cache.noop.state import Stats
from wherry.kit.value import Value

if TYPE_CHECKING:
    from wherry.cache.noop.check import Index

LARGEST_HASHED = 8 << 20
"""Larger files are known by their stats alone; to touch one is to build again."""
STEP_NS = 1_000_000
"""Most by which the clock may have been set during a build."""
Began = tuple[int, int]
_Seen = dict[str, Stats | None]


class Draft(Value, frozen=True, kw_only=True):
    """All inputs of a build under way, as they were when it began."""

    key: str
    began: Began
    stats: _Seen = {}
    proofs: dict[str, str] = {}
    variables: dict[str, str | None] = {}
    unclear: str = ""
    """Why there can be no index."""
    told: str = ""
    """What belongs to these inputs besides: kept with the index, for the caller."""


class _ImpossibleError(Exception):
    """Why there can be no index."""


def begin() -> Began:
    """To be called before anything is read."""
    return state.clock()


def draft(folders: Folders, request: Request, began: Began, inputs: Inputs) -> Draft:
    """Looks at every input. Never raises for what it finds; a thread of its own may run it."""
    key = request.key()
    unclear = inputs.unclear
    stats, proofs = _Seen(), dict[str, str]()
    try:
        if not unclear:
            skip = frozenset((folders.root, *inputs.written))
            paths = collect(inputs, skip, request.variables.get("PATH", ""))
            stats, proofs = _prove(paths, load(folders, key), began[0] - STEP_NS)
            _check_devices(stats)
    except _ImpossibleError as error:
        unclear = str(error)
    except TooManyError:
        unclear = f"there are more than {MOST} inputs"
    except OSError as error:
        unclear = f"{error.filename} could not be read: {error.strerror}"
    variables = {name: seal(request.variables.get(name)) for name in inputs.variables}
    return Draft(key=key, began=began, stats=stats, proofs=proofs, variables=variables, unclear=unclear)


def redraft(folders: Folders, request: Request, began: Began, edited: tuple[str, ...]) -> Draft:
    """As `draft`, where `check.look` saw that of all inputs only the Go files `edited` have other bytes: the paths are those of
    the last time, and each of the others must be what it was."""
    key = request.key()
    known = load(folders, key)
    if known is None:
        return Draft(key=key, began=began, unclear="the index that this build began with is gone")
    made, proved, apart = set(known["made"]), known["proofs"], set(edited)
    kinds = {path: proved.get(path, "")[:1] for path in known["stats"] if path not in made}
    try:
        stats, proofs = _prove(kinds, known, began[0] - STEP_NS)
        for path in kinds.keys() - apart:
            by_stats = proofs.get(path) == "s"
            if proofs.get(path) != proved.get(path) or (by_stats and stats[path] != known["stats"][path]):
                raise _changed(path)
    except _ImpossibleError as error:
        return Draft(key=key, began=began, unclear=str(error))
    except OSError as error:
        return Draft(key=key, began=began, unclear=f"{error.filename} could not be read: {error.strerror}")
    variables = {name: seal(request.variables.get(name)) for name in known["variables"]}
    return Draft(key=key, began=began, stats=stats, proofs=proofs, variables=variables, told=known["told"])


def finish(folders: Folders, draft: Draft, outputs: tuple[Output, ...], result: str) -> str:
    """Makes `unchanged` answer the request with `result` for as long as nothing differs. Returns empty, or why not."""
    if draft.unclear:
        return draft.unclear
    try:
        index = _index(draft, outputs, result)
    except _ImpossibleError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} could not be read: {error.strerror}"
    if os.path.isdir(file_of(folders, draft.key)):  # would stop the rename
        move_aside(folders, Path(file_of(folders, draft.key)))
    save(folders, draft.key, _encoded(index))
    return ""


def _prove(paths: dict[str, str], known: Index | None, before: int) -> tuple[_Seen, dict[str, str]]:
    """Stats and proofs of all inputs; every change must have been made before the time `before`."""
    reusable = known if known is not None and known["boot"] == state.boot_id() else None
    stats: _Seen = {}
    proofs: dict[str, str] = {}
    for path, kind in paths.items():
        stats[path] = found = state.stats(path)
        if found is not None:
            proofs[path] = _proof(path, found, kind, reusable)
            if proofs[path] != "p" and not state.settled(found, before):
                raise _changed(path)
    return stats, proofs


def _proof(path: str, found: Stats, kind: str, known: Index | None) -> str:
    """Stats are taken before and after what is read; so they and the proof are of one moment."""
    kind = kind if kind != "g" or state.kind_of(found) == "d" else ""
    kind = kind or state.kind_of(found)
    if kind in ("s", "p") or (kind == "f" and found[2] > LARGEST_HASHED):
        return "p" if kind == "p" else "s"
    if known is not None and known["stats"].get(path) == found and path not in known["unsure"]:
        proof = known["proofs"][path]
        if proof[0] == kind:
            return proof
    proof = state.prove(path, kind)
    if state.stats(path) != found:
        raise _changed(path)
    return proof


def _index(draft: Draft, outputs: tuple[Output, ...], result: str) -> Index:
    rows, files = _outputs(outputs)
    results: _Seen = {path: _settled(path) for path in files}
    _check_devices(results)
    stats = state.stats
    for path, before in draft.stats.items():
        if stats(path) != before and (
            before is None or draft.proofs[path] != "p" or not state.recheck(path, before, "p")
        ):
            raise _changed(path)
    if abs(state.clock()[1] - draft.began[1]) > STEP_NS:
        raise _ImpossibleError("the clock was set during the build")
    return {
        "boot": state.boot_id(),
        "stats": draft.stats | results,
        "proofs": draft.proofs | files,
        "unsure": [],
        "variables": draft.variables,
        "outputs": rows,
        "made": [path for path in files if path not in draft.stats],
        "told": draft.told,
        "result": result,
    }


def _settled(path: str) -> Stats:
    """The stats of a file that the build wrote, as soon as a later change of it must show in them."""
    for _ in range(100):
        found = state.stats(path)
        if found is None:
            break
        if state.settled(found, state.clock()[0]):
            return found
        time.sleep(0.001)
    raise _ImpossibleError(f"{path} is gone, or its file system's clock is not this machine's")


def _outputs(outputs: tuple[Output, ...]) -> tuple[list[list[str]], dict[str, str]]:
    """Rows for `outputs.all_there`, and files with their proofs."""
    rows: list[list[str]] = []
    files: dict[str, str] = {}
    for output in outputs:
        match output:
            case LayoutOutput():
                rows.append(["layout", output.directory, output.name, output.digest])
                blobs = (digest for digest in output.blobs if digest.algorithm == "sha256")
                files |= {f"{output.directory}/blobs/{digest.path}": f"f{digest.hex}" for digest in blobs}
            case FileOutput():
                files[output.path] = "s"
            case RegistryOutput():
                rows.append(_registry(output))
            case DockerOutput():
                rows.append(["docker", output.socket, output.reference, output.id])
            case PodmanOutput():
                rows.append(["podman", output.file, output.reference, output.digest])
            case QuietSocket():
                rows.append(["quiet", output.path])
    return rows, files


def _registry(output: RegistryOutput) -> list[str]:
    """One on this machine is asked by the check itself, in plain HTTP; any other, by the client that knows TLS and passwords."""
    name, _, port = output.host.rpartition(":")
    tail = [output.repository, output.tag, str(output.digest)]
    if port.isdecimal() and (name in ("localhost", "[::1]") or name.startswith("127.")):
        return ["registry", name.strip("[]"), port, *tail]
    return ["remote", "read" if output.read else "push", output.host, *tail]


def _check_devices(stats: _Seen) -> None:
    examples = {found[6]: path for path, found in stats.items() if found is not None}
    for device, path in examples.items():
        if not honest(path, device):
            raise _ImpossibleError(f"the file system of {path} does not keep this machine's time")


def _changed(path: str) -> _ImpossibleError:
    return _ImpossibleError(f"{path} changed during the build")


def _encoded(index: Index) -> bytes:
    try:
        return msgspec.json.encode(index, enc_hook=str)
    except UnicodeEncodeError:  # a path that is no UTF-8
        return json.dumps(index).encode()
