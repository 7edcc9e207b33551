"""What the image stands on. Settings in, a base's name out; touches nothing."""

from __future__ import annotations

import posixpath
from typing import Final

from wherry.errors import UsageError
from wherry.model.finding import Finding
from wherry.model.plan import BaseChoice, Decision
from wherry.oci import reference
from wherry.plan import paths
from wherry.plan.answer import Answer, Facts, because, refuse, where
from wherry.plan.tiers import Keys

BUILT_IN: Final = {
    "static": "certificates, time zones, users; made here",
    "scratch": "nothing but the program",
}
ARCHIVES: Final = ("oci", "oci-archive", "docker-archive")
#: Inferred facts that need something of the base, with what `scratch` has not.
NEEDS: Final = {"tls": "certificate authorities", "zones": "time zones", "users": "a list of users"}
_KEYS: Final[Keys] = ("image", "base")


def decide(facts: Facts) -> Answer[BaseChoice]:
    """The base as `static`, `scratch` or a place. UsageError [bad-base], [bad-reference], [path-escape]."""
    given = facts.settings.image.base or "static"
    source = facts.settings.source(*_KEYS)
    name = given if given in BUILT_IN else _place(facts, given)
    certificates = _certificates(facts, name)
    reason, origin = because(source, BUILT_IN.get(given, ""))
    decision = Decision(name="base", value=given, reason=reason, origin=origin, place=source.place)
    findings = tuple(_missing(facts)) if name == "scratch" else ()
    return Answer(value=BaseChoice(name=name, certificates=certificates), decisions=(decision,), findings=findings)


def _place(facts: Facts, given: str) -> str:
    transport, colon, rest = given.partition(":")
    if transport in ARCHIVES and colon:
        return f"{transport}:{_path(facts, rest)}"
    if given.startswith("docker://"):
        return f"docker://{_reference(facts, given.removeprefix('docker://'))}"
    if transport in ("docker-daemon", "containers-storage", "containerd"):
        raise UsageError(
            "bad-base",
            f"a base cannot be read from {transport}",
            where=where(facts.settings.source(*_KEYS), _KEYS),
            next="name it as its registry does, or save it as a docker-archive",
        )
    return f"docker://{_reference(facts, given)}"


def _reference(facts: Facts, text: str) -> str:
    try:
        return str(reference.parse(text))
    except UsageError as error:
        place = where(facts.settings.source(*_KEYS), _KEYS)
        step = "static, scratch, or a reference like gcr.io/distroless/static-debian12"
        raise UsageError("bad-base", error.message, where=place, next=step) from error


def _path(facts: Facts, path: str) -> str:
    """Absolute. A file of the repository may only name what lies in it; the user may name anything, from where they stand."""
    root, source = facts.inputs.project.root, facts.settings.source(*_KEYS)
    if not source.trusted:
        return posixpath.join(root, paths.inside(facts.settings, _KEYS, path))
    if not path or "\0" in path:
        refuse(facts.settings, _KEYS, "the base has no path")
    return posixpath.normpath(posixpath.join(root, facts.inputs.request.directory, path))


def _certificates(facts: Facts, base: str) -> tuple[str, ...]:
    given = facts.settings.image.certificates or ()
    if given and base != "static":
        refuse(
            facts.settings,
            ("image", "certificates"),
            f"certificates can be added to the base static only, not to {base}",
            next="leave image.base out, or put them in as assets",
        )
    return tuple(
        paths.inside(facts.settings, ("image", "certificates", number), path) for number, path in enumerate(given)
    )


def _missing(facts: Facts) -> list[Finding]:
    needed = {one.kind: one for one in reversed(facts.main.inferred) if one.kind in NEEDS}
    if not needed:
        return []
    first = next(iter(needed.values()))
    what = " and ".join(NEEDS[kind] for kind in NEEDS if kind in needed)
    message = f"the program seems to need {what}, and scratch has none"
    return [
        Finding(
            name="scratch-lacks", message=message, subject=facts.subject, place=first.place, next="leave image.base out"
        )
    ]
