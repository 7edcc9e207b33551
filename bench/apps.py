"""The applications measured, and a copy of one for each tool: with git, one commit, and one line to edit.

A module in, source folders out; runs go and git.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from wherry.kit.value import Value

EDIT_FILE = "wherry_bench.go"
EDIT_FLAG = "--bench-edit"
IGNORED_BY_ENGINES = ".git\n"

#: A constant that the program can print: so every edit changes the binary, and one can see that the image holds it.
EDIT_SOURCE = """\
package main

import "os"

const benchEdit = "{edit}"

func init() {{
	if len(os.Args) == 2 && os.Args[1] == "{flag}" {{
		println(benchEdit)
		os.Exit(0)
	}}
}}
"""


class App(Value, frozen=True, kw_only=True):
    """A real application: some mains of one module at one version."""

    name: str
    module: str
    version: str
    mains: tuple[str, ...]
    """Folders in the module, `./cmd/x`."""
    platforms: tuple[str, ...] = ()
    """Empty: the machine's own."""


APPS = (
    App(name="go-httpbin", module="github.com/mccutchen/go-httpbin/v2", version="v2.26.0", mains=("./cmd/go-httpbin",)),
    App(
        name="podinfo",
        module="github.com/stefanprodan/podinfo",
        version="v1.8.1-0.20250910200901-e86405a8674e",
        mains=("./cmd/podinfo",),
    ),
    App(name="caddy", module="github.com/caddyserver/caddy/v2", version="v2.11.9", mains=("./cmd/caddy",)),
)
MANY = App(
    name="crane-gcrane-registry",
    module="github.com/google/go-containerregistry",
    version="v0.22.1",
    mains=("./cmd/crane", "./cmd/gcrane", "./cmd/registry"),
    platforms=("linux/amd64", "linux/arm64"),
)


def edit_text(edit: str) -> str:
    """The source file whose one line says `edit`."""
    return EDIT_SOURCE.format(edit=edit, flag=EDIT_FLAG)


def apply_edit(source: Path, app: App, edit: str) -> None:
    """Changes the one line in each main."""
    for main in app.mains:
        (source / main / EDIT_FILE).write_text(edit_text(edit))


def current_edit(source: Path, app: App) -> str:
    """What the one line says now."""
    return (source / app.mains[0] / EDIT_FILE).read_text().partition('benchEdit = "')[2].partition('"')[0]


def copy_source(app: App, folder: Path, environment: dict[str, str]) -> None:
    """A writable copy of the module in `folder`, a git repository with one commit. Downloads the module if need be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    origin = json.loads(
        subprocess.run(
            ["go", "mod", "download", "-json", f"{app.module}@{app.version}"],
            cwd=folder.parent,
            env=environment,
            check=True,
            capture_output=True,
        ).stdout
    )["Dir"]
    shutil.copytree(origin, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    apply_edit(folder, app, "first")
    (folder / ".dockerignore").write_text(IGNORED_BY_ENGINES)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-q", "-m", "The module")


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    done = subprocess.run(("git", "-C", folder, *arguments), check=True, capture_output=True, text=True)
    return done.stdout.strip()
