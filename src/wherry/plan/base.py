"""What the image stands on. Settings in, a base's name out; touches nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

import msgspec

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.model.finding import Finding
from wherry.model.lock import NAME, LockedBase
from wherry.model.plan import BaseChoice, Decision
from wherry.oci import reference
from wherry.plan import cgo, paths, presets
from wherry.plan.answer import Answer, Facts, because, refuse, where
from wherry.plan.tiers import Keys

BUILT_IN: Final = {
    "static": "certificates, time zones, users; made here",
    "scratch": "nothing but the program",
}
ARCHIVES: Final = ("oci", "oci-archive", "docker-archive")
ENGINES: Final = ("docker-daemon", "containers-storage", "containerd")
#: Inferred facts that need something of the base, with what `scratch` has not.
NEEDS: Final = {"tls": "certificate authorities", "zones": "time zones", "users": "a list of users"}
_KEYS: Final[Keys] = ("image", "base")


def decide(facts: Facts) -> Answer[BaseChoice]:
    """The base as `static`, `scratch` or a place, with its digest where one is known. UsageError [bad-base], [path-escape]."""
    given = facts.settings.image.base or "static"
    source = facts.settings.source(*_KEYS)
    choice = BaseChoice(name=given) if given in BUILT_IN else _place(facts, given)
    choice = msgspec.structs.replace(choice, certificates=_certificates(facts))
    reason, origin = because(source, BUILT_IN.get(given, ""))
    decision = Decision(name="base", value=given, reason=reason, origin=origin, place=source.place)
    if given in BUILT_IN:
        findings = tuple(_missing(facts)) if given == "scratch" else ()
        return Answer(value=choice, decisions=(decision,), findings=findings)
    locked = facts.inputs.lock.base(choice.lock) if facts.inputs.lock and choice.lock else None
    if locked and not choice.digest:
        choice = msgspec.structs.replace(choice, digest=locked.digest)
    return Answer(
        value=choice,
        decisions=(decision, *_story(choice, given, locked)),
        findings=() if choice.lock else (_only_here(facts, choice),),
    )


def _story(choice: BaseChoice, given: str, locked: LockedBase | None) -> Iterator[Decision]:
    """What the name stands for, and which image that is."""
    name = choice.name.removeprefix("docker://")
    if name != given.removeprefix("docker://"):
        reason = f"what {given} stands for" if given in presets.NAMES else "the name in full"
        yield Decision(name="base-name", value=name, reason=reason)
    if not choice.digest:
        yield Decision(name="base-digest", value="not locked", reason="asked for at each build: see wherry base lock")
    elif locked and locked.digest == choice.digest:
        made = f", made {locked.created[:10]}" if locked.created else ""
        yield Decision(name="base-digest", value=choice.digest, reason=f"{NAME}{made}", origin="file")
    else:
        yield Decision(name="base-digest", value=choice.digest, reason="the reference says so")


def _place(facts: Facts, given: str) -> BaseChoice:
    transport, colon, rest = given.partition(":")
    if transport in ARCHIVES and colon:
        return _file(facts, transport, rest)
    if transport in ENGINES and colon:
        return _engine(facts, transport, rest)
    _refuse_near(facts, given)
    name = presets.reference_of(given, dynamic=cgo.links_dynamically(facts))
    return _reference(facts, name.removeprefix("docker://"))


def _refuse_near(facts: Facts, given: str) -> None:
    """UsageError [bad-base] for a bare word that is nearly one of ours: Docker Hub would be asked for it."""
    near = "" if set(given) & set("/:@") or given in presets.NAMES else closest(given, (*BUILT_IN, *presets.NAMES))
    if near:
        step = f"{near}, or docker.io/library/{given} if that is meant"
        place = where(facts.settings.source(*_KEYS), _KEYS)
        raise UsageError("bad-base", f"there is no base {given[:40]!r}; did you mean {near}?", where=place, next=step)


def _reference(facts: Facts, text: str) -> BaseChoice:
    """The reference in full, so that one base has one name: its registry, and `latest` where it has neither tag nor digest."""
    try:
        found = reference.in_registry(reference.parse(text))
    except UsageError as error:
        place = where(facts.settings.source(*_KEYS), _KEYS)
        step = f"static, scratch, {', '.join(presets.NAMES)}, or a reference like registry.example/team/base:1"
        raise UsageError("bad-base", error.message, where=place, next=step) from error
    if not found.tag and not found.digest:
        found = msgspec.structs.replace(found, tag="latest")
    return BaseChoice(name=f"docker://{found}", lock=str(found), digest=str(found.digest or ""))


def _file(facts: Facts, transport: str, path: str) -> BaseChoice:
    """A file of the repository may only name what lies in it; the user may name anything, from where they stand. Only what lies
    in the repository can be locked: others have nothing else."""
    root, source = facts.inputs.project.root, facts.settings.source(*_KEYS)
    if not source.trusted:
        inside = paths.inside(facts.settings, _KEYS, path)
        return BaseChoice(name=f"{transport}:{posixpath.join(root, inside)}", lock=f"{transport}:{inside}")
    if not path or "\0" in path:
        refuse(facts.settings, _KEYS, "the base has no path")
    full = posixpath.normpath(posixpath.join(root, facts.inputs.request.directory, path))
    inside = posixpath.relpath(full, root)
    lock = "" if inside.startswith("../") or not inside.isprintable() or " " in inside else f"{transport}:{inside}"
    return BaseChoice(name=f"{transport}:{full}", lock=lock)


def _engine(facts: Facts, transport: str, text: str) -> BaseChoice:
    """An image that an engine holds. Never because a repository says so: it could take a private one along (A10)."""
    source = facts.settings.source(*_KEYS)
    if not source.trusted:
        raise UsageError(
            "bad-base",
            f"only you may name an image of this machine's {transport}",
            where=where(source, _KEYS),
            why="a repository could otherwise take along any image that you have",
            next=f"--base {transport}:{text[:100]}",
        )
    try:
        return BaseChoice(name=f"{transport}:{reference.parse(text)}")
    except UsageError as error:
        raise UsageError("bad-base", error.message, where=where(source, _KEYS), next=f"{transport}:NAME:TAG") from error


def _only_here(facts: Facts, choice: BaseChoice) -> Finding:
    return Finding(
        name="base-only-here",
        message=f"the base {choice.name} is on this machine alone, so nobody else can build this image again",
        severity="note",
        subject=facts.subject,
        next="name a base by its registry, or put it into the repository",
    )


def _certificates(facts: Facts) -> tuple[str, ...]:
    return tuple(
        paths.inside(facts.settings, ("image", "certificates", number), path)
        for number, path in enumerate(facts.settings.image.certificates or ())
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
