"""Remembers a finished build. A request and an outcome in, an index on disk out; reads every input.

Whatever is recorded was so before the build began and is so still: everything that changed since then, or could have without
showing it, makes the record impossible (decision 0004). Each path is proved first and its stats are taken after.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wherry.cache.aside import move_aside
from wherry.cache.folders import Folders
from wherry.cache.noop import state
from wherry.cache.noop.check import file_of, load, save
from wherry.cache.noop.collect import MOST, TooManyError, collect
from wherry.cache.noop.inputs import (
    DockerOutput,
    FileOutput,
    LayoutOutput,
    Outcome,
    Output,
    QuietSocket,
    RegistryOutput,
)
from wherry.cache.noop.mounts import honest
from wherry.cache.noop.request import Request
from wherry.cache.noop.state import Stats

if TYPE_CHECKING:
    from wherry.cache.noop.check import Index

LARGEST_HASHED = 8 << 20
"""Larger files are known by their stats alone; to touch one is to build again."""
STEP_NS = 1_000_000
"""Most by which the clock may have been set during a build."""
Began = tuple[int, int]


class _ImpossibleError(Exception):
    """Why there can be no index."""


def begin() -> Began:
    """To be called before anything is read."""
    return state.clock()


def record(folders: Folders, request: Request, began: Began, outcome: Outcome) -> str:
    """Makes `unchanged` answer this request with `outcome.result` for as long as nothing differs. Returns empty, or why not."""
    try:
        index = _index(folders, request, began, outcome)
    except _ImpossibleError as error:
        return str(error)
    except TooManyError:
        return f"there are more than {MOST} inputs"
    except OSError as error:
        return f"{error.filename} could not be read: {error.strerror}"
    key = request.key()
    if os.path.isdir(file_of(folders, key)):  # would stop the rename
        move_aside(folders, Path(file_of(folders, key)))
    save(folders, key, index)
    return ""


def _index(folders: Folders, request: Request, began: Began, outcome: Outcome) -> Index:
    if outcome.inputs.unclear:
        raise _ImpossibleError(outcome.inputs.unclear)
    paths = collect(outcome.inputs, _written(folders, outcome.outputs), request.variables.get("PATH", ""))
    stats, proofs = _inputs(paths, load(folders, request.key()), began[0] - STEP_NS)
    rows, files = _outputs(outcome.outputs)
    everything = stats | {path: _result(path) for path in files}
    _devices(everything)
    if abs(state.clock()[1] - began[1]) > STEP_NS:
        raise _ImpossibleError("the clock was set during the build")
    return {
        "boot": state.boot_id(),
        "stats": everything,
        "proofs": {**proofs, **files},
        "unsure": [],
        "variables": {name: request.variables.get(name) for name in outcome.inputs.variables},
        "outputs": rows,
        "result": outcome.result,
    }


def _inputs(paths: dict[str, str], known: Index | None, before: int) -> tuple[dict[str, Stats | None], dict[str, str]]:
    """Stats and proofs of all inputs; every change must have been made before the time `before`."""
    reusable = known if known is not None and known["boot"] == state.boot_id() else None
    stats: dict[str, Stats | None] = {}
    proofs: dict[str, str] = {}
    for path, kind in paths.items():
        found = state.stats(path)
        if found is not None:
            proofs[path] = _proof(path, found, kind, reusable)
            found = state.stats(path)
            _check_unchanged(path, found, proofs[path], before)
        stats[path] = found
    return stats, proofs


def _proof(path: str, found: Stats, kind: str, known: Index | None) -> str:
    kind = kind if kind != "g" or state.kind_of(found) == "d" else ""
    kind = kind or state.kind_of(found)
    if kind == "f" and found[2] > LARGEST_HASHED:
        return "s"
    if known is not None and known["stats"].get(path) == found and path not in known["unsure"]:
        proof = known["proofs"][path]
        if proof[0] == kind:
            return proof
    return state.prove(path, kind)


def _check_unchanged(path: str, found: Stats | None, proof: str, before: int) -> None:
    if found is None or (proof != "p" and not state.settled(found, before)):
        raise _ImpossibleError(f"{path} changed during the build")


def _written(folders: Folders, outputs: tuple[Output, ...]) -> frozenset[str]:
    """Folders in which the build itself writes: no inputs, even where they lie among them."""
    layouts = (output.directory for output in outputs if isinstance(output, LayoutOutput))
    return frozenset((folders.root, *layouts))


def _result(path: str) -> Stats | None:
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
                rows.append(["registry", *_local(output.host), output.repository, output.tag, output.digest])
            case DockerOutput():
                rows.append(["docker", output.socket, output.reference, output.id])
            case QuietSocket():
                rows.append(["quiet", output.path])
    return rows, files


def _local(host: str) -> tuple[str, str]:
    """Host and port of a registry that the check can ask: it speaks plain HTTP, and so only to this machine."""
    name, _, port = host.rpartition(":")
    if not port.isdecimal() or not (name in ("localhost", "[::1]") or name.startswith("127.")):
        raise _ImpossibleError(f"{host} is not on this machine, and the check speaks to no other")
    return name.strip("[]"), port


def _devices(stats: dict[str, Stats | None]) -> None:
    examples = {found[6]: path for path, found in stats.items() if found is not None}
    for device, path in examples.items():
        if not honest(path, device):
            raise _ImpossibleError(f"the file system of {path} does not keep this machine's time")
