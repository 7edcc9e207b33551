"""What a build's context leaves out. Applications in, `.dockerignore` out, or `NAME.Dockerfile.dockerignore` for each
Dockerfile where those are not at the repository's root; touches nothing.

Nothing that git knows may be hidden: Go asks git whether the sources are those of the commit, and a file that is not there is a
changed one (+dirty). Nor what the program embeds, or the image holds. What is embedded is said by the patterns of //go:embed, not
by what is there: a front end's build comes and goes, under other names each time.
"""

from __future__ import annotations

from typing import Final

from wherry.formats import dockerignore
from wherry.generate import names
from wherry.generate.dockerfile.variants import VARIANTS
from wherry.generate.names import Applications
from wherry.kit.value import Value
from wherry.model.file import Choice, File
from wherry.model.plan import Asset

NAME: Final = ".dockerignore"
FEW: Final = 3
"""A pattern that hides more files of git's than these is left out; up to here they are excepted by name."""
SOURCES: Final = "**/*.go"
"""Excepted where a pattern hides such a file of git's, since a package gets new files: by name, they would be missing until this
is made anew. Only there: for an exception with a wildcard BuildKit walks through every hidden folder (fsutil, filter.go), and
node_modules is large."""
HISTORY: Final = ".git"
_WILD: Final = frozenset("*?[\\")


class Group(Value, frozen=True, kw_only=True):
    """Patterns with one reason."""

    reason: str
    patterns: tuple[str, ...]


GROUPS: Final = (
    Group(
        reason="Secrets: a build has no use for them, and its cache keeps what it gets.",
        patterns=(
            *(
                "**/.env",
                "**/.env.*",
                "**/.netrc",
                "**/.npmrc",
                "**/.git-credentials",
                "**/.aws",
                "**/.docker",
                "**/.kube",
            ),
            *(
                "**/.ssh",
                "**/.gnupg",
                "**/id_rsa*",
                "**/id_ecdsa*",
                "**/id_ed25519*",
                "**/*.pem",
                "**/*.key",
                "**/*.p12",
            ),
            *("**/*.pfx", "**/*.jks", "**/*.kubeconfig", "**/*.tfstate", "**/*.tfstate.*", "**/*.tfvars", "**/secrets"),
        ),
    ),
    Group(
        reason="Results of builds and tests.",
        patterns=(
            *("**/bin", "**/dist", "**/tmp", "**/node_modules", "**/*.test", "**/*.out", "**/*.prof", "**/*.exe"),
            *("**/__debug_bin*", "**/coverage.*", "**/*.log", "**/*.oci", "**/*.tar", "**/*.tar.*"),
        ),
    ),
    Group(
        reason="Editors' and systems' own files.",
        patterns=(
            *("**/.idea", "**/.vscode", "**/.zed", "**/.fleet", "**/*.swp", "**/*.swo", "**/*~", "**/.DS_Store"),
            *("**/Thumbs.db", "**/.direnv", "**/.envrc"),
        ),
    ),
)
_HISTORY: Final = Group(reason="The commit is not written into the program.", patterns=(HISTORY,))
_WHOLE: Final = "Folders that go into the image with all that is in them, but for secrets."
_KEPT: Final = (
    "# .git stays: Go writes the commit into the program. So does every file that git knows: to Go, one that is not here is a\n"
    "# changed one, and the program would say +dirty."
)


def files(applications: Applications, choice: Choice) -> tuple[File, ...]:  # noqa: ARG001 - a writer
    """One for all at the root; elsewhere one for each name that a Dockerfile may have, as BuildKit looks for it. Also where that
    Dockerfile is not there: one that comes later would find nothing hidden."""
    if names.home(applications) == ".":
        return (File(path=NAME, text=written(applications)),)
    return tuple(
        File(path=names.dockerfile(applications, one, kind) + NAME, text=written((one,)))
        for one in applications
        for kind in dict.fromkeys("" if row.name != names.DEV else names.DEV for row in VARIANTS)
    )


def written(applications: Applications) -> str:
    """The text that is right for all of them, which share one context."""
    stamped = any(one.sources.stamped for one in applications)
    embedded = _embedded(applications)
    folders = _folders(applications)
    needed = tuple(one for one in _needed(applications, embedded) if one not in folders)
    groups, excepted = _groups(needed, (*GROUPS, *(() if stamped else (_HISTORY,))))
    if folders:
        shown = (f"!{dockerignore.literal(one)}{below}" for one in folders for below in ("", "/**"))
        groups = [*groups[1:], Group(reason=_WHOLE, patterns=tuple(shown)), groups[0]]
    blocks = ["\n".join((f"# {one.reason}", *one.patterns)) for one in groups if one.patterns]
    excepted += [f"!{one}" for one in embedded]
    if excepted:
        blocks.append(
            "\n".join(("# Not these: they are in git, or in the program or image.", *dict.fromkeys(excepted)))
        )
    return "\n\n".join((*((_KEPT,) if stamped else ()), *blocks)) + "\n"


def hides(text: str, applications: Applications) -> tuple[str, ...]:
    """What of git's a text that somebody wrote hides, though Go asks git for it: .git first; nothing where no commit is written
    into the program, nor of patterns that Docker itself refuses."""
    stamped = tuple(one for one in applications if one.sources.stamped)
    known = (HISTORY, *sorted(_tracked(stamped))) if stamped else ()
    try:
        return dockerignore.hidden(known, dockerignore.read(text))
    except ValueError:
        return ()


def _groups(known: tuple[str, ...], groups: tuple[Group, ...]) -> tuple[list[Group], list[str]]:
    """The groups without patterns that hide what is needed, and lines for what is not hidden after all: Go's sources, and single
    files."""
    every = dockerignore.expression(pattern for group in groups for pattern in group.patterns)
    sources, hidden = dockerignore.expression((SOURCES,)), tuple(path for path in known if every.fullmatch(path))
    touched = tuple(path for path in hidden if not sources.fullmatch(path))
    excepted = [f"!{SOURCES}"] if touched != hidden else []
    kept: list[Group] = []
    for group in groups:
        patterns = []
        for pattern in group.patterns:
            match = dockerignore.expression((pattern,))
            found = _exceptions(tuple(path for path in touched if match.fullmatch(path)))
            if found is not None:
                patterns.append(pattern)
                excepted += found
        kept.append(Group(reason=group.reason, patterns=tuple(patterns)))
    return kept, excepted


def _exceptions(hidden: tuple[str, ...]) -> tuple[str, ...] | None:
    """A line for each file; None where they are many, or one cannot be written."""
    if len(hidden) > FEW:
        return None
    try:
        return tuple(f"!{dockerignore.literal(path)}" for path in hidden)
    except ValueError:
        return None


def _needed(applications: Applications, embedded: tuple[str, ...]) -> tuple[str, ...]:
    """Paths that must not be hidden, and are not `embedded`: of files in git, and of what goes into the image as it is."""
    shown = dockerignore.expression(embedded)
    copied = {path for one in applications for path in (*(asset.source for asset in one.assets), *one.certificates)}
    found = _tracked(applications) | copied
    return tuple(sorted(path for path in found if not shown.fullmatch(path)))


def _folders(applications: Applications) -> tuple[str, ...]:
    """Assets that are taken whole: git need not know what is in them. Not such as are called like a secret, which somebody has
    named on purpose, nor the whole repository."""
    tracked, secret = _tracked(applications), dockerignore.expression(GROUPS[0].patterns)
    every = {one.source for application in applications for one in application.assets if _is_whole(one)}
    return tuple(sorted(every - tracked - {one for one in every if one == "." or secret.fullmatch(one)}))


def _is_whole(asset: Asset) -> bool:
    try:
        dockerignore.literal(asset.source)
    except ValueError:
        return False
    return not (asset.mode or asset.include or asset.exclude)


def _embedded(applications: Applications) -> tuple[str, ...]:
    """Patterns of what is embedded, but for single files that git knows. For a folder a second one of all beneath it."""
    tracked = _tracked(applications)
    found: dict[str, None] = {}
    for pattern in (one for application in applications for one in application.sources.embeds):
        if pattern in tracked and not _WILD.intersection(pattern):
            continue
        shown = dockerignore.from_go(pattern)
        found[shown] = None
        if _may_be_a_folder(shown, tracked):
            found[f"{shown}/**"] = None
    return tuple(found)


def _may_be_a_folder(pattern: str, tracked: frozenset[str]) -> bool:
    """Unless all that git knows of it are files of just such names."""
    match = dockerignore.expression((pattern,))
    depths = {path.count("/") for path in tracked if match.fullmatch(path)}
    return depths != {pattern.count("/")}


def _tracked(applications: Applications) -> frozenset[str]:
    return frozenset(path for one in applications for path in one.sources.tracked)
