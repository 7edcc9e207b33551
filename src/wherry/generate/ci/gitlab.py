"""GitLab's pipeline: the same checks, image and publication, without Docker and without services. Applications in, one file out.
Touches nothing.

Scripts read variables as any shell does; those with a repository's words are not expanded by GitLab before (`expand: false`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from wherry.formats.yaml import Document, dump, noted
from wherry.generate import names
from wherry.generate.ci import commands, install
from wherry.generate.ci.checks import Check, checks
from wherry.generate.ci.member import job, members, registry, tags, tester, told
from wherry.generate.names import Applications, Member
from wherry.generate.shell import quoted
from wherry.model.application import Application
from wherry.model.file import Choice, File

FILE: Final = ".gitlab-ci.yml"
KEPT: Final = ".cache"
"""GitLab keeps only what lies in the project's folder."""
IMAGES: Final = f"oci:$CI_PROJECT_DIR/{KEPT}/images"
ONCE_MORE: Final = f"oci:$CI_PROJECT_DIR/{KEPT}/again"
VARIABLES: Final = "Settings > CI/CD > Variables"
"""Where a project says variables, which go before those of the file."""
PROVED: Final = f"{KEPT}/image.env"


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """UsageError [same-name], [bad-reference]."""
    each = members(applications, FILE)
    jobs = {name: job for one in each for name, job in _jobs(one).items()}
    text, pins = dump({**_head(applications[0]), **jobs}), tuple(one.pin("builder") for one in applications)
    return (File(path=names.from_home(applications, FILE), text=text, pins=pins),)


def _head(application: Application) -> Mapping[str, Document]:
    branch = {"RELEASED_BRANCH": application.branch} if application.branch else {}
    rules = [
        {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'},
        {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"},
        {"if": "$CI_COMMIT_BRANCH || $CI_COMMIT_TAG"},
    ]
    return {
        "stages": ["test", "build", "publish"],
        "workflow": {
            "auto_cancel": {"on_new_commit": "interruptible"},
            "rules": noted(rules, "A branch with a merge request is checked once, there."),
        },
        "default": {"image": str(application.pin("builder")), "interruptible": True, "timeout": "30 minutes"},
        "variables": {
            "GIT_DEPTH": noted("0", "The version comes from tags."),
            "GOTOOLCHAIN": "local",
            "GOMODCACHE": f"$CI_PROJECT_DIR/{KEPT}/modules",
            "GOCACHE": f"$CI_PROJECT_DIR/{KEPT}/objects",
            install.VARIABLE: noted(install.usual(), install.why(VARIABLES)),
            **_variables(branch),
        },
    }


def _jobs(member: Member) -> dict[str, Mapping[str, Document]]:
    jobs = {tester(member): _test(member), job(member, "build"): _build(member), job(member, "prove"): _prove(member)}
    if registry(member):
        jobs[job(member, "publish")] = _publish(member)
    usual, own = member.applications[0].pin("builder"), member.application.pin("builder")
    image = {} if own == usual else {"image": str(own)}
    return {name: {**image, **one} for name, one in jobs.items()}


def _test(member: Member) -> Mapping[str, Document]:
    sources = member.application.sources
    return {
        "stage": "test",
        "variables": _variables(dict(sources.environment)),
        "cache": _caches(member),
        "before_script": [_overlooked(), *_private(member), *_enter(sources.directory)],
        "script": list(map(_check, checks(member.application))),
    }


def _check(check: Check) -> Document:
    command = f"{'CGO_ENABLED=1 ' if check.race else ''}{check.command}"
    return noted(command, check.why) if check.why else command


def _build(member: Member) -> Mapping[str, Document]:
    """Its digest goes on to those jobs that need this one."""
    run = f'{commands.build(IMAGES)}echo "PROVED=${{image##*@}}" >"$CI_PROJECT_DIR/{PROVED}"\n'
    return {
        "stage": "build",
        "needs": [tester(member)],
        "variables": _variables(told(member)),
        "cache": _caches(member),
        "before_script": [_overlooked(), *_private(member), *_wherry(), *_enter(names.home(member.applications))],
        "script": [*(("wherry generate --check",) if member.first else ()), run],
        "artifacts": {"paths": [f"{KEPT}/images"], "reports": {"dotenv": PROVED}, "expire_in": "1 day"},
    }


def _prove(member: Member) -> Mapping[str, Document]:
    home = names.home(member.applications)
    why = "It starts containers: the runner must be privileged, as GitLab's own are. Others are chosen by `tags`."
    return {
        "stage": "build",
        "needs": noted([job(member, "build")], why),
        "before_script": [_overlooked(), *_wherry("runc"), *_enter(home)],
        "script": [commands.prove(IMAGES)],
    }


def _publish(member: Member) -> Mapping[str, Document]:
    login = f"""\
if [ "$REGISTRY" = "${{CI_REGISTRY:-}}" ]; then
  REGISTRY_USERNAME="$CI_REGISTRY_USER" REGISTRY_PASSWORD="$CI_REGISTRY_PASSWORD"
fi
{commands.LOGIN}"""
    branch = "$RELEASED_BRANCH" if member.applications[0].branch else "$CI_DEFAULT_BRANCH"
    rules = [{"if": f"$CI_COMMIT_BRANCH == {branch}"}, {"if": f"$CI_COMMIT_TAG =~ /^{_pattern(tags(member))}/"}]
    return {
        "stage": "publish",
        "needs": [job(member, "build"), job(member, "prove")],
        "rules": noted(rules, "One branch and version tags, and no merge request."),
        "interruptible": False,
        "resource_group": job(member, "publish"),
        "variables": _variables({**told(member), "REGISTRY": registry(member)}),
        "before_script": [_overlooked(), *_private(member), *_wherry(), *_enter(names.home(member.applications))],
        "script": [
            noted(
                login, "GitLab's registry takes the job's own password; others REGISTRY_USERNAME and REGISTRY_PASSWORD."
            ),
            noted(commands.push_again(ONCE_MORE), commands.AGAIN),
        ],
    }


def _pattern(text: str) -> str:
    """A text in a regular expression between slashes."""
    return re.sub(r"([^A-Za-z0-9_-])", r"\\\1", text)


def _variables(values: Mapping[str, str]) -> Mapping[str, Document]:
    return {name: {"value": value, "expand": False} if "$" in value else value for name, value in values.items()}


def _caches(member: Member) -> Document:
    """An entry for each job: GitLab replaces it, and finds none whose key holds a go.sum that was changed."""
    why = (
        "Go's own caches, begun from the last run's; a new Go begins anew. GitLab keeps those of protected branches apart\n"
        "from merge requests'. A Dockerfile's cache mounts could not be kept from job to job."
    )
    key = f"go-{member.application.sources.go}-$CI_JOB_NAME_SLUG"
    return noted({"key": key, "paths": [f"{KEPT}/modules", f"{KEPT}/objects"]}, why)


def _overlooked() -> Document:
    why = "Git would count files that it does not know, and the version would be +dirty."
    return noted(f"mkdir -p {KEPT} && echo /{KEPT}/ >>.git/info/exclude", why)


def _private(member: Member) -> tuple[Document, ...]:
    if not member.application.sources.private:
        return ()
    return (noted('install -m 600 "$NETRC" ~/.netrc\n', "NETRC is a variable of the kind File, for private modules."),)


def _wherry(*packages: str) -> Sequence[str]:
    wanted = quoted("python3-venv", *packages)
    return (
        "apt-get update -qq",
        f"apt-get install -qq --no-install-recommends {wanted}",
        "python3 -m venv /opt/wherry",
        f"""{install.refusal(VARIABLES)}/opt/wherry/bin/pip install --quiet "$WHERRY"\n""",
        'export PATH="/opt/wherry/bin:$PATH"\n',
    )


def _enter(folder: str) -> tuple[str, ...]:
    return () if folder == "." else (f"cd -- {quoted(folder)}",)
