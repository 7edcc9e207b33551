"""The images that files stand on: which, and by what digest. Facts in, pins out; touches nothing.

A builder's tag names Go in full, so that it is the Go that `wherry build` uses; Debian's, since it has git and a C compiler.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UsageError
from wherry.kit.text import numbers
from wherry.model.application import BaseKind, Pin, Sources
from wherry.oci import reference
from wherry.plan import presets
from wherry.plan.answer import refuse, where
from wherry.plan.application.facts import Facts

DEBIAN: Final = "trixie"
REGISTRY: Final = "docker://"
"""How the plan names a base that a registry has."""
GO_TAG: Final = re.compile(r"\d+\.\d+", re.ASCII)
"""How tags of golang begin that name a version."""
ROLES: Final = {
    "static": "gcr.io/distroless/static-debian13:nonroot",
    "dynamic": "gcr.io/distroless/base-debian13:nonroot",
    "alpine": "docker.io/library/alpine:3",
    "debian": f"docker.io/library/debian:{DEBIAN}-slim",
    "postgres": f"docker.io/library/postgres:18-{DEBIAN}",
    "redis": f"docker.io/library/redis:8-{DEBIAN}",
}
KINDS: Final[dict[str, BaseKind]] = {
    "static": "static",
    "scratch": "scratch",
    **{reference.parse(one).name: row.name for row in presets.PRESETS for one in (row.static, row.dynamic)},
}
"""What is known of bases, by what the plan calls them without a tag."""


def decide(facts: Facts, sources: Sources) -> tuple[Pin, ...]:
    """One for each role. UsageError [bad-reference] for a builder that is none."""
    musl = f"docker.io/library/golang:{sources.go}-alpine"
    references = {"builder": _builder(facts, sources), "musl-builder": musl, **ROLES}
    if facts.image.base.name.startswith(REGISTRY):
        references["base"] = facts.image.base.lock
    return tuple(_pinned(facts, role, name) for role, name in references.items())


def base_kind(facts: Facts) -> BaseKind:
    """What kind of base image.base is: known ones by their short name or, whatever the tag, by their repository."""
    name = facts.image.base.name
    return KINDS.get(reference.parse(name.removeprefix(REGISTRY)).name if name.startswith(REGISTRY) else name, "own")


def _pinned(facts: Facts, role: str, name: str) -> Pin:
    parsed = reference.parse(name)
    if parsed.digest:
        tagged = name.partition("@")[0]
        return Pin(role=role, reference=tagged, digest=str(parsed.digest))
    locked = facts.known.lock.base(name) if facts.known.lock else None
    return Pin(role=role, reference=name, digest=locked.digest if locked else "")


def _builder(facts: Facts, sources: Sources) -> str:
    said = facts.settings.generate.builder
    if said is None:
        return f"docker.io/library/golang:{sources.go}-{DEBIAN}"
    keys = ("generate", "builder")
    try:
        parsed = reference.in_registry(reference.parse(said))
    except UsageError as error:
        raise error.at(where(facts.settings.source(*keys), keys)) from None
    version = GO_TAG.match(parsed.tag) if parsed.repository.endswith("golang") else None
    if version and sources.go_line and numbers(version[0]) < numbers(sources.go_line)[:2]:
        message = f"go.mod wants Go {sources.go_line}, and {said[:80]} has {version[0]}"
        refuse(facts.settings, keys, message, next=f"golang:{sources.go}-{DEBIAN}, or leave it out")
    return str(parsed)
