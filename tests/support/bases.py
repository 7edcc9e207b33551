"""Bases read as a build reads them. A place and a folder in, Base values out; keeps a cache in the folder."""

from __future__ import annotations

from pathlib import Path

from tests.support.ports import ports
from wherry.cache.blobs import Blobs
from wherry.cache.folders import Folders, prepare
from wherry.cache.records import Records
from wherry.model.base import Base
from wherry.oci.platform import parse as platform
from wherry.store import place as places
from wherry.store.base import Bases, Wanted
from wherry.store.keeper import Ports


def kept(folder: Path) -> Blobs:
    """A cache in `folder`."""
    folders = prepare(Folders(str(folder / "cache")))
    return Blobs(folders, Records(folders))


def bases(folder: Path, *, lazy: bool = False, through: Ports | None = None) -> Bases:
    """One run's bases over the cache in `folder`."""
    blobs = kept(folder)
    return Bases(through or ports(folder), blobs, blobs.records, lazy=lazy)


def wanted(place: str, digest: str = "") -> Wanted:
    return Wanted(name=place, place=places.parse(place), digest=digest)


def read_base(place: str, asked: str, folder: Path, **more: str) -> Base:
    """The base at `place` for the platform `asked`, all of its layers here."""
    return bases(folder, through=ports(folder, **more) if more else None).read(wanted(place), platform(asked))
