"""Wherry as a library: the flows of the command line over this machine. Words in, values out; prints nothing, exits never.

    import wherry

    report = wherry.build("./cmd/api", directory="path/to/repo", places=("oci:out",))
    for image in report.images:
        print(image.built.name, image.built.digest)

Errors are `wherry.errors.WherryError`: a name, what happened, where, why, and what to do next.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

import msgspec

from wherry.errors import UsageError
from wherry.flows.changed import Changed
from wherry.flows.copy import Copied
from wherry.flows.generate import Generated, Mode
from wherry.flows.prove import Proof
from wherry.flows.report import BuildReport
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Events, silent
from wherry.kit.text import closest
from wherry.kit.value import decodable
from wherry.model.image import Stored
from wherry.model.plan import Plan
from wherry.model.settings import Settings

__all__ = [
    "BuildReport",
    "BuildRequest",
    "Changed",
    "Copied",
    "Generated",
    "Options",
    "Plan",
    "Proof",
    "Stored",
    "annotate",
    "build",
    "copy",
    "generate",
    "inspect",
    "plan",
    "prove",
    "pull",
    "push",
    "rebase",
    "tags",
]


class Options(TypedDict, total=False):
    """What may be said beside packages; each is a field of `BuildRequest`, which explains it."""

    directory: str | os.PathLike[str]
    names: tuple[str, ...]
    places: tuple[str, ...]
    push: bool
    load: bool
    settings: Settings
    assignments: tuple[str, ...]
    untrusted: bool
    toolchain: str
    hooks: bool | None
    pass_environment: tuple[str, ...]
    locked: bool
    cache: bool
    jobs: int


def build(*packages: str, events: Events = silent, **options: Unpack[Options]) -> BuildReport:
    """Builds images of `packages` (folders, patterns, import paths, `module/path@version`) and puts them where the options say.

    Options, each as the flag of `wherry build` beside it, and all to be left out:

        directory="."                  -C DIR      where to stand
        names=("reg.example/app:1",)   -t NAME     what the images are called; may hold {name} and {version}
        places=("oci:out",)            -o PLACE    where they go; without: an engine, else wherry's own store
        push=True, load=True           --push, --load
        assignments=("image.user=1",)  --set       any key of wherry.toml
        settings=Settings(...)                     the same as values: wherry.model.settings
        untrusted=True                 --untrusted
        toolchain="auto"               --toolchain
        hooks=True or False            --run-hooks, --no-hooks
        pass_environment=("CI",)       --pass-env
        locked=True                    --locked
        cache=False                    --no-cache
        jobs=4                         -j N

    `events` hears what happens, from any thread. Raises a `wherry.errors.WherryError`: `UsageError`, `BuildError`,
    `UnavailableError` and so on, with a name, a place, and what to do next.
    """
    from wherry.flows.build import build as flow
    from wherry.system.machine import real_machine

    return flow(_request(packages, options), real_machine(events))


def plan(*packages: str, **options: Unpack[Options]) -> Plan:
    """Every decision about the build that `build` with the same words would do, each with its reason; builds nothing.

    The options are those of `build`.
    """
    from wherry.flows.plan import plan as flow
    from wherry.system.machine import real_machine

    return flow(_request(packages, options), real_machine())


def prove(
    subject: str = "",
    *,
    directory: str | os.PathLike[str] = ".",
    assignments: tuple[str, ...] = (),
    engine: str = "",
    events: Events = silent,
) -> Proof:
    """Runs an image or a package hardened, looks at it from outside, and says what was seen, one verdict a check.

        proof = wherry.prove("podinfo", assignments=("prove.slow-route=/delay/2", "run.memory=64m"))
        for verdict in proof.verdicts:
            print(verdict.outcome, verdict.check, verdict.summary)

    `subject`: a name or place of an image, else a package of the repository at `directory`; empty: its only program.
    `assignments`: keys of wherry.toml, of [prove] and [run] above all. `engine`: runc, crun, docker or podman; empty: what is
    here.

    An outcome is PASS, FAIL, SKIP (does not apply) or UNKNOWN (could not be seen here); `waived` says why one does not count, and
    `proof.count("FAIL")` how many do. Raises a `wherry.errors.WherryError` when nothing can be run at all."""
    from wherry.flows.container import RunRequest
    from wherry.flows.prove import ProveRequest
    from wherry.flows.prove import prove as flow
    from wherry.system.machine import real_machine

    build = _request((), {"directory": directory, "assignments": assignments})
    run = RunRequest(subject=subject, build=build, engine=engine)
    return flow(ProveRequest(run=run), real_machine(events))


def generate(
    what: str = "",
    *packages: str,
    variant: str = "",
    directory: str | os.PathLike[str] = ".",
    mode: Mode = "write",
) -> Generated:
    """Writes files of one kind, as `wherry generate WHAT`; without `what`, makes every file anew that says it was made so.

        stale = wherry.generate(mode="check", directory="path/to/repo").stale
        wherry.generate("dockerfile", variant="alpine")

    `mode`: write; check or diff write nothing, and `changes` say what would change: each with its path, state, text and diff.
    Raises a `wherry.errors.WherryError`; all files are written, or none."""
    from wherry.flows.generate import GenerateRequest
    from wherry.flows.generate import generate as flow
    from wherry.generate.header import chosen
    from wherry.system.machine import real_machine

    build = _request(packages, {"directory": directory})
    choice = chosen(what, variant, packages) if what else None
    return flow(GenerateRequest(build=build, choice=choice, mode=mode), real_machine())


def copy(
    source: str, *destinations: str, platforms: tuple[str, ...] = (), referrers: bool = False, events: Events = silent
) -> Copied:
    """Copies an image, index or artifact to every place of `destinations`; digests stay, what is there is not sent.

    A name with a registry's host is that registry's, any other a name of wherry's store. `platforms`: only these, as
    `linux/arm64`. `referrers`: signatures and other attached things too."""
    from wherry.flows.copy import CopyRequest
    from wherry.flows.copy import copy as flow
    from wherry.system.machine import real_machine

    request = CopyRequest(source=source, destinations=destinations, platforms=platforms, referrers=referrers)
    return flow(request, real_machine(events))


def push(source: str, *names: str, platforms: tuple[str, ...] = (), referrers: bool = False) -> Copied:
    """Copies `source`, a name of wherry's store or a place, to registries: `reg.example/team/app:1.2` each."""
    from wherry.flows.push import push as flow
    from wherry.system.machine import real_machine

    return flow(source, names, real_machine(), platforms=platforms, referrers=referrers)


def pull(source: str, *places: str, platforms: tuple[str, ...] = (), referrers: bool = False) -> Copied:
    """Copies an image of a registry into `places`; without any into the engine that answers, else into wherry's store."""
    from wherry.flows.pull import pull as flow
    from wherry.system.machine import real_machine

    return flow(source, places, real_machine(), platforms=platforms, referrers=referrers)


def annotate(
    subject: str,
    *places: str,
    annotations: Mapping[str, str] = MappingProxyType({}),
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Changed:
    """Sets annotations and labels of a published image, which then has a new digest; its layers stay.

    Without `places` the new image takes the old one's name where it is."""
    from wherry.flows.annotate import AnnotateRequest
    from wherry.flows.annotate import annotate as flow
    from wherry.system.machine import real_machine

    request = AnnotateRequest(
        subject=subject, annotations=tuple(annotations.items()), labels=tuple(labels.items()), places=places
    )
    return flow(request, real_machine())


def rebase(subject: str, *places: str, base: str = "", old_base: str = "") -> Changed:
    """Puts a published image on a new base without a rebuild; its own layers stay.

    Without `base`: what the old base's name means now; without `old_base`: what the image's annotations say."""
    from wherry.flows.rebase import RebaseRequest
    from wherry.flows.rebase import rebase as flow
    from wherry.system.machine import real_machine

    return flow(RebaseRequest(subject=subject, base=base, old_base=old_base, places=places), real_machine())


def tags(repository: str, *, by_version: bool = False) -> tuple[str, ...]:
    """All tags of a registry's repository, in its own order or by the numbers in them."""
    from wherry.flows.registry import tags as flow
    from wherry.system.machine import real_machine

    return flow(repository, real_machine(), by_version=by_version)


def inspect(subject: str, *, platform: str = "") -> Stored:
    """The image at `subject`: a name in wherry's store, or a place as `oci:DIR:TAG` or `docker://REF`."""
    from wherry.flows.inspect import inspect as flow
    from wherry.system.machine import real_machine

    return flow(subject, platform, real_machine())


def _request(packages: tuple[str, ...], options: Options) -> BuildRequest:
    """The request, its values looked at: UsageError [bad-option] for one that is of another kind."""
    given: dict[str, Any] = {"packages": packages, **options}
    for name, value in given.items():
        if name not in BuildRequest.__struct_fields__:
            near = closest(name, tuple(Options.__annotations__))
            step = (
                f"did you mean {near}?" if near else f'a key of wherry.toml is set by assignments=("image.{name}=...",)'
            )
            raise UsageError("bad-option", f"there is no option {name!r}", where=f"{name}=...", next=step)
        if isinstance(value, str) and isinstance(getattr(BuildRequest(), name), tuple):
            step = f"write {name}=({value!r},)"
            raise UsageError(
                "bad-option", f"{name} is a tuple of texts, not one text", where=f"{name}={value!r}", next=step
            )
    given["directory"] = os.fspath(given.get("directory", "."))
    try:
        request = msgspec.convert(given, decodable(BuildRequest))
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].partition("[")[0].rstrip("`")
        message = f"{name} is of the wrong kind: {str(error).partition(' - at')[0].lower()}"
        raise UsageError(
            "bad-option", message.replace("`", ""), where=f"{name}=...", next="help(wherry.build)"
        ) from error
    if request.jobs < 0:
        raise UsageError("bad-option", "jobs is less than 0", where=f"jobs={request.jobs}", next="leave it out")
    return request
