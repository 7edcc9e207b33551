"""What a Docker build of the repository would not see, though the program depends on it. Applications in, findings out; reads
.dockerignore files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wherry.flows import written
from wherry.generate import dockerignore, names
from wherry.generate.header import found
from wherry.model.application import Application
from wherry.model.finding import Finding


def untracked(application: Application) -> Iterator[Finding]:
    """A warning for a go.work or go.sum that git does not know: files here name it, and a clone has none."""
    sources = application.sources
    missing = tuple(name for name in sources.module_files if sources.tracked and name not in sources.tracked)
    if missing:
        yield Finding(
            name="untracked-modules",
            message=f"git does not know {', '.join(missing)}: a clone gets other files, and its Docker builds fail",
            subject=application.name,
            next=f"git add {missing[0]}, or GOWORK=off wherry generate",
        )


def worktree(git: str) -> Iterator[Finding]:
    """Told where .git is a file that points elsewhere (git worktree, submodules): a context would hold only the file."""
    if git and Path(git, ".git").is_file():
        yield Finding(
            name="worktree",
            message="here .git points to another folder, which no build's context holds: Dockerfiles build in a clone",
            severity="note",
            subject=git,
            next="git clone . ../clone, and docker build there; wherry build works here, too",
        )


def hidden(root: Path, applications: tuple[Application, ...], variant: str, *, brought: bool) -> Iterator[Finding]:
    """A warning for each .dockerignore of somebody else that hides what Go asks git for: the program of a Docker build would not
    be the one of `wherry build`. `brought`: those that are not there are made in the same run."""
    beside = brought and names.home(applications) != "."
    counting: dict[str, list[Application]] = {}
    for one in applications:
        own = names.from_root(applications, names.dockerfile(applications, one, variant)) + dockerignore.NAME
        counting.setdefault(own if beside or (root / own).is_file() else dockerignore.NAME, []).append(one)
    for name, of in counting.items():
        text = written.contents(root / name, name) or ""
        hides = () if found(text, name) else dockerignore.hides(text, tuple(of))
        if hides:
            yield _hides(name, hides)


def _hides(name: str, paths: tuple[str, ...]) -> Finding:
    others = f" and {len(paths) - 1} more files of git" if len(paths) > 1 else ""
    lost = (
        "Go finds no commit to write into the program"
        if paths[0] == dockerignore.HISTORY
        else "to Go a missing file is a changed one, so the program says +dirty"
    )
    return Finding(
        name="dockerignore-hides",
        message=f"{name} hides {paths[0]}{others}: {lost}, and Docker's is not the one of wherry build",
        next=f"take {'that line' if len(paths) == 1 else 'those lines'} out, or see wherry generate dockerignore --diff",
    )
