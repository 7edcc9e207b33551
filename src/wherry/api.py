"""Wherry as a library: the flows of the command line over this machine. Words in, values out; prints nothing, exits never.

    import wherry

    report = wherry.build("./cmd/api", directory="path/to/repo", places=("oci:out",))
    for image in report.images:
        print(image.built.name, image.built.digest)

Errors are `wherry.errors.WherryError`: a name, what happened, where, why, and what to do next.
"""

from __future__ import annotations

from typing import Any

from wherry.flows.report import BuildReport
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Events, silent
from wherry.model.image import Stored
from wherry.model.plan import Plan

__all__ = ["BuildReport", "BuildRequest", "Plan", "Stored", "build", "inspect", "plan"]


def build(*packages: str, events: Events = silent, **options: Any) -> BuildReport:
    """Builds images of `packages` and puts them where `options` say: the fields of `BuildRequest` (directory, names, places,
    push, load, settings, assignments ...). `events` hears what happens meanwhile, from any thread."""
    from wherry.flows.build import build as flow
    from wherry.system.machine import real_machine

    return flow(BuildRequest(packages=packages, **options), real_machine(events))


def plan(*packages: str, **options: Any) -> Plan:
    """Every decision about the build that `build` with the same words would do, each with its reason; builds nothing."""
    from wherry.flows.plan import plan as flow
    from wherry.system.machine import real_machine

    return flow(BuildRequest(packages=packages, **options), real_machine())


def inspect(subject: str, *, platform: str = "") -> Stored:
    """The image at `subject`: a name in wherry's store, or a place as `oci:DIR:TAG` or `docker://REF`."""
    from wherry.flows.inspect import inspect as flow
    from wherry.system.machine import real_machine

    return flow(subject, platform, real_machine())
