"""A repository, or a module by version, in; a Project out. Reads files, asks `go list` and git, writes below the given
scratch only.

The story: where the project begins, what the words mean, which folders hold mains, what Go says of them, what their
sources say. Git is asked meanwhile.
"""

from __future__ import annotations

import os
import shlex
from concurrent.futures import ThreadPoolExecutor

from wherry.analyze import remote, vcs
from wherry.analyze.candidates import Candidates, candidates, no_go_mod
from wherry.analyze.constraint import Tags, tags_for
from wherry.analyze.layout import Layout, above, locate, outside
from wherry.analyze.licences import licences
from wherry.analyze.listing import Question, inherited, list_packages
from wherry.analyze.mains import Listing, describe
from wherry.analyze.own import Sources
from wherry.analyze.reading import is_inside, relative
from wherry.analyze.request import Request
from wherry.analyze.ungo import import_path_of, read_packages
from wherry.analyze.words import Remote, read_words
from wherry.errors import UnavailableError, UsageError
from wherry.formats.golisting import Package
from wherry.kit.ports import Records, Run, Which
from wherry.kit.text import dotted
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.project import Module, Project


class Reading(Value, frozen=True, kw_only=True):
    """A Project, and what `go list -deps` said while it was read."""

    project: Project
    packages: tuple[Package, ...] = ()


def analyze(request: Request, *, run: Run, which: Which, records: Records | None = None) -> Project:
    """The Project that `request` asks about; errors as of `read`."""
    return read(request, run=run, which=which, records=records).project


def read(request: Request, *, run: Run, which: Which, records: Records | None = None) -> Reading:
    """The Project that `request` asks about, with all packages its mains depend on. Every error is a WherryError with a
    page; a repository's own oddities never raise another.
    """
    layout = locate(request.working_directory, workspace=request.workspace)
    words = read_words(request.packages, layout)
    remotes = tuple(word for word in words if isinstance(word, Remote))
    if remotes:
        return _remote(remotes, request, run, records)
    chosen = candidates(layout, words, _tags(request))
    if not chosen.modules:
        raise no_go_mod(layout.working_directory)
    for path in chosen.foreign:
        _refuse_folder(path, layout)
    source = _source(chosen, layout)
    with ThreadPoolExecutor(max_workers=1) as pool:
        looking = pool.submit(vcs.look, source, which("git") if layout.git else "", request.environment, run)
        sources = Sources(layout.root, records)
        listing = Listing(
            root=layout.root,
            packages=_packages(chosen, layout, request, run),
            modules=chosen.modules,
            named=chosen.named,
            with_cgo=_tags(request, cgo=True),
        )
        mains, left_out = describe(chosen.folders, chosen.foreign, listing, sources)
        looked = looking.result()
    project = Project(
        root=layout.root,
        working_directory=layout.module or layout.working_directory,
        modules=_sorted(chosen.modules),
        workspace=os.path.relpath(layout.workspace, layout.root) if layout.workspace else "",
        mains=mains,
        left_out=tuple(sorted((*chosen.left_out, *left_out), key=lambda one: one.directory)),
        vcs=looked.vcs,
        licences=licences(layout.root, tuple(dict.fromkeys((".", *(one.directory for one in chosen.modules))))),
        findings=(*looked.findings, *_findings(layout, chosen, sources)),
    )
    return Reading(project=project, packages=listing.packages)


def _source(chosen: Candidates, layout: Layout) -> vcs.Source:
    """Tags are those of the one module that the mains are in, wherever the user stands; else of the working directory's."""
    modules = {
        module.directory: module for path in chosen.folders if (module := import_path_of(path, chosen.modules)[1])
    }
    each = tuple((one.path, os.path.normpath(os.path.join(layout.root, one.directory))) for one in modules.values())
    if len(each) == 1:
        (module,), ((_, folder),) = modules.values(), each
        return vcs.Source(folder=layout.git, module=module, module_folder=folder, modules=each)
    own = layout.modules[0] if layout.module else None
    return vcs.Source(folder=layout.git, module=own, module_folder=layout.module, modules=each)


def _refuse_folder(path: str, layout: Layout) -> None:
    """UsageError [no-such-package] for `cmd/api` where `./cmd/api` is meant: to Go that is a package of its own library."""
    if not os.path.isdir(os.path.join(layout.working_directory, path)) and "." in path.partition("/")[0]:
        return
    here = os.path.isdir(os.path.join(layout.working_directory, path))
    raise UsageError(
        "no-such-package",
        f"{path!r} is the import path of no program of this project" + (f"; did you mean ./{path}?" if here else ""),
        where=path,
        next=f"wherry build ./{shlex.quote(path)}" if here else "wherry plan ./...",
    )


def _packages(chosen: Candidates, layout: Layout, request: Request, run: Run) -> tuple[Package, ...]:
    """One `go list` for the workspace, or one for each module; none where there is nothing to ask."""
    if request.toolchain is None:
        if chosen.foreign:
            raise UnavailableError(
                "no-go", f"{chosen.foreign[0]} is in a dependency, which only Go can find", next="install Go"
            )
        return read_packages(layout.root, chosen.folders, chosen.modules, _tags(request))
    packages: list[Package] = []
    for question in _questions(chosen, layout):
        packages += list_packages(question, request, request.toolchain, run)
    return tuple(packages)


def _questions(chosen: Candidates, layout: Layout) -> tuple[Question, ...]:
    if layout.workspace:
        folder = os.path.dirname(layout.workspace)
        names = (*(_argument(one, folder, layout) for one in chosen.folders), *chosen.foreign)
        return (
            (Question(directory=folder, packages=names, workspace=layout.workspace, root=layout.root),) if names else ()
        )
    asked: dict[str, list[str]] = {}
    for path in chosen.folders:
        _, module = import_path_of(path, chosen.modules)
        folder = os.path.normpath(os.path.join(layout.root, module.directory if module else "."))
        asked.setdefault(folder, []).append(_argument(path, folder, layout))
    if chosen.foreign:
        if not layout.module:
            raise no_go_mod(layout.working_directory)
        asked.setdefault(layout.module, []).extend(chosen.foreign)
    return tuple(Question(directory=folder, packages=tuple(names), root=layout.root) for folder, names in asked.items())


def _argument(path: str, folder: str, layout: Layout) -> str:
    """A folder as `go list` takes it from `folder`."""
    return dotted(os.path.relpath(os.path.join(layout.root, path), folder))


def _remote(words: tuple[Remote, ...], request: Request, run: Run, records: Records | None) -> Reading:
    toolchain = request.toolchain
    if toolchain is None:
        raise UnavailableError(
            "no-go", "a module by version can only be fetched by Go", where=words[0].word, next="install Go"
        )
    fetched = remote.fetch(words, remote.Fetcher(request=request, toolchain=toolchain), run)
    question = Question(
        directory=fetched.workplace, packages=remote.packages(words), root=fetched.folder, flags=("-mod=mod",)
    )
    module = Module(path=fetched.path, directory=".", go=fetched.gomod.go, toolchain=fetched.gomod.toolchain)
    listing = Listing(
        root=fetched.folder,
        packages=list_packages(question, request, toolchain, run),
        modules=(module,),
        named=frozenset() if any(word.recursive for word in words) else frozenset((".",)),
        with_cgo=_tags(request, cgo=True),
        remote=fetched.path,
        version=fetched.version,
    )
    sources = Sources(fetched.folder, records)
    mains, left_out = describe((), tuple(word.path for word in words if not word.recursive), listing, sources)
    project = Project(
        root=fetched.folder,
        working_directory=fetched.workplace,
        modules=(module,),
        mains=mains,
        left_out=left_out,
        remote=f"{fetched.path}@{fetched.version}",
        version=fetched.version.removeprefix("v"),
        licences=licences(fetched.folder),
        findings=remote.untidy(fetched),
    )
    return Reading(project=project, packages=listing.packages)


def _tags(request: Request, *, cgo: bool = False) -> Tags:
    extra = request.tags
    minor = 99
    if request.toolchain is not None:
        extra = (*inherited(request.toolchain, "tags"), *extra)
        digits = request.toolchain.version.removeprefix("go1.").split(".")[0]
        minor = int(digits) if digits.isdecimal() else 99
    return tags_for(request.platform.architecture, extra, cgo=cgo or request.cgo, minor=minor)


def _sorted(modules: tuple[Module, ...]) -> tuple[Module, ...]:
    return tuple(sorted(modules, key=lambda one: (one.directory != ".", one.directory)))


def _findings(layout: Layout, chosen: Candidates, sources: Sources) -> tuple[Finding, ...]:
    found = []
    beyond = outside(layout, chosen.modules)
    if beyond:
        message = f"sources outside of the project are part of the build: {', '.join(beyond[:4])}"
        found.append(Finding(name="outside-sources", message=message, severity="note", subject=layout.root))
    for module in chosen.unused:
        folder = os.path.relpath(os.path.join(layout.root, module.directory), layout.working_directory)
        found.append(
            Finding(
                name="not-in-workspace",
                message=f"go.work does not use module {module.path}, so its programs are left out",
                severity="note",
                subject=module.directory,
                next=f"go work use {folder if folder.startswith('..') else f'./{folder}'}",
            )
        )
    found += _nested(layout, chosen)
    if not chosen.whole or not sources.whole:
        message = "the repository has more files than are looked at, so some facts may be missing"
        found.append(
            Finding(name="too-much-source", message=message, subject=layout.root, next="name the packages to build")
        )
    return tuple(found)


def _nested(layout: Layout, chosen: Candidates) -> list[Finding]:
    """A note for each go.work below the root that mains lie under: it counts only for those who stand there."""
    if layout.workspace:
        return []
    inside = (above(os.path.join(layout.root, path), "go.work", file=True) for path in chosen.folders)
    return [
        Finding(
            name="nested-workspace",
            message=f"{relative(folder, layout.root)}/go.work counts only for builds started there",
            severity="note",
            next=f"wherry build -C {shlex.quote(os.path.relpath(folder, layout.working_directory))}",
        )
        for folder in dict.fromkeys(inside)
        if folder and folder != layout.root and is_inside(folder, layout.root)
    ]
