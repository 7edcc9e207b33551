"""What Go and wherry read to build a project, as inputs. A Project and what `go list -deps` said in, Inputs out; reads folders.

Modules in Go's module cache are left out: Go itself never looks whether they changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from wherry.cache.noop.inputs import Inputs, Tree
from wherry.formats.golisting import Package
from wherry.model.project import Project
from wherry.model.toolchain import Toolchain

MODULE_FILES = ("go.mod", "go.sum", "vendor/modules.txt")
ABOVE = ("go.work", "go.work.sum", "go.mod")
SETTINGS = ("wherry.toml", "wherry.lock")
OTHER_SYSTEMS = "aix android darwin dragonfly freebsd illumos ios js netbsd openbsd plan9 solaris wasip1 windows zos"
_NOT_LINUX = re.compile(rf"_test\.go$|_({OTHER_SYSTEMS.replace(' ', '|')})(_[a-z0-9]+)?\.(go|s)$")
TOOLS = ("asm", "cgo", "compile", "link")


def source_inputs(
    project: Project, packages: tuple[Package, ...], toolchain: Toolchain, variables: Mapping[str, str]
) -> Inputs:
    """Everything in files that decides what is compiled: `packages` are all that the mains depend on.

    They are listed for one platform. What another one compiles besides lies in the folders of the project or of its local
    modules, which are inputs as a whole; only of an edited standard library a folder could be missed.
    """
    modules = _module_cache(toolchain, variables)
    own = tuple(one for one in packages if one.dir and not one.standard and not _beneath(one.dir, modules))
    standard = tuple(one for one in packages if one.dir and one.standard)
    trees = (Tree(root=project.root, kind="go"), Tree(root=project.root, kind="flat"))
    return Inputs(
        paths=(
            *_modules(project),
            *(
                f"{folder.rstrip('/')}/{name}"
                for folder in _up(project.working_directory)
                for name in (*ABOVE, *SETTINGS)
            ),
            *(path for one in own for path in _package(one)),
            *_settings(toolchain, variables),
        ),
        stamps=(*_toolchain(toolchain), *(_standard(standard) if _may_change(toolchain, modules) else ())),
        trees=(
            *(() if project.remote else trees),
            *(Tree(root=folder) for folder in _local(project) if not _beneath(folder, project.root)),
            *(tree for one in own for tree in _trees(one)),
        ),
        programs=(("go", toolchain.go),) if toolchain.origin == "path" else (),
        unclear=_unclear(project, packages),
    )


def _unclear(project: Project, packages: tuple[Package, ...]) -> str:
    if any(one.cgo_files and not one.standard for one in packages):
        return "a package needs cgo, and a C compiler reads more of this machine than is known"
    outside = any(one.directory.startswith(("../", "/")) for one in project.mains)
    return "a main lies outside the project" if outside and not project.remote else ""


def _local(project: Project) -> tuple[str, ...]:
    """Folders of all modules that are sources and not downloads."""
    names = (name for module in project.modules for name in (module.directory, *module.local_replaces))
    return tuple(dict.fromkeys(os.path.normpath(os.path.join(project.root, name)) for name in names))


def _modules(project: Project) -> Iterator[str]:
    for folder in _local(project):
        yield from (f"{folder}/{name}" for name in MODULE_FILES)
    if project.workspace:
        yield os.path.normpath(os.path.join(project.root, project.workspace))


def _package(package: Package) -> Iterator[str]:
    """Its folder, and every folder up to its module's: a go.mod there would take the package out."""
    root = package.module.dir if package.module else ""
    yield package.dir
    if root and _beneath(package.dir, root):
        yield from (folder for folder in _up(package.dir) if _beneath(folder, root))
    yield from (os.path.join(package.dir, name) for name in package.embed_files)


def _trees(package: Package) -> Iterator[Tree]:
    """All files beside each other, since build tags and names decide which count; and all beneath what is embedded."""
    yield Tree(root=package.dir, kind="flat")
    tops = dict.fromkeys(PurePath(name).parts[0] for name in package.embed_files)
    yield from (Tree(root=f"{package.dir}/{top}") for top in tops if Path(package.dir, top).is_dir())


def _toolchain(toolchain: Toolchain) -> tuple[str, ...]:
    folder = f"{toolchain.root}/pkg/tool/{toolchain.host_os}_{toolchain.host_architecture}"
    tools = (f"{folder}/{name}" for name in TOOLS)
    return (toolchain.go, f"{toolchain.root}/bin/go", f"{toolchain.root}/VERSION", f"{toolchain.root}/go.env", *tools)


def _may_change(toolchain: Toolchain, modules: str) -> bool:
    """True when the user could edit the standard library. A toolchain that Go downloaded is a module like any other."""
    return os.access(f"{toolchain.root}/src", os.W_OK) and not _beneath(toolchain.root, modules)


def _standard(packages: tuple[Package, ...]) -> Iterator[str]:
    """Each folder and the files in it that some Linux platform could compile (`go help buildconstraint`)."""
    for one in packages:
        yield one.dir
        yield from (f"{one.dir}/{name}" for name in os.listdir(one.dir) if not _NOT_LINUX.search(name))


def _settings(toolchain: Toolchain, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The file of `go env -w`, also where it is not there yet (os.UserConfigDir), and the user's own wherry.toml."""
    chosen = variables.get("GOENV", "")
    config = variables.get("XDG_CONFIG_HOME") or f"{variables.get('HOME', '')}/.config"
    go = "" if chosen == "off" else chosen or f"{config}/go/env"
    paths = (toolchain.environment_file, go, f"{config}/wherry/wherry.toml")
    return tuple(dict.fromkeys(path for path in paths if path.startswith("/")))


def _module_cache(toolchain: Toolchain, variables: Mapping[str, str]) -> str:
    known = dict(toolchain.environment)
    path = known.get("GOPATH", "").split(os.pathsep)[0] or f"{variables.get('HOME', '')}/go"
    return known.get("GOMODCACHE") or f"{path}/pkg/mod"


def _up(folder: str) -> tuple[str, ...]:
    return (folder, *map(str, Path(folder).parents))


def _beneath(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")
