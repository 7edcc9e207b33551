"""Is there anything to do? A request in, the last result or None out; reads the disk, asks servers of this machine.

None whenever anything is different, unclear or unreadable: then the build runs, which is always right. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat

from wherry.cache.folders import Folders
from wherry.cache.noop import outputs, state
from wherry.cache.noop.request import Request, seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Index(TypedDict):
        """What the file of a request holds."""

        boot: str
        stats: dict[str, state.Stats | None]
        """None: nothing was there."""
        proofs: dict[str, str]
        """For every path at which something was."""
        unsure: list[str]
        """Paths whose stats may lie; they are proved each time."""
        variables: dict[str, str | None]
        outputs: list[outputs.Row]
        made: list[str]
        """Those of the paths at which the result lies."""
        told: str
        """What belongs to these inputs besides; the caller's own word."""
        result: str


LARGEST = 64 << 20


def unchanged(request: Request, folders: Folders) -> str | None:
    """What `record` was given as the result of the same request, if nothing at all is different; else None."""
    return look(request, folders)[0]


def look(
    request: Request, folders: Folders, ask: outputs.Ask | None = None
) -> tuple[str | None, tuple[str, ...] | None]:
    """The result as by `unchanged`; and the Go files whose bytes are all that is different in the inputs (none, when only the
    result is not there), or None when anything else is. `ask`: asks registries that this module cannot."""
    key = request.key()
    try:
        index = load(folders, key)
        if index is None or not index["boot"] or index["boot"] != state.boot_id():
            return (
                None,
                None,
            )  # after a start of the machine, what was not synced may be lost, and devices may have new numbers
        if any(seal(request.variables.get(name)) != value for name, value in index["variables"].items()):
            return None, None
        fresh, edited = verified(index)
        if fresh is None or edited or not outputs.all_there(index["outputs"], ask):
            return None, edited
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None, None
    if fresh["stats"] != index["stats"] or fresh["unsure"] != index["unsure"]:
        save(folders, key, json.dumps(fresh).encode())
    return fresh["result"], edited


def verified(index: Index) -> tuple[Index | None, tuple[str, ...] | None]:
    """The index with stats as they are now, if the result still is what it was; and the inputs that differ, if these are Go
    files with other bytes and nothing else. None for what does not hold."""
    now = state.clock()[0]
    expected = index["stats"]
    stats = state.stats
    moved = [path for path, before in expected.items() if stats(path) != before]
    again = dict.fromkeys((*moved, *index["unsure"]))
    if not again:
        return index, ()
    made = set(index["made"])
    renewed, unsure, edited, whole = dict(expected), [], [], True
    for path in again:
        before = expected[path]
        found = None if before is None else state.recheck(path, before, index["proofs"][path])
        if found is not None:
            renewed[path] = found
            if not state.settled(found, now):
                unsure.append(path)
        elif path in made:
            whole = False
        elif _edited(path, before, index["proofs"].get(path, "")):
            edited.append(path)
        else:
            return None, None
    return ({**index, "stats": renewed, "unsure": unsure} if whole else None), tuple(edited)


def _edited(path: str, before: state.Stats | None, proof: str) -> bool:
    """Whether a Go file that was proved is there with other bytes."""
    now = state.stats(path) if before is not None and path.endswith(".go") and proof[:1] == "f" else None
    return now is not None and before is not None and now[:2] == before[:2]


def file_of(folders: Folders, key: str) -> str:
    """Where the index of the request with this key lies."""
    return f"{folders.noop}/{key}.json"


def load(folders: Folders, key: str) -> Index | None:
    """The index as it was saved; None when there is none, it is damaged, or somebody else could have written it."""
    try:
        with open(file_of(folders, key), "rb", opener=_opener) as file:
            found = os.fstat(file.fileno())
            ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
            data = file.read() if ours and found.st_size <= LARGEST else b""
    except OSError:
        return None
    if data[:65] != _sum(key, data[65:]):
        return None
    index: Index = json.loads(data[65:])
    return index


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def save(folders: Folders, key: str, data: bytes) -> None:
    """Replaces the index, whole, or leaves it; a disk that will not is no error. `data` is its JSON."""
    from pathlib import Path  # only where there is something to save: looking must not wait for these imports

    from wherry.errors import UnavailableError
    from wherry.kit.files import atomic_write

    try:
        atomic_write(Path(file_of(folders, key)), _sum(key, data) + data, mode=0o600)
    except UnavailableError:
        return


def _sum(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + data).hexdigest().encode() + b"\n"
