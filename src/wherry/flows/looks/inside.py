"""The root from inside: what a test program there can write to, and what Go's standard library finds. A Scene in, looks out;
starts a copy of the container."""

from __future__ import annotations

import msgspec

from wherry.flows.looks.beside import beside, said
from wherry.flows.looks.scene import Scene
from wherry.kit.value import Value, decodable
from wherry.model.container import Container
from wherry.model.trials import Surroundings, Writes
from wherry.runtime.look import mounts

Names = tuple[str, ...] | None


class _Writes(Value, frozen=True, kw_only=True):
    """As runtime/inside/writes.go has it."""

    tried: int
    refused: dict[str, int]
    made: Names
    opened: Names
    changed: Names
    writable: Names
    unwilling: Names
    cut: bool


class _Surroundings(Value, frozen=True, kw_only=True):
    """As runtime/inside/surroundings.go has it."""

    certificates: int
    authority: str
    distrust: str
    zones: dict[str, str]
    addresses: Names
    lookup: str
    files: dict[str, str]
    user: str
    home: str
    nobody: str


class _Said(Value, frozen=True, kw_only=True):
    writes: _Writes
    surroundings: _Surroundings


def inside(scene: Scene) -> dict[str, object]:
    """writes, surroundings."""
    declared = declared_places(scene.made.container)
    with beside(scene, "look", *declared) as one:
        found = msgspec.convert(said(one), type=decodable(_Said))
        seen = mounts(one.pid)
    one_by_one, around = found.writes, found.surroundings
    return {
        "writes": Writes(
            tried=one_by_one.tried,
            refused=tuple(sorted(one_by_one.refused.items(), key=lambda row: (-row[1], row[0]))),
            made=one_by_one.made or (),
            opened=one_by_one.opened or (),
            changed=one_by_one.changed or (),
            writable=one_by_one.writable or (),
            unwilling=one_by_one.unwilling or (),
            cut=one_by_one.cut,
            mounts=seen,
        ),
        "surroundings": Surroundings(
            certificates=around.certificates,
            authority=around.authority,
            distrust=around.distrust,
            zones=tuple(sorted(around.zones.items())),
            addresses=around.addresses or (),
            lookup=around.lookup,
            files=tuple(sorted(around.files.items())),
            user=around.user,
            home=around.home,
            nobody=around.nobody,
        ),
    }


def declared_places(container: Container) -> tuple[str, ...]:
    """Where the container may write to: its memory, and volumes that are not read-only."""
    return tuple(one.path for one in container.tmpfs) + tuple(one.path for one in container.binds if one.writable)
