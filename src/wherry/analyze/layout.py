"""Where a project begins and which modules it has. A folder in, a Layout out; reads go.mod, go.work and the names of
`.git`.
"""

from __future__ import annotations

import os
import shlex

from wherry.analyze.reading import is_inside, read_regular, relative
from wherry.errors import BuildError, UsageError
from wherry.formats import gomod, gowork
from wherry.kit.files import disk_errors
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.model.project import Module

LARGEST = 16 << 20


class Layout(Value, frozen=True, kw_only=True):
    """The outlines of a project. Folders are absolute."""

    root: str
    working_directory: str
    module: str = ""
    """The folder of the go.mod that the working directory belongs to; empty when there is none."""
    workspace: str = ""
    """The go.work in use."""
    modules: tuple[Module, ...] = ()
    """The module of the working directory first, then those the workspace uses."""
    used: tuple[str, ...] = ()
    """Folders of the workspace's modules, relative to the root as in `modules`."""
    git: str = ""
    """The folder that holds `.git`. No other version control is looked at (A03)."""


def locate(directory: str, *, workspace: str = "") -> Layout:
    """The layout around `directory`. `workspace` as GOWORK: empty looks for go.work above, `off`, or a path.

    Raises UsageError [no-such-folder], BuildError [go-mod] for a go.mod or go.work that cannot be read.
    """
    here = os.path.abspath(directory)
    if not os.path.isdir(here):
        raise UsageError(
            "no-such-folder", "the folder to work in does not exist, or is no folder", where=here, next=_meant(here)
        )
    git, module = above(here, ".git"), above(here, "go.mod", file=True)
    work = _workspace(here, workspace)
    root = _root(here, git, module, os.path.dirname(work))
    own = (read_module(module, root),) if module else ()
    used = _used(work, root)
    return Layout(
        root=root,
        working_directory=here,
        module=module,
        workspace=work,
        modules=tuple({one.directory: one for one in (*own, *used)}.values()),
        used=tuple(one.directory for one in used),
        git=git,
    )


def _meant(folder: str) -> str:
    """The folder whose name is like the one that is missing; else how to see which there are."""
    name, there = "", folder
    while not os.path.isdir(there):
        there, name = os.path.split(there)
    with disk_errors(there):
        names = tuple(one.name for one in os.scandir(there) if one.is_dir())
    near = closest(name, names)
    return f"-C {shlex.quote(os.path.join(there, near))}" if near else f"ls {shlex.quote(there)}"


def above(directory: str, name: str, *, file: bool = False) -> str:
    """The nearest folder from `directory` upwards that holds `name`; empty when none does."""
    while True:
        path = os.path.join(directory, name)
        if os.path.isfile(path) if file else os.path.exists(path):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return ""
        directory = parent


def read_module(folder: str, root: str) -> Module:
    """The module whose go.mod is in `folder`, with folders relative to `root`."""
    name = relative(os.path.join(folder, "go.mod"), root)
    parsed = read_gomod(folder, name)
    replaced = (one.new for one in parsed.replaces if one.is_folder)
    return Module(
        path=parsed.module,
        directory=relative(folder, root),
        go=parsed.go,
        toolchain=parsed.toolchain,
        local_replaces=tuple(
            dict.fromkeys(relative(os.path.normpath(os.path.join(folder, one)), root) for one in replaced)
        ),
        vendored=os.path.isfile(os.path.join(folder, "vendor/modules.txt")),
    )


def read_gomod(folder: str, name: str) -> gomod.GoMod:
    """go.mod in `folder`, called `name` in errors."""
    data = read_regular(os.path.join(folder, "go.mod"), limit=LARGEST)
    if data is None:
        raise BuildError(
            "go-mod", f"{name} cannot be read", where=name, why="it is too large, not a file, or not permitted"
        )
    return gomod.parse(data, name=name)


def outside(layout: Layout, modules: tuple[Module, ...]) -> tuple[str, ...]:
    """Source folders that lie outside of the root, links resolved: replaced by folders, or used by go.work (A10)."""
    folders = [one for module in modules for one in (module.directory, *module.local_replaces)]
    return tuple(sorted({one for one in folders if not is_inside(os.path.join(layout.root, one), layout.root)}))


def _workspace(here: str, workspace: str) -> str:
    if workspace == "off":
        return ""
    if workspace:
        return os.path.normpath(os.path.join(here, workspace))
    folder = above(here, "go.work", file=True)
    return os.path.join(folder, "go.work") if folder else ""


def _root(here: str, git: str, module: str, workspace: str) -> str:
    """The repository; without one the workspace; without that the outermost go.mod. Never below the module one stands
    in.
    """
    if git:
        return git if not module or relative(module, git) == "." or not os.path.isabs(relative(module, git)) else module
    if workspace:
        return workspace
    outermost = module
    while outermost and (next_one := above(os.path.dirname(outermost), "go.mod", file=True)) not in ("", outermost):
        outermost = next_one
    return outermost or here


def _used(work: str, root: str) -> tuple[Module, ...]:
    if not work:
        return ()
    name = relative(work, root)
    data = read_regular(work, limit=LARGEST)
    if data is None:
        raise BuildError(
            "go-mod", f"{name} cannot be read", where=name, next="name another by GOWORK, or set GOWORK=off"
        )
    folder = os.path.dirname(work)
    folders = [os.path.normpath(os.path.join(folder, one)) for one in gowork.parse(data, name=name).uses]
    missing = next((one for one in folders if not os.path.isfile(os.path.join(one, "go.mod"))), "")
    if missing:
        raise BuildError(
            "go-mod",
            f"{name} uses {relative(missing, root)}, which has no go.mod",
            where=name,
            next="go work edit -dropuse",
        )
    return tuple(read_module(one, root) for one in folders)
