"""Compilations in, binaries out: one `go build` each, always of packages; starts Go, touches scratch and kept folders.

Go itself caches packages; this room keeps binaries (`keep`), names failures (`diagnose`) and counts what was compiled.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

from wherry.compile import keep
from wherry.compile.diagnose import build_error
from wherry.errors import BuildError, Several, UsageError, WherryError
from wherry.kit.goenv import merged
from wherry.kit.ports import Command, Event, Events, Run, StoppableRun, silent
from wherry.kit.value import Value
from wherry.model.binary import Binary, Compiled
from wherry.model.plan import Compilation
from wherry.model.toolchain import Toolchain

Pairs = tuple[tuple[str, str], ...]
#: What `go build -v` prints for each package it compiles; everything else on its lines holds a blank, a colon or a bracket.
PACKAGE_LINE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+/@!-]*")


class Workplace(Value, frozen=True, kw_only=True):
    """Where and with what compilations are done."""

    toolchain: Toolchain
    environment: Pairs
    """What every go child has (`kit.goenv.go_environment`); a compilation's own variables come over it."""
    kept: str
    """Root of the kept binaries; nobody else's files are there."""
    scratch: str
    """A private folder on the file system of `kept`, removed by the caller when the binaries are no longer needed."""
    reader: str = ""
    """The folder the person stands in: Go's places are made relative to it."""
    jobs: int = 2
    """How many `go build` at once. Loading and linking use one core only: two platforms at once take 0.75 of the time."""


def compile_all(
    compilations: tuple[Compilation, ...], workplace: Workplace, run: StoppableRun, events: Events = silent
) -> Compiled:
    """All binaries, in the order of compilations and targets. Each file is private to this run: it changes no more,
    whatever another wherry does. Raises BuildError or UnavailableError with Go's own words as `output`, or Several when
    platforms fail in different ways; an interrupt ends Go first."""
    begin = time.monotonic()
    if workplace.jobs < 2 or len(compilations) < 2:
        return _together(tuple(_compile(one, workplace, run, events) for one in compilations), begin)
    return _together(_at_once(compilations, workplace, run, events), begin)


def _at_once(
    compilations: tuple[Compilation, ...], workplace: Workplace, run: StoppableRun, events: Events
) -> tuple[Compiled, ...]:
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(workplace.jobs) as pool:
        futures = tuple(pool.submit(_compile, one, workplace, run, events) for one in compilations)
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            run.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    ended = tuple(future for future in futures if not future.cancelled())
    _raise_all(tuple(error for future in ended if isinstance(error := future.exception(), WherryError)))
    return tuple(future.result() for future in ended)


def _raise_all(errors: tuple[WherryError, ...]) -> None:
    """The errors of several platforms, those in the same words once."""
    different = tuple({(error.name, error.output): error for error in reversed(errors)}.values())[::-1]
    if len(different) > 1:
        raise Several(different)
    if different:
        raise different[0]


def _together(parts: tuple[Compiled, ...], begin: float) -> Compiled:
    return Compiled(
        binaries=tuple(binary for part in parts for binary in part.binaries),
        compiled_packages=sum(part.compiled_packages for part in parts),
        seconds=time.monotonic() - begin,
    )


def _compile(compilation: Compilation, workplace: Workplace, run: Run, events: Events) -> Compiled:
    subject = str(compilation.platform)
    events(Event(phase="compile", subject=subject))
    out, work = keep.workspace(workplace.scratch, keep.key(compilation, workplace.toolchain))
    kept = keep.kept_directory(workplace.kept, compilation, workplace.toolchain)
    seeds = keep.seed(compilation, kept, out)
    ended = run(_command(compilation, workplace, out, work))
    packages, said = split_output(ended.stderr.decode("utf-8", "replace"))
    if ended.code:
        raise build_error(compilation, said, ended.code, reader=workplace.reader)
    binaries = tuple(_binary(compilation, seed, out, kept) for seed in seeds)
    events(Event(phase="compile", state="end", subject=subject, done=len(packages), seconds=ended.seconds))
    return Compiled(binaries=binaries, compiled_packages=len(packages), seconds=ended.seconds)


def _command(compilation: Compilation, workplace: Workplace, out: Path, work: Path) -> Command:
    packages = tuple(target.import_path for target in compilation.targets)
    for package in packages:
        if not package or package.startswith("-") or package.endswith(".go") or not package.isprintable():
            raise UsageError(
                "not-a-package", f"{package!r} is no package that go build could be given", where=compilation.directory
            )
    # GOTMPDIR on the file system of the output: Go then renames the finished binary into place and need not copy it.
    environment = merged(
        workplace.environment, compilation.environment, (("GOTMPDIR", str(work)), ("PWD", compilation.directory))
    )
    return Command(
        argv=(workplace.toolchain.go, "build", "-v", *compilation.flags, f"-o={out}/", "--", *packages),
        environment=environment,
        directory=compilation.directory,
    )


def _binary(compilation: Compilation, seed: keep.Seed, out: Path, kept: Path) -> Binary:
    file = out / seed.target.file
    if not file.is_file():
        where = compilation.directory
        raise BuildError(
            "not-built", f"go build of {seed.target.import_path} ended well but left no {file.name}", where=where
        )
    linked, sha256 = keep.publish(seed, out, kept)
    return Binary(
        import_path=seed.target.import_path,
        name=seed.target.name,
        platform=compilation.platform,
        file=str(file),
        size=file.stat().st_size,
        sha256=sha256,
        linked=linked,
    )


def split_output(stderr: str) -> tuple[tuple[str, ...], str]:
    """Go's stderr as the packages that `-v` named and the rest, untouched."""
    packages, rest = [], []
    for line in stderr.splitlines(keepends=True):
        if PACKAGE_LINE.fullmatch(line.rstrip("\n")):
            packages.append(line.rstrip("\n"))
        else:
            rest.append(line)
    return tuple(packages), "".join(rest)
