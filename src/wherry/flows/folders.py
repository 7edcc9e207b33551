"""Where one run works: the cache's folders, its own scratch folder, Go's workplace. A Machine in, paths out; makes the folders.

Imports little: this stands before `go build` begins (flows/session.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wherry.cache.folders import Folders, locate, prepare
from wherry.cache.leases import lease
from wherry.kit.ports import Machine
from wherry.kit.scratch import scratch_folder

if TYPE_CHECKING:
    from wherry.compile import Workplace
    from wherry.model.plan import Plan


def folders_of(machine: Machine) -> Folders:
    """Where this user's cache lies; nothing is made."""
    return locate(dict(machine.variables))


def data_folder(machine: Machine) -> str:
    """Where wherry's own store lies: WHERRY_DATA_DIR, else `wherry` in the user's data folder."""
    own = dict(machine.variables).get("WHERRY_DATA_DIR", "")
    return own if own.startswith("/") else f"{machine.environment.data_home}/wherry"


@contextlib.contextmanager
def scratch(machine: Machine) -> Iterator[str]:
    """A private folder beside the cache for one run; while it is there, nothing this run uses is pruned."""
    folders = prepare(folders_of(machine))
    with lease(folders), scratch_folder(folders.scratch) as folder:
        yield folder


def workplace(machine: Machine, plan: Plan, folder: str, *, cache: bool = True) -> Workplace:
    """Where and with what `go build` runs; without the cache, what it keeps is as private as `folder`."""
    from wherry.compile import Workplace
    from wherry.kit.goenv import go_environment

    folders = folders_of(machine) if cache else prepare(Folders(f"{folder}/cache"))
    return Workplace(
        toolchain=plan.toolchain,
        environment=go_environment(machine.environment, plan.toolchain.environment, root=plan.root),
        kept=folders.binaries,
        scratch=folder,
        reader=str(Path.cwd()),
    )
