"""What compiling takes, as a Dockerfile or a Makefile must say it again: without this machine's paths and without what changes
from commit to commit. Facts in, Sources and Programs out; touches nothing."""

from __future__ import annotations

import posixpath
from typing import Final

from msgspec.structs import replace

from wherry.kit.text import dotted
from wherry.model.application import Meaning, Program, Sources, Stamp
from wherry.model.plan import Compilation, Pairs
from wherry.model.project import Main, Module
from wherry.plan import created, platforms, words
from wherry.plan.application.facts import Facts
from wherry.plan.gotoolchain import order

#: Derived from the platform, or said by each file in its own way.
ELSEWHERE: Final = frozenset(
    ("GOOS", "GOARCH", "GOENV", "GOFLAGS", "GOTOOLCHAIN", *(variable for variable, _ in platforms.VARIABLES.values()))
)
COMPILERS: Final = ("CC", "CXX", "AR", "PKG_CONFIG", "CGO_")
LINKING: Final = "-ldflags="
NO_COMMIT_YET: Final = frozenset(("git-empty", "git-missing", "git-too-old", "git-owner"))
"""Why nothing is known of a repository that has a history, or is about to."""
NOT_YET: Final = "\0"
"""The version where there is none."""


def decide(facts: Facts) -> Sources:
    """Of the image's first main; its other programs are compiled alike."""
    known, compiled = facts.known, compilation(facts)
    module = next((one for one in known.project.modules if one.path == facts.main.module), None)
    held = known.holdings.of(module.directory if module else ".")
    environment = dict(compiled.environment)
    flags = tuple(_stamping(facts, flag) for flag in compiled.flags if not flag.startswith(LINKING))
    return Sources(
        go=_go(facts, module),
        go_line=module.go if module else "",
        module=facts.main.module,
        module_directory=module.directory if module else ".",
        directory=posixpath.normpath(posixpath.relpath(compiled.directory, known.plan.root)),
        workspace=known.project.workspace,
        module_files=held.files,
        replaced_outside=held.outside,
        vendored=bool(module and module.vendored and not known.project.workspace),
        private=tuple(filter(None, environment.get("GOPRIVATE", "").split(","))),
        flags=flags,
        environment=_environment(compiled.environment, known.project.workspace),
        cgo=compiled.cgo,
        static=not compiled.cgo or any("-static" in flag for flag in compiled.flags),
        stamped="-buildvcs=true" in flags,
        tracked=known.holdings.tracked,
        embeds=tuple(sorted({name for main in _mains(facts) for name in main.embeds})),
    )


def programs(facts: Facts, sources: Sources) -> tuple[Program, ...]:
    """The image's mains, the entrypoint's first."""
    flags = compilation(facts).flags
    return tuple(
        Program(
            name=target.name,
            package=dotted(posixpath.relpath(main.directory, sources.directory)),
            import_path=main.import_path,
            linker_flags=tuple(one for one in linked if not stamp_of(facts, one)),
            stamps=tuple(replace(stamp, at=at) for at, one in enumerate(linked) if (stamp := stamp_of(facts, one))),
        )
        for target, main in zip(facts.image.targets, _mains(facts), strict=True)
        for linked in (_with_version(main, linker_flags(flags, main.import_path)),)
    )


def _stamping(facts: Facts, flag: str) -> str:
    """-buildvcs as it is once there is a commit, and git."""
    waits = {one.name for one in facts.known.project.findings} & NO_COMMIT_YET
    return "-buildvcs=true" if waits and flag == "-buildvcs=false" else flag


def _go(facts: Facts, module: Module | None) -> str:
    """The toolchain's version, the same on every machine: wherry.lock's, else go.mod's, else the one here. A locked one that is
    older than go.mod wants counts no more."""
    locked = dict(facts.known.lock.parts).get("go", "") if facts.known.lock else ""
    wanted = module.toolchain if module else ""
    least = max(order(wanted), order(module.go if module else ""))
    named = next((one for one in (locked, wanted) if order(one) and order(one) >= least), "")
    return (named or facts.known.plan.toolchain.version).removeprefix("go")


def _with_version(main: Main, linked: tuple[str, ...]) -> tuple[str, ...]:
    """The words with -X of the version's variable, which the plan leaves out where there is no version yet: before the first
    commit files are those of after it."""
    taken = {word.removeprefix("-X=").partition("=")[0] for word in linked if word.startswith("-X=")}
    found = (one.value for one in main.inferred if one.kind == "version-variable" and one.value not in taken)
    count = next((number for number, word in enumerate(linked) if word not in ("-s", "-w")), len(linked))
    return (*linked[:count], *(f"-X={variable}={NOT_YET}" for variable in found), *linked[count:])


def compilation(facts: Facts) -> Compilation:
    """How the first main is compiled for the first platform."""
    path, platform = facts.image.targets[0].import_path, facts.image.platforms[0]
    return next(
        one
        for one in facts.known.plan.compilations
        if one.platform == platform and any(target.import_path == path for target in one.targets)
    )


def linker_flags(flags: tuple[str, ...], import_path: str) -> tuple[str, ...]:
    """The words of -ldflags that count for a main: the last of its own or of all (`go help build`)."""
    found: tuple[str, ...] = ()
    for flag in flags:
        if not flag.startswith(LINKING):
            continue
        text = flag.removeprefix(LINKING)
        pattern, equals, rest = text.partition("=")
        if text.startswith("-"):
            found = words.split(text)
        elif equals and pattern == import_path:
            found = words.split(rest)
    return found


def stamp_of(facts: Facts, flag: str) -> Stamp | None:
    """What an -X flag puts in, where that is one of what a build can be told anew; None for all else."""
    variable, equals, value = flag.removeprefix("-X=").partition("=")
    if not flag.startswith("-X=") or not equals:
        return None
    meaning = next((one for one, now in _now(facts) if now and now == value), None)
    return Stamp(variable=variable, meaning=meaning) if meaning else None


def _now(facts: Facts) -> tuple[tuple[Meaning, str], ...]:
    vcs = facts.known.project.vcs
    own = facts.known.project.version_of(facts.main.module)
    return (
        ("version", NOT_YET),
        ("version", own.version if own else ""),
        ("version", facts.image.version),
        ("revision", vcs.revision if vcs else ""),
        ("date", created.rfc3339(facts.image.created) if facts.image.created else ""),
    )


def _environment(pairs: Pairs, workspace: str) -> Pairs:
    """Go's variables without the platform's, this machine's C compiler, and the workspace's path here."""
    return tuple(
        (name, value)
        for name, value in pairs
        if name not in ELSEWHERE
        and not (name == "GOWORK" and workspace)
        and (name == "CGO_ENABLED" or not name.startswith(COMPILERS))
    )


def _mains(facts: Facts) -> tuple[Main, ...]:
    mains = {one.import_path: one for one in facts.known.project.mains}
    return tuple(mains[target.import_path] for target in facts.image.targets)
