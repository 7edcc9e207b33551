"""Tiny Go modules and everything `compile_all` wants. A folder in, values out; writes files, reads the machine's Go."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from tests.support.tools import need
from wherry.compile import Workplace
from wherry.kit.goenv import go_environment
from wherry.kit.ports import Environment
from wherry.model.plan import Compilation, Target
from wherry.model.toolchain import Toolchain
from wherry.oci.platform import Platform
from wherry.system.environment import environment
from wherry.system.processes import Processes
from wherry.system.programs import programs
from wherry.toolchain import find_toolchain

MAIN = 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("hello\\n") }\n'


def unique() -> str:
    """A main that no cache knows yet."""
    return MAIN.replace("hello", secrets.token_hex(8))


def module(folder: Path, files: Mapping[str, str] | None = None, *, go: str = "1.24") -> Path:
    """A module example.com/app in `folder`, whose main prints hello unless `files` say otherwise."""
    for name, text in {"go.mod": f"module example.com/app\n\ngo {go}\n", "main.go": MAIN, **(files or {})}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def compilation(folder: Path, *packages: str, flags: tuple[str, ...] = (), **variables: str) -> Compilation:
    """One compilation for this machine; packages relative to the module, its root when none is named."""
    chosen = {"CGO_ENABLED": "0", "GOOS": "linux", **variables}
    names = packages or ("",)
    return Compilation(
        platform=Platform(architecture=variables.get("GOARCH", "amd64")),
        directory=str(folder),
        targets=tuple(
            Target(import_path=f"example.com/app/{name}".rstrip("/"), name=file, file=file)
            for name in names
            for file in (name.rpartition("/")[2] or "app",)
        ),
        flags=("-trimpath", "-buildvcs=false", "-ldflags=-w", *flags),
        environment=tuple(sorted(chosen.items())),
    )


def toolchain(own: Environment | None = None) -> Toolchain:
    """This machine's Go."""
    need("go")
    own = own or environment()
    return find_toolchain(own, which=programs(own.path), run=Processes())


def workplace(folder: Path, *, root: Path, variables: Mapping[str, str] | None = None, jobs: int = 1) -> Workplace:
    """Kept and scratch folders below `folder`, an environment made from this process's and `variables`."""
    own = environment({**os.environ, **(variables or {})})
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    found = toolchain(own)
    return Workplace(
        toolchain=found,
        environment=go_environment(own, found.environment, root=str(root)),
        kept=str(folder / "kept"),
        scratch=str(folder / "scratch"),
        reader=str(root),
        jobs=jobs,
    )
