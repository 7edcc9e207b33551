"""One application among those of a workflow: with others beside it, its jobs carry its name. Applications in, names and places
out; touches nothing."""

from __future__ import annotations

import re

from wherry.generate.ci.checks import checks
from wherry.generate.names import Applications, Member, members_of
from wherry.generate.shell import package
from wherry.generate.text import apart
from wherry.model.application import Application
from wherry.oci import reference


def members(applications: Applications, file: str) -> tuple[Member, ...]:
    """Each with jobs of its own. UsageError [same-name]."""
    found = members_of(applications)
    apart((job(one, "") for one in found), file=file)
    return found


def job(member: Member, name: str) -> str:
    """`test`, or `test-shop-api`."""
    return identifier(member.own(name))


def tester(member: Member) -> str:
    """The job that checks its sources: those that are checked alike, as programs of one module are, have it once."""
    each = tuple(map(_checked, member.applications))
    if len(set(each)) == 1:
        return "test"
    first = member.applications[each.index(_checked(member.application))]
    return job(Member(applications=member.applications, application=first), "test")


def _checked(application: Application) -> tuple[object, ...]:
    """All that a job of checks is made of."""
    sources = application.sources
    return (
        sources.go,
        sources.directory,
        sources.environment,
        sources.module_files,
        sources.private,
        checks(application),
    )


def tags(member: Member) -> str:
    """How the tags begin that are versions of its module: `v`, or `services/jobs/v` (https://go.dev/ref/mod#vcs-version)."""
    folder = member.application.sources.module_directory
    return "v" if folder == "." else f"{folder}/v"


def registry(member: Member) -> str:
    """Where the image is pushed; empty: nowhere."""
    return reference.parse(member.application.image).host


def told(member: Member) -> dict[str, str]:
    """What commands read from their variables."""
    return {
        "PACKAGE": package(member.applications, member.application),
        "PLATFORMS": ",".join(map(str, member.application.platforms)),
        "IMAGE": member.application.image,
    }


def identifier(text: str) -> str:
    """`text` in the letters that a job's or a file's name may have."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)
