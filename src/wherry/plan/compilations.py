"""Which `go build` runs, and what each makes. Units in, compilations out; touches nothing.

One `go build` for all mains of a platform that share folder, flags and variables: they share packages, and Go loads them once.
"""

from __future__ import annotations

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.plan import Compilation, Pairs, Target
from wherry.oci.platform import Platform


class Unit(Value, frozen=True, kw_only=True):
    """One main for one platform, decided."""

    target: Target
    platform: Platform
    directory: str
    flags: tuple[str, ...]
    ldflags: str = ""
    environment: Pairs = ()
    cgo: bool = False


def group(units: tuple[Unit, ...]) -> tuple[Compilation, ...]:
    """The compilations in the order of the units. `go build -o DIR/` names a file by its package: two units with one file name
    cannot share a compilation. UsageError [bad-setting] when a main would have to be compiled in two ways for one platform."""
    groups: list[list[Unit]] = []
    for unit in _unique(units):
        fitting = next((one for one in groups if _fits(one, unit)), None)
        if fitting is None:
            groups.append([unit])
        else:
            fitting.append(unit)
    return tuple(_compilation(tuple(one)) for one in groups)


def _unique(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    known: dict[tuple[str, Platform], Unit] = {}
    for unit in units:
        before = known.setdefault((unit.target.import_path, unit.platform), unit)
        if before != unit:
            raise UsageError(
                "bad-setting",
                f"{unit.target.import_path} would have to be compiled in two ways for {unit.platform}",
                why="it is in several images, and how cgo is linked depends on the base",
                next="set build.static for this main",
            )
    return tuple(known.values())


def _fits(group: list[Unit], unit: Unit) -> bool:
    first = group[0]
    same = (first.platform, first.directory, first.flags, first.environment, first.cgo)
    files = {one.target.file for one in group}
    return (
        same == (unit.platform, unit.directory, unit.flags, unit.environment, unit.cgo)
        and unit.target.file not in files
    )


def _compilation(units: tuple[Unit, ...]) -> Compilation:
    first = units[0]
    return Compilation(
        platform=first.platform,
        directory=first.directory,
        targets=tuple(unit.target for unit in units),
        flags=(*first.flags, *_linking(units)),
        environment=tuple(sorted(dict(first.environment).items())),
        cgo=first.cgo,
    )


def _linking(units: tuple[Unit, ...]) -> tuple[str, ...]:
    """Of several -ldflags Go takes the last whose pattern fits the package; a link uses those of its main package."""
    different = {unit.ldflags for unit in units}
    if len(different) > 1:
        return tuple(f"-ldflags={unit.target.import_path}={unit.ldflags}" for unit in units)
    return tuple(f"-ldflags={text}" for text in different if text)
