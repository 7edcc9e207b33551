"""Repositories for tests, and the real ports to analyse them with. Texts in, folders and Projects out; starts git and Go."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from tests.support.tools import need
from wherry.analyze.project import analyze
from wherry.analyze.request import Request
from wherry.kit.ports import Command, Completed, Run
from wherry.model.project import Main, Project
from wherry.model.toolchain import Toolchain
from wherry.system.environment import environment
from wherry.system.processes import Processes
from wherry.system.programs import programs
from wherry.toolchain import find_toolchain

MAIN = "package main\n\nfunc main() {}\n"
MODULE = "module example.com/app\n\ngo 1.24\n"


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    """Makes the files below `root`, folders included."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def git(folder: Path, *arguments: str) -> str:
    """Runs git and returns what it printed; fails with what it said."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(root: Path, files: dict[str, str | bytes] | None = None) -> Path:
    """A git repository with one commit of `files` (a main without them)."""
    need("git")
    write(root, files if files is not None else {"go.mod": MODULE, "main.go": MAIN})
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "first")
    return root


class Watched:
    """The real run port, with all that was started."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self._run = Processes()

    def __call__(self, command: Command, /) -> Completed:
        self.commands.append(command)
        return self._run(command)


def toolchain() -> Toolchain:
    """The Go of this machine."""
    need("go")
    known = environment()
    return find_toolchain(known, which=programs(known.path), run=Processes())


def look(folder: Path, *packages: str, go: bool = True, run: Run | None = None, **more: Any) -> Project:
    """The Project of `folder`, by the real git, and by the real Go unless told otherwise."""
    known = environment()
    request = Request(
        working_directory=str(folder),
        packages=packages,
        environment=known,
        toolchain=toolchain() if go else None,
        workspace=os.environ.get("GOWORK", ""),
    )
    request = msgspec.structs.replace(request, **more)
    return analyze(request, run=run or Processes(), which=programs(known.path, root=str(folder)))


def facts(main: Main, kind: str) -> dict[str, str]:
    """Values of one kind with `file:line`."""
    return {one.value: f"{one.place.file}:{one.place.line}" for one in main.inferred if one.kind == kind}
