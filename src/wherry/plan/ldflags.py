"""Linker flags of one main: what is stripped, the version where a variable for it exists, and the user's own. Touches nothing.

The repository's file may only say what cannot run a program or write elsewhere: an allow-list, never a block-list (A07).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from wherry.errors import UsageError
from wherry.model.plan import Decision
from wherry.oci.platform import Platform
from wherry.plan import template, words
from wherry.plan.answer import Answer, Facts, because, each, where
from wherry.plan.tiers import Keys, Source

STRIP: Final = {"debug": ("-w",), "all": ("-s", "-w"), "none": ()}
#: What a file of the repository may say: flag → whether a value follows (`cmd/link`, Go 1.26).
ALLOWED: Final = {
    "X": True,
    "s": False,
    "w": False,
    "compressdwarf": False,
    "buildid": True,
    "linkmode": True,
    "checklinkname": False,
}
#: `-extldflags` is a C compiler's command line; these two words of it are harmless and common.
EXTERNAL: Final = frozenset(("-static", "-static-pie"))
#: Of the linker's flags, those a user's own setting may have a value after a blank.
WITH_VALUE: Final = frozenset(
    (
        *(
            "B",
            "E",
            "H",
            "I",
            "L",
            "R",
            "T",
            "X",
            "bindnow",
            "buildid",
            "buildmode",
            "capturehostobjs",
            "extar",
            "extld",
        ),
        *(
            "extldflags",
            "fipso",
            "importcfg",
            "installsuffix",
            "k",
            "libgcc",
            "linkmode",
            "o",
            "pluginpath",
            "r",
            "tmpdir",
        ),
    )
)


def decide(facts: Facts, platform: Platform, *, static: bool) -> Answer[str]:
    """The value of -ldflags for this main; `static` adds a static link of cgo code. UsageError [flag-refused], [bad-setting]."""
    strip, strip_decision = _strip(facts)
    version, version_decisions = _version(facts)
    own, own_decisions = _own(facts, platform)
    external: tuple[str, ...] = ("-linkmode=external", "-extldflags=-static") if static else ()
    taken = {word.partition("=")[0] for word in own}
    version = tuple(flag for flag in version if flag.removeprefix("-X=").partition("=")[0] not in _set_by(own))
    external = tuple(flag for flag in external if flag.partition("=")[0] not in taken)
    text = words.join((*strip, *version, *external, *own))
    return Answer(value=text, decisions=(strip_decision, *version_decisions, *own_decisions))


def _strip(facts: Facts) -> tuple[tuple[str, ...], Decision]:
    chosen = facts.settings.build.strip or "debug"
    source = facts.settings.source("build", "strip")
    texts = {
        "debug": ("debug data left out", "-w; symbols stay for scanners"),
        "all": ("symbols and debug data left out", "-s -w"),
        "none": ("nothing left out", "debuggers find everything"),
    }
    value, reason = texts[chosen]
    return STRIP[chosen], Decision(name="strip", value=value, reason=reason, origin=source.origin, place=source.place)


def _version(facts: Facts) -> tuple[tuple[str, ...], tuple[Decision, ...]]:
    """-X on a variable that does not exist is silently ignored by Go; so only where one was found."""
    found = tuple(one for one in facts.main.inferred if one.kind == "version-variable")
    if not found or not facts.version:
        return (), ()
    decisions = tuple(
        Decision(
            name="version-variable",
            value=one.value,
            reason=f"set to {facts.version}"[:60],
            origin=origin,
            place=one.place,
        )
        for one in found
        for origin in (("found" if one.certainty == "found" else "guess"),)
    )
    return tuple(f"-X={one.value}={facts.version}" for one in found), decisions


def _own(facts: Facts, platform: Platform) -> tuple[tuple[str, ...], tuple[Decision, ...]]:
    given = facts.settings.build.ldflags or ()
    source = facts.settings.source("build", "ldflags")
    slots = template.slots(facts, platform=platform)
    flags = tuple(flag for item in each(partial(_filled, facts, slots), given) for flag in item)
    if not flags:
        return (), ()
    reason, kind = because(source, "")
    decision = Decision(name="ldflags", value=" ".join(flags), reason=reason, origin=kind, place=source.place)
    return flags, (decision,)


def _filled(facts: Facts, slots: template.Slots, number: int, text: str) -> tuple[str, ...]:
    keys: Keys = ("build", "ldflags", number)
    origin = template.Origin(keys=keys, source=facts.settings.source(*keys))
    return tuple(template.expand(word, slots, origin) for word in parse(text, origin.source, keys))


def parse(text: str, source: Source, keys: Keys) -> tuple[str, ...]:
    """The flags in `text`, each as `-flag` or `-flag=value`; those of an untrusted `source` checked against the allow-list."""
    try:
        parts = list(words.split(text))
    except ValueError as error:
        raise UsageError("bad-setting", f"linker flags: {error}", where=where(source, keys)) from error
    flags = []
    while parts:
        word = parts.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name:
            raise UsageError(
                "bad-setting",
                f"{word[:60]!r} is no linker flag",
                where=where(source, keys),
                next="write flags like -X main.version=1.2",
            )
        if not equals and name in WITH_VALUE:
            if not parts:
                raise UsageError("bad-setting", f"the linker flag -{name} needs a value", where=where(source, keys))
            value, equals = parts.pop(0), "="
        if not source.trusted and not _harmless(name, value):
            raise _refused(f"-{name}", source, keys)
        flags.append(f"-{name}{equals}{value}")
    return tuple(flags)


def _harmless(name: str, value: str) -> bool:
    if name == "extldflags":
        return set(value.split()) <= EXTERNAL
    return name in ALLOWED


def _refused(flag: str, source: Source, keys: Keys) -> UsageError:
    return UsageError(
        "flag-refused",
        f"a file of the repository may not set the linker flag {flag}",
        where=where(source, keys),
        why="it could run programs or write files outside the image",
        next="give it yourself: WHERRY_BUILD_LDFLAGS='...'",
    )


def _set_by(flags: tuple[str, ...]) -> set[str]:
    """The variables that -X flags among `flags` set."""
    return {flag.removeprefix("-X=").partition("=")[0] for flag in flags if flag.startswith("-X=")}
