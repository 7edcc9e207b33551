"""Which folders hold mains that are asked for. A layout and words in, candidates and left-out ones out; reads names and
file headers.
"""

from __future__ import annotations

import os
import shlex

import msgspec

from wherry.analyze import leftout
from wherry.analyze.constraint import Tags
from wherry.analyze.folders import Folder, Tree, walk
from wherry.analyze.header import Header
from wherry.analyze.layout import Layout, above, read_gomod, read_module
from wherry.analyze.reading import irregular, relative
from wherry.analyze.ungo import headers_of, import_path_of
from wherry.analyze.words import Foreign, Local, Named, Remote, Word
from wherry.errors import BuildError, UsageError, WherryError
from wherry.formats.gomod import GoMod
from wherry.kit.text import dotted
from wherry.kit.value import Value
from wherry.model.project import LeftOut, Module

SHOWN = 5


class Candidates(Value, frozen=True, kw_only=True):
    """Folders (relative to the root) to be asked about; `named` ones are built whatever they are called."""

    folders: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    foreign: tuple[str, ...] = ()
    """Import paths in dependencies."""
    left_out: tuple[LeftOut, ...] = ()
    modules: tuple[Module, ...] = ()
    unused: tuple[Module, ...] = ()
    """Modules with mains, below the folder one stands in or names, that go.work does not use."""
    whole: bool = True


def candidates(layout: Layout, words: tuple[Word, ...], tags: Tags) -> Candidates:
    """What the words mean in this project. Raises for a single folder that holds no main: BuildError [no-sources],
    [not-main], [no-go-files], [no-go-mod], [not-in-workspace].
    """
    single = tuple(word for word in words if isinstance(word, Local) and not word.recursive)
    patterns = tuple(word for word in words if isinstance(word, Local) and word.recursive)
    everything = not words or any(isinstance(word, Named) for word in words)
    found = Candidates(
        modules=layout.modules,
        foreign=tuple(word.import_path for word in words if isinstance(word, Foreign)),
    )
    for word in single:
        found = _with_single(found, layout, word, tags)
    if everything:
        found = _with_all(found, layout, ".", tags)
    for word in patterns:
        found = _with_all(found, layout, relative(word.folder, layout.root), tags)
    assert not any(isinstance(word, Remote) for word in words)
    return found


def _with_single(found: Candidates, layout: Layout, word: Local, tags: Tags) -> Candidates:
    path = relative(word.folder, layout.root)
    files = tuple(sorted(entry.name for entry in os.scandir(word.folder) if entry.name.endswith(".go")))
    folder = Folder(path=path, files=tuple(name for name in files if not name.endswith("_test.go")))
    headers = headers_of(layout.root, folder)
    _check(word, path, files, headers, layout)
    pipe = irregular(word.folder)
    if pipe:
        raise BuildError(
            "not-a-file",
            f"{path}/{pipe} is no file, and Go would wait for it",
            where=f"{path}/{pipe}",
            next="remove it",
        )
    reason = leftout.by_files(headers, tags)
    if reason:
        raise BuildError(
            "no-go-files",
            f"{word.word} has no file for this platform and these build tags",
            where=path,
            why=reason,
            next="build for another --platform, or set the tags it wants",
        )
    module = _module_of(word, layout)
    modules = {one.directory: one for one in (*found.modules, module)}
    return msgspec.structs.replace(
        found, folders=_once((*found.folders, path)), named=found.named | {path}, modules=tuple(modules.values())
    )


def _check(
    word: Local, path: str, files: tuple[str, ...], headers: tuple[tuple[str, Header], ...], layout: Layout
) -> None:
    """Not there, no Go, only tests, a library: four different things, said differently."""
    if not files:
        raise BuildError("no-sources", f"{word.word} has no Go files", where=path, next=_a_main(path, layout))
    if not headers:
        only = (
            "only tests"
            if all(name.endswith("_test.go") for name in files)
            else "no Go file that begins with a package clause"
        )
        raise BuildError("no-sources", f"{word.word} has {only}", where=path, next=_a_main(path, layout))
    if not any(header.package == "main" for _, header in headers):
        name = headers[0][1].package
        raise BuildError(
            "not-main",
            f"{word.word} is a library (package {name[:60]}), not a program",
            where=f"{path}/{headers[0][0]}".removeprefix("./"),
            why=_programs(layout),
            next=_a_main(path, layout),
        )


def _a_main(path: str, layout: Layout) -> str:
    """How to build a program that is there: one below `path`, else the first of the project."""
    mains = _mains(layout)
    chosen = next((one for one in mains if one.startswith(f"{path}/")), next(iter(mains), ""))
    return (
        f"wherry build {shlex.quote(_seen(chosen, layout))}"
        if mains
        else "write one: a folder with package main and func main()"
    )


def _programs(layout: Layout) -> str:
    """What can be built instead, in a sentence."""
    names = [_seen(one, layout) for one in _mains(layout)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    listed = f"; this project's are {', '.join(names[:SHOWN])}{more}" if len(names) > 1 else ""
    return f"only a package main can be run{listed}"


def _mains(layout: Layout) -> tuple[str, ...]:
    """Folders of the project with a package main: those worth an image, else all."""
    found = [
        folder.path
        for folder in walk(layout.root).folders
        if any(header.package == "main" for _, header in headers_of(layout.root, folder))
    ]
    return tuple(path for path in found if not leftout.by_path(path)) or tuple(found)


def _seen(path: str, layout: Layout) -> str:
    """A folder of the project as one writes it where one stands."""
    return dotted(os.path.relpath(os.path.join(layout.root, path), layout.working_directory))


def _module_of(word: Local, layout: Layout) -> Module:
    folder = above(word.folder, "go.mod", file=True)
    if not folder:
        raise no_go_mod(word.folder)
    module = read_module(folder, layout.root)
    if layout.workspace and module.directory not in layout.used:
        raise UsageError(
            "not-in-workspace",
            f"{word.word} is in module {module.path}, which go.work does not use",
            where=relative(layout.workspace, layout.root),
            next=(f"go work use {word.word}", "build it alone with GOWORK=off"),
        )
    return module


def no_go_mod(folder: str) -> BuildError:
    """The error for sources outside of any module."""
    return BuildError(
        "no-go-mod",
        "there is no go.mod here, nor in a folder above",
        where=folder,
        next=("go mod init example.com/name", "name a module: wherry build example.com/module/cmd/app@latest"),
    )


def _with_all(found: Candidates, layout: Layout, base: str, tags: Tags) -> Candidates:
    """Adds every main below `base` that is worth an image."""
    tree = walk(layout.root, below=base)
    modules, broken = _modules(layout, tree, found.modules)
    here = relative(layout.working_directory, layout.root)
    kept: list[str] = []
    known: dict[str, GoMod] = {}
    left_out = list(broken)
    unused = {one.directory: one for one in found.unused}
    for folder in tree.folders:
        headers = headers_of(layout.root, folder)
        if not any(header.package == "main" for _, header in headers):
            continue
        _, module = import_path_of(folder.path, modules)
        reason = (
            _why_not(folder.path, base if base != "." else here, module, layout)
            or leftout.by_files(headers, tags)
            or _declared(folder.path, module, layout, known)
            or _irregular(os.path.join(layout.root, folder.path))
        )
        if not reason:
            kept.append(folder.path)
            continue
        if folder.path not in found.named:
            left_out.append(LeftOut(directory=folder.path, reason=reason))
        if module is not None and reason == _unused(module) and _is_below(folder.path, here):
            unused[module.directory] = module
    return msgspec.structs.replace(
        found,
        folders=_once((*found.folders, *kept)),
        left_out=tuple({one.directory: one for one in (*found.left_out, *left_out)}.values()),
        modules=modules,
        unused=tuple(unused.values()),
        whole=found.whole and tree.whole,
    )


def _why_not(path: str, base: str, module: Module | None, layout: Layout) -> str:
    """What lies below the folder one stands in, or the pattern one names, is judged by the rest of its path."""
    below = base != "." and _is_below(path, base)
    reason = leftout.by_path(path, named=base.count("/") + 1 if below else 0)
    if reason:
        return reason
    if module is None:
        return "belongs to no module"
    if layout.workspace and module.directory not in layout.used:
        return _unused(module)
    if "..." in path or not path.isprintable():
        return "its folder's name cannot be in an import path"
    return ""


def _unused(module: Module) -> str:
    return f"go.work does not use its module {module.path}"


def _is_below(path: str, base: str) -> bool:
    return base in (".", path) or path.startswith(f"{base}/")


def _declared(path: str, module: Module | None, layout: Layout, known: dict[str, GoMod]) -> str:
    """What go.mod itself says: a `tool` line (Go 1.24) names programs for developers, an `ignore` line (1.25) folders."""
    if module is None:
        return ""
    if module.directory not in known:
        folder = os.path.normpath(os.path.join(layout.root, module.directory))
        known[module.directory] = read_gomod(folder, relative(os.path.join(folder, "go.mod"), layout.root))
    parsed = known[module.directory]
    inner = path if module.directory == "." else path[len(module.directory) + 1 :]
    if (f"{module.path}/{inner}" if inner else module.path) in parsed.tools:
        return "a tool of go.mod"
    ignored = next((one for one in parsed.ignores if _is_ignored(inner, one)), "")
    return f"go.mod ignores {ignored}" if ignored else ""


def _is_ignored(path: str, pattern: str) -> bool:
    """`./static` is that folder of the module, `static` every folder of that name."""
    if pattern.startswith("./"):
        return f"{path}/".startswith(f"{pattern[2:].rstrip('/')}/")
    return f"/{pattern.strip('/')}/" in f"/{path}/"


def _irregular(folder: str) -> str:
    name = irregular(folder)
    return f"{name} is no file, and Go would wait for it" if name else ""


def _modules(layout: Layout, tree: Tree, known: tuple[Module, ...]) -> tuple[tuple[Module, ...], list[LeftOut]]:
    """All modules of the tree but those of test data; what cannot be read is left out, unless the user stands in it."""
    found = {one.directory: one for one in known}
    broken = []
    for path in tree.modules:
        if path in found or leftout.by_path(path) in ("test data", "Go leaves out folders that begin with _"):
            continue
        try:
            found[path] = read_module(os.path.normpath(os.path.join(layout.root, path)), layout.root)
        except WherryError as error:
            broken.append(LeftOut(directory=path, reason=f"its go.mod cannot be read: {error.message}"))
    return tuple(found.values()), broken


def _once(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))
