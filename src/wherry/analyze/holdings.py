"""Files that generated files must neither forget nor hide. A layout and a project in, Holdings out; reads go.mod files, and asks
git which files it knows."""

from __future__ import annotations

import os

from wherry.analyze.layout import Layout, read_module
from wherry.analyze.reading import is_inside, relative
from wherry.analyze.vcs import Git
from wherry.kit.ports import Environment, Run
from wherry.model.project import Holdings, Module, ModuleFiles, Project

SUMS = ("go.mod", "go.sum")
WORK = ("go.work", "go.work.sum")


def holdings(layout: Layout, project: Project, git: str, environment: Environment, run: Run) -> Holdings:
    """Of the modules that `project` has mains in. `git`: the program, empty when there is none."""
    there = names(layout, git, environment, run)
    known = _listed(layout, Git(layout.git, git, environment, run)) if there and project.vcs else there
    homes = {one.path: one for one in project.modules}
    modules = tuple(homes[path] for path in dict.fromkeys(main.module for main in project.mains) if path in homes)
    return Holdings(
        modules=tuple(_files(layout, project, module) for module in modules),
        tracked=known or (),
    )


def names(layout: Layout, git: str, environment: Environment, run: Run) -> tuple[str, ...] | None:
    """Every file that git knows or would take, relative to the root, sorted: none that it ignores, none of another repository
    below it. None where git cannot be asked."""
    if not layout.git or not git:
        return None
    return _listed(layout, Git(layout.git, git, environment, run), "--cached", "--others", "--exclude-standard")


def _listed(layout: Layout, git: Git, *words: str) -> tuple[str, ...] | None:
    done = git("ls-files", "-z", *words)
    if done.code:
        return None
    listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    inside = (relative(os.path.join(layout.git, name), layout.root) for name in listed if name)
    return tuple(sorted({name for name in inside if not name.startswith("/")}))


def _files(layout: Layout, project: Project, module: Module) -> ModuleFiles:
    waiting, seen, outside = [module, *_workspace(layout, project)], dict[str, Module](), set[str]()
    while waiting:
        one = waiting.pop()
        if one.directory in seen:
            continue
        seen[one.directory] = one
        for folder in one.local_replaces:
            path = os.path.join(layout.root, folder)
            if not is_inside(path, layout.root):
                outside.add(folder)
            elif os.path.isfile(os.path.join(path, "go.mod")):
                waiting.append(read_module(path, layout.root))
    names = [os.path.normpath(os.path.join(folder, name)) for folder in seen for name in SUMS]
    if project.workspace:
        names += [os.path.normpath(os.path.join(os.path.dirname(project.workspace), name)) for name in WORK]
    there = tuple(sorted(name for name in set(names) if os.path.isfile(os.path.join(layout.root, name))))
    return ModuleFiles(directory=module.directory, files=there, outside=tuple(sorted(outside)))


def _workspace(layout: Layout, project: Project) -> tuple[Module, ...]:
    """Go reads every go.mod that go.work uses."""
    return tuple(one for one in layout.modules if one.directory in layout.used) if project.workspace else ()
