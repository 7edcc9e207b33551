"""Wherry as a library: the flows of the command line over this machine. Words in, values out; prints nothing, exits never.

    import wherry

    report = wherry.build("./cmd/api", directory="path/to/repo", places=("oci:out",))
    for image in report.images:
        print(image.built.name, image.built.digest)

Errors are `wherry.errors.WherryError`: a name, what happened, where, why, and what to do next.
"""

from __future__ import annotations

from typing import TypedDict, Unpack

from wherry.flows.report import BuildReport
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Events, silent
from wherry.model.image import Stored
from wherry.model.plan import Plan
from wherry.model.settings import Settings

__all__ = ["BuildReport", "BuildRequest", "Options", "Plan", "Stored", "build", "inspect", "plan"]


class Options(TypedDict, total=False):
    """What may be said beside packages; each is a field of `BuildRequest`, which explains it."""

    directory: str
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
    """Builds images of `packages` and puts them where `options` say. `events` hears what happens, from any thread.

    Raises a `WherryError`: `UsageError`, `BuildError`, `UnavailableError` and so on.
    """
    from wherry.flows.build import build as flow
    from wherry.system.machine import real_machine

    return flow(BuildRequest(packages=packages, **options), real_machine(events))


def plan(*packages: str, **options: Unpack[Options]) -> Plan:
    """Every decision about the build that `build` with the same words would do, each with its reason; builds nothing."""
    from wherry.flows.plan import plan as flow
    from wherry.system.machine import real_machine

    return flow(BuildRequest(packages=packages, **options), real_machine())


def inspect(subject: str, *, platform: str = "") -> Stored:
    """The image at `subject`: a name in wherry's store, or a place as `oci:DIR:TAG` or `docker://REF`."""
    from wherry.flows.inspect import inspect as flow
    from wherry.system.machine import real_machine

    return flow(subject, platform, real_machine())
