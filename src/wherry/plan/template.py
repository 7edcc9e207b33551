"""`{version}` and the like in names, labels and linker flags. A text and what is known in, a text out; touches nothing.

Only `{word}` and `{group.word}` count, `{{` writes a brace, all other braces stay; so JSON in a variable needs no care. A value
is put in after everything was split and checked, so none of them can become a flag of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.project import Project
from wherry.oci.platform import Platform
from wherry.plan import created
from wherry.plan.answer import Facts, where
from wherry.plan.inputs import PlanInputs
from wherry.plan.tiers import Keys, Source

_SLOT: Final = re.compile(r"(\{\{)|\{([a-z]+(?:\.[A-Za-z_][A-Za-z0-9_]*)?)\}")
#: Every word but {env.NAME}, with what it gives.
WORDS: Final = (
    ("name", "the image's name"),
    ("version", "the version: 1.4.0, 1.4.0+dirty"),
    ("created", "the image's time of creation, RFC 3339"),
    ("timestamp", "the same in seconds since 1970"),
    ("git.commit", "the full commit"),
    ("git.short", "its first 12 digits"),
    ("git.tag", "the nearest version tag"),
    ("git.branch", "the branch"),
    ("git.time", "the commit's time, RFC 3339"),
    ("git.dirty", "true or false"),
    ("git.source", "the repository's web address"),
    ("go.version", "the Go that compiles: go1.26.8"),
    ("go.module", "the main's module"),
    ("go.package", "the main's import path"),
    ("go.os", "the platform's system (only while compiling)"),
    ("go.arch", "the platform's processor (only while compiling)"),
    ("go.variant", "its variant, often empty (only while compiling)"),
)


class Slots(Value, frozen=True, kw_only=True):
    """What templates may say in one place."""

    known: tuple[tuple[str, str], ...]
    passed: tuple[str, ...] = ()
    """Names of environment variables that the user passes."""
    environment: tuple[tuple[str, str], ...] = ()


class Origin(Value, frozen=True, kw_only=True):
    """Where a template stands, for messages."""

    keys: Keys
    source: Source = Source()

    @property
    def place(self) -> str:
        return where(self.source, self.keys)


def slots(facts: Facts, *, name: str = "", platform: Platform | None = None) -> Slots:
    """All that is known of a main's image; what is not known here is left out, and then an error where it is used."""
    inputs = facts.inputs
    known = {
        "name": name or facts.main.name,
        "version": facts.version or "latest",
        "created": created.rfc3339(facts.created),
        "timestamp": str(facts.created),
        "go.version": inputs.toolchain.version,
        "go.module": facts.main.module,
        "go.package": facts.main.import_path,
    }
    if platform:
        known |= {"go.os": platform.os, "go.arch": platform.architecture, "go.variant": platform.variant}
    known |= _git(inputs.project, facts.main.module)
    request = inputs.request
    return Slots(known=tuple(known.items()), passed=request.pass_environment, environment=inputs.environment)


def _git(project: Project, module: str) -> dict[str, str]:
    vcs, own = project.vcs, project.version_of(module)
    if vcs is None or own is None:
        return {}
    return {
        "git.commit": vcs.revision,
        "git.short": vcs.revision[:12],
        "git.tag": own.tag,
        "git.branch": vcs.branch,
        "git.time": created.rfc3339(max(0, min(vcs.time, created.LATEST))),
        "git.dirty": "true" if vcs.dirty else "false",
        "git.source": vcs.source,
    }


def expand(text: str, slots: Slots, origin: Origin, *, clean: Callable[[str], str] = str) -> str:
    """`text` with every slot filled in, each value passed through `clean`. UsageError [bad-template] or [env-not-passed]."""

    def fill(match: re.Match[str]) -> str:
        return "{" if match[1] else clean(_value(match[2], slots, origin))

    return _SLOT.sub(fill, text)


def _value(word: str, slots: Slots, origin: Origin) -> str:
    if word.startswith("env."):
        return _variable(word.removeprefix("env."), slots, origin)
    known = dict(slots.known)
    if word in known:
        return known[word]
    if word in dict(WORDS):
        why = "there is no git repository here" if word.startswith("git.") else "it has no value in this place"
        raise UsageError("bad-template", f"{{{word}}} is not known here", where=origin.place, why=why)
    near = closest(word, (*dict(WORDS), "env"))
    raise UsageError(
        "bad-template",
        f"there is no {{{word}}}",
        where=origin.place,
        next=f"did you mean {{{near}}}? A brace itself is written {{{{" if near else "a brace itself is written {{",
    )


def unset(inputs: PlanInputs) -> tuple[Finding, ...]:
    """A warning for each variable that was to be passed and is not set; a template that reads it is an error."""
    here = dict(inputs.environment)
    return tuple(
        Finding(
            name="env-unset",
            message=f"{name} is not set here, so it is not passed",
            next=f"export {name}=VALUE, or leave out --pass-env {name}",
        )
        for name in dict.fromkeys(inputs.request.pass_environment)
        if name not in here
    )


def _variable(name: str, slots: Slots, origin: Origin) -> str:
    """A08: a file of the repository must not choose which of the builder's variables end up in an image."""
    if name not in slots.passed:
        raise UsageError(
            "env-not-passed",
            f"{{env.{name}}} is not passed",
            where=origin.place,
            why="only you say which environment variables a repository may read",
            next=f"--pass-env {name}, or WHERRY_PASS_ENV={name}",
        )
    value = dict(slots.environment).get(name)
    if value is None:
        raise UsageError(
            "env-not-passed", f"{name} is passed, but not set", where=origin.place, next=f"export {name}=..."
        )
    return value
