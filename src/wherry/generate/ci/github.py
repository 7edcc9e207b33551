"""A workflow of GitHub: checks, the image, its publication, each with the rights that it needs. Applications in, one file out.
Touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from wherry.formats.yaml import Document, dump, noted
from wherry.generate import names
from wherry.generate.ci import docker, install, steps
from wherry.generate.ci.checks import Check, checks
from wherry.generate.ci.member import identifier, job, members, registry, tags, tester, told
from wherry.generate.ci.steps import Step, literal
from wherry.generate.names import Applications, Member, members_of
from wherry.model.file import Choice, File

FOLDER: Final = ".github/workflows"
RUNNER: Final = "ubuntu-24.04"
DOCKER: Final = "docker"
"""The switch for an image from the Dockerfile."""
PUSHED: Final = "github.event_name == 'push'"
OURS: Final = f"{PUSHED} || github.event.pull_request.head.repo.full_name == github.repository"
DEFAULT: Final = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
"""Where no branch is known, pushes to all of them start the workflow."""


def files(applications: Applications, choice: Choice) -> tuple[File, ...]:
    """UsageError [same-name], [bad-reference]."""
    each = members(applications, "workflow")
    name = names.service(applications[0]) if len(applications) == 1 else "images"
    path = names.from_home(applications, f"{FOLDER}/{identifier(name)}.yaml")
    jobs = {name: job for one in each for name, job in _jobs(one, with_docker=DOCKER in choice.extras).items()}
    return (File(path=path, text=dump({**_head(each, name), "jobs": _said(each, jobs)})),)


def _head(each: tuple[Member, ...], name: str) -> Mapping[str, Document]:
    branch = each[0].application.branch
    versions = [f"{_pattern(one)}*" for one in _versions(each)]
    pushes = {"branches": [_pattern(branch)], "tags": versions} if branch else None
    return {
        "name": literal(name),
        "on": {"push": pushes, "pull_request": None},
        "permissions": noted({"contents": "read"}, "Jobs that need more say so."),
        "concurrency": noted(
            {
                "group": "${{ github.workflow }}-${{ github.ref }}",
                "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
            },
            "A newer push ends older checks; what publishes is never cut off.",
        ),
        "defaults": noted({"run": {"shell": "bash"}}, "With pipefail, which the usual shell has not."),
        "env": {install.VARIABLE: noted(_installed(), install.why(steps.VARIABLES))},
    }


def _installed() -> str:
    said, usual = f"vars.{install.VARIABLE}", install.usual()
    return f"${{{{ {said} || '{usual}' }}}}" if usual else f"${{{{ {said} }}}}"


def _said(each: tuple[Member, ...], jobs: Mapping[str, Document]) -> Document:
    if any(registry(one) for one in each):
        return jobs
    return noted(jobs, "Nothing is pushed: generate.image in wherry.toml names no registry.")


def _versions(each: tuple[Member, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(tags, each)))


def _published(*each: Member) -> str:
    """The condition for what others may pull: one branch, and the tags of their own modules."""
    applications = each[0].applications
    known = bool(applications[0].branch)
    if known and _versions(each) == _versions(members_of(applications)):
        return PUSHED
    branch = "github.ref_type == 'branch'" if known else DEFAULT
    tagged = (f"startsWith(github.ref, {_text(f'refs/tags/{one}')})" for one in _versions(each))
    either = "\n|| ".join((branch, *tagged))
    return f"{PUSHED}\n&& ({either})\n"


def _text(value: str) -> str:
    """A text in a condition, where a dollar and braces would begin an expression."""
    quoted = "'" + value.replace("'", "''") + "'"
    if "$" not in value:
        return quoted
    return f"format({quoted.replace('{', '{{').replace('}', '}}').replace('$', '{0}')}, '$')"


def _pattern(branch: str) -> str:
    """A branch's name where GitHub expects a pattern."""
    return literal(re.sub(r"([*?+!\[\]\\])", r"\\\1", branch))


def _jobs(member: Member, *, with_docker: bool) -> dict[str, Mapping[str, Document]]:
    build, publish = (_build_by_docker, _publish_by_docker) if with_docker else (_build, _publish)
    jobs = {tester(member): _test(member), job(member, "build"): build(member)}
    if registry(member):
        jobs[job(member, "publish")] = publish(member)
    return jobs


def _job(folder: str, /, **more: Any) -> dict[str, Document]:
    """What all jobs say, before what one says more."""
    where = {} if folder == "." else {"defaults": {"run": {"working-directory": literal(folder)}}}
    return {"runs-on": RUNNER, "timeout-minutes": 30, **where, **more}


def _test(member: Member) -> Mapping[str, Document]:
    application = member.application
    variables = {name: literal(value) for name, value in application.sources.environment} | {"GOTOOLCHAIN": "local"}
    return {
        **_once(member),
        **_job(application.sources.directory),
        "env": variables,
        "steps": [*_begin(member, cached=tester(member)), *map(_check, checks(application)), steps.save(PUSHED)],
    }


def _once(member: Member) -> dict[str, Document]:
    """Without a known branch every push starts the workflow."""
    if member.applications[0].branch:
        return {}
    condition = f"github.event_name == 'pull_request'\n|| {_published(*members_of(member.applications))}"
    return {"if": noted(condition, "A branch with a pull request is checked once, there.")}


def _check(check: Check) -> Step:
    race = {"env": {"CGO_ENABLED": "1"}} if check.race else {}
    return {"name": check.name, **race, "run": noted(check.command, check.why) if check.why else check.command}


def _build(member: Member) -> Mapping[str, Document]:
    told = _told(member)
    return {
        "needs": tester(member),
        **_job(names.home(member.applications)),
        "outputs": {"digest": "${{ steps.build.outputs.digest }}"},
        "steps": [
            *_begin(member, cached=job(member, "build")),
            *_tool(member),
            steps.build(told),
            steps.save(PUSHED),
            steps.prove(steps.IMAGES),
        ],
    }


def _build_by_docker(member: Member) -> Mapping[str, Document]:
    """It reads the registry's layers where it may, and writes none: a pull request's would be a stranger's."""
    read = registry(member) == "ghcr.io"
    return {
        "needs": tester(member),
        **_job(names.home(member.applications)),
        **({"permissions": {"contents": "read", "packages": "read"}} if read else {}),
        "steps": [
            *_begin(member),
            *_tool(member),
            *((steps.login(registry(member), OURS),) if registry(member) else ()),
            *docker.steps(member.application, _told(member, by_docker=True), read=bool(registry(member)), write=False),
        ],
    }


def _publish(member: Member) -> Mapping[str, Document]:
    return _publishing(member, (steps.push_again(_told(member), job(member, "build")),))


def _publish_by_docker(member: Member) -> Mapping[str, Document]:
    told = _told(member, by_docker=True)
    return _publishing(member, (*docker.steps(member.application, told, read=True, write=True), docker.push(told)))


def _publishing(member: Member, pushing: tuple[Document, ...]) -> Mapping[str, Document]:
    application = member.application
    own = {"packages": "write"} if registry(member) == "ghcr.io" else {}
    return {
        "needs": job(member, "build"),
        "if": noted(_published(member), "One branch and version tags, and no pull request."),
        **_job(names.home(member.applications)),
        "permissions": {"contents": "read", **own, "id-token": "write", "attestations": "write"},
        "steps": [
            *_begin(member),
            steps.wherry(),
            steps.login(registry(member)),
            *pushing,
            steps.attest(application.image),
        ],
    }


def _begin(member: Member, *, cached: str = "") -> tuple[Document, ...]:
    """Sources and Go; with caches for the job of that name."""
    application = member.application
    caches = (steps.restore(application, cached),) if cached else ()
    return (steps.sources(), *steps.credentials(application), steps.go(application, cached=bool(cached)), *caches)


def _tool(member: Member) -> tuple[Step, ...]:
    """Wherry; the first image's job asks for all files."""
    return (steps.wherry(), *((steps.current(),) if member.first else ()))


def _told(member: Member, *, by_docker: bool = False) -> dict[str, str]:
    """What steps read from their variables."""
    file = {
        "FILE": names.dockerfile(member.applications, member.application, ""),
        "CONTEXT": names.from_home(member.applications),
    }
    return {name: literal(value) for name, value in (told(member) | (file if by_docker else {})).items()}
