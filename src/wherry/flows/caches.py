"""What wherry keeps on this machine, and making room. A Machine in, rows or what was freed out; deletes what is asked for."""

from __future__ import annotations

from wherry.cache.contents import Row, df
from wherry.cache.folders import prepare
from wherry.cache.prune import Freed, Order, limit_of, prune, prune_if_due, size_of
from wherry.flows.folders import data_folder, folders_of
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.store import own

DAY = 86_400.0
GRACE = 3600.0
"""Blobs of wherry's store that no name leads to stay this long: a run may be about to name them."""


class Contents(Value, frozen=True, kw_only=True):
    """The cache's rows and its folder, and the names in wherry's own store."""

    folder: str
    limit: int
    rows: tuple[Row, ...]
    store: str
    images: tuple[own.OwnImage, ...]


def contents(machine: Machine) -> Contents:
    """What is kept."""
    folders = prepare(folders_of(machine))
    data = data_folder(machine)
    return Contents(
        folder=folders.path,
        limit=limit_of(folders, dict(machine.variables)),
        rows=df(folders),
        store=str(own.folder(data)),
        images=own.images(data),
    )


def names(machine: Machine) -> tuple[str, ...]:
    """The names in wherry's own store, the one kept last first."""
    return tuple(one.name for one in own.images(data_folder(machine)))


def free(machine: Machine, *, limit: str = "", days: float = 0.0, everything: bool = False) -> tuple[Freed, int]:
    """Makes room in the cache, and drops what no name in wherry's store leads to. Returns what was freed in each.

    `limit` as `2GB`; without an order the usual limit holds.
    """
    folders = prepare(folders_of(machine))
    order = Order(
        limit=size_of(limit, "--limit ")
        if limit
        else None
        if everything or days
        else limit_of(folders, dict(machine.variables)),
        before=machine.now() - days * DAY if days else None,
        everything=everything,
    )
    return prune(folders, order, machine.now), own.prune(data_folder(machine), before=machine.now() - GRACE)


def tidy(machine: Machine) -> None:
    """Once a day, at the end of a build: holds the cache to its limit."""
    folders = folders_of(machine)
    prune_if_due(folders, limit_of(folders, dict(machine.variables)), machine.now)
