"""Flags of `go build` beside -ldflags: wherry's own, the settings', and what counts of the user's GOFLAGS. Touches nothing.

The repository's file may only say what cannot run a program or leave the tree: an allow-list, never a block-list (A07).
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final, NoReturn

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.plan import Decision
from wherry.plan import pgo, words
from wherry.plan.answer import Answer, Facts, Ledger, because, each, refuse, where
from wherry.plan.tiers import Keys

#: What a file of the repository may say (`go help build`, Go 1.26).
ALLOWED: Final = frozenset(
    ["race", "msan", "asan", "cover", "covermode", "coverpkg", "gcflags", "buildmode", "p", "trimpath"]
)
#: Of the compiler's flags, those that only change code (`go tool compile -help`): others write files or read odd ones.
COMPILER: Final = re.compile(
    r"-(?:N|l|B|C|E|m|S|d=[\w.,=/-]+|l=\d|m=\d|dwarf(?:=\w+)?|spectre=\w+|lang=go[\d.]+|smallframes|shared)"
)
#: Flags that wherry sets itself, and the key that steers each.
OWN: Final = {
    "ldflags": "build.ldflags",
    "tags": "build.tags",
    "pgo": "build.pgo",
    "o": "",
    "C": "",
    "n": "",
    "json": "",
    "buildvcs": "",
    "v": "",
    "x": "",
    "work": "",
}
#: Left-overs of other times, with why they are not needed.
OBSOLETE: Final = {
    "a": "it compiles everything anew and changes nothing",
    "i": "Go has no such flag since 1.20",
    "installsuffix": "not needed since Go 1.10",
}
#: What is taken over from GOFLAGS. Others would change the image by accident, or only make Go talk.
INHERITED: Final = ALLOWED | {"asmflags", "mod", "modcacherw", "tags"}
SANITIZERS: Final = ("-race", "-msan", "-asan")
_TAG: Final = re.compile(r"[\w.]+")


class Inherited(Value, frozen=True, kw_only=True):
    """The user's GOFLAGS, read once."""

    flags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class Flags(Value, frozen=True, kw_only=True):
    """All flags but -ldflags, in order; `tags` are joined later, when cgo may add some."""

    flags: tuple[str, ...]
    tags: tuple[str, ...] = ()

    @property
    def sanitizer(self) -> str:
        """The flag that needs cgo, or empty."""
        return next((flag for flag in self.flags if flag in SANITIZERS), "")

    @property
    def position_independent(self) -> bool:
        return "-buildmode=pie" in self.flags


def decide(facts: Facts) -> Answer[Flags]:
    """Flags and tags of one main. UsageError [flag-refused], [bad-setting]; the ignored ones of GOFLAGS become a finding."""
    inherited = _inherited(facts)
    ledger = Ledger()
    own: tuple[str, ...] = ledger.ask(lambda: _own(facts), ())
    tags: tuple[str, ...] = ledger.ask(lambda: _tags(facts, inherited), ())
    profile: tuple[str, ...] = ledger.ask(lambda: pgo.decide(facts), ())
    stamp = ledger.take(_stamp(facts))
    ledger.close()
    taken = {flag.partition("=")[0] for flag in own}
    passed = tuple(flag for flag in inherited.flags if flag.partition("=")[0] not in taken)
    flags = ("-trimpath", f"-buildvcs={stamp}", *passed, *own, *profile)
    decisions = tuple(ledger.decisions)
    if inherited.flags:
        value = " ".join(inherited.flags)
        decisions = (*decisions, Decision(name="goflags", value=value, reason="your GOFLAGS", origin="environment"))
    return Answer(value=Flags(flags=flags, tags=tags), decisions=decisions)


def _inherited(facts: Facts) -> Inherited:
    """What counts of the user's GOFLAGS; -mod is about their own modules, not about one fetched by version."""
    inherited = read_goflags(dict(facts.inputs.toolchain.environment).get("GOFLAGS", ""))
    if not facts.inputs.project.remote:
        return inherited
    return Inherited(flags=tuple(flag for flag in inherited.flags if not flag.startswith("-mod=")), tags=inherited.tags)


def read_goflags(text: str) -> Inherited:
    """GOFLAGS as Go reads it: words like -mod=vendor. What cannot be taken over is kept for the warning."""
    try:
        parts = words.split(text)
    except ValueError:
        return Inherited(ignored=(text,))
    flags, tags, ignored = [], [], []
    for word in parts:
        name, _, value = word.lstrip("-").partition("=")
        if name == "tags":
            tags += [tag for tag in value.split(",") if tag]
        elif name in INHERITED and word.startswith("-"):
            flags += [f"-{word.lstrip('-')}"] if name != "trimpath" else []
        else:
            ignored.append(word)
    return Inherited(flags=tuple(flags), tags=tuple(tags), ignored=tuple(ignored))


def ignored_settings(goflags: str, others: tuple[str, ...]) -> tuple[Finding, ...]:
    """One warning for all of the user's Go settings that do not count here."""
    ignored = (*(f"GOFLAGS {flag}" for flag in read_goflags(goflags).ignored), *others)
    if not ignored:
        return ()
    return (
        Finding(
            name="go-settings",
            message=f"these Go settings of yours do not count here: {', '.join(ignored)}",
            severity="note",
            next="wherry explain go-settings",
        ),
    )


def _own(facts: Facts) -> Answer[tuple[str, ...]]:
    given = facts.settings.build.flags or ()
    each(partial(_check, facts), given)
    if not given:
        return Answer(value=())
    source = facts.settings.source("build", "flags")
    reason, origin = because(source, "")
    decision = Decision(name="flags", value=" ".join(given), reason=reason, origin=origin, place=source.place)
    return Answer(value=tuple(flag for flag in given if flag != "-trimpath"), decisions=(decision,))


def _check(facts: Facts, number: int, flag: str) -> None:
    keys: Keys = ("build", "flags", number)
    source = facts.settings.source(*keys)
    name, _, value = flag.removeprefix("-").partition("=")
    place = where(source, keys)
    if not re.fullmatch(r"-[a-z][a-z0-9-]*(=.*)?", flag, re.ASCII | re.IGNORECASE | re.DOTALL) or "\0" in flag:
        raise UsageError(
            "bad-setting",
            f"{flag[:60]!r} is no flag of go build",
            where=place,
            next="write one flag an item, like -gcflags=-N",
        )
    if name in OWN:
        key = OWN[name]
        _no(flag, place, "wherry sets it itself", f"use {key}" if key else "leave it out")
    if name in OBSOLETE:
        _no(flag, place, OBSOLETE[name], "leave it out")
    if not source.trusted and not (name in ALLOWED and (name != "gcflags" or _only_code(value))):
        _no(
            flag,
            place,
            "it could run programs or reach outside the repository",
            f"give it yourself: WHERRY_BUILD_FLAGS='{flag}'",
        )


def _only_code(value: str) -> bool:
    """True when all compiler flags in `[pattern=]flags` only change code."""
    pattern, equals, rest = value.partition("=")
    text = value if value.startswith("-") or not equals else rest
    return all(COMPILER.fullmatch(word) for word in text.split()) and not pattern.startswith("@")


def _no(flag: str, place: str, why: str, step: str) -> NoReturn:
    raise UsageError(
        "flag-refused", f"go build's {flag.partition('=')[0]} cannot be set here", where=place, why=why, next=step
    )


def _tags(facts: Facts, inherited: Inherited) -> Answer[tuple[str, ...]]:
    given = each(partial(_tag, facts), facts.settings.build.tags or ())
    tags = tuple(dict.fromkeys((*inherited.tags, *given)))
    if not tags:
        return Answer(value=())
    source = facts.settings.source("build", "tags")
    if source.origin == "default":
        decision = Decision(name="tags", value=",".join(tags), reason="your GOFLAGS", origin="environment")
    else:
        decision = Decision(
            name="tags", value=",".join(tags), reason="as you set it", origin=source.origin, place=source.place
        )
    return Answer(value=tags, decisions=(decision,))


def _tag(facts: Facts, number: int, tag: str) -> str:
    if not _TAG.fullmatch(tag):
        step = "one word an item: letters, digits, _ and ."
        refuse(facts.settings, ("build", "tags", number), f"{tag[:60]!r} is no build tag", next=step)
    return tag


def _stamp(facts: Facts) -> Answer[str]:
    """-buildvcs is always said: with it the binary names its commit; Go's own `auto` leaves it out in silence (A01)."""
    reason, vcs = _unstamped(facts), facts.inputs.project.vcs
    if reason or vcs is None:
        decision = Decision(name="stamp", value="no commit in the binary", reason=reason)
        return Answer(value="false", decisions=(decision,))
    decision = Decision(name="stamp", value=vcs.revision[:12], reason="go version -m shows the commit")
    return Answer(value="true", decisions=(decision,))


def _unstamped(facts: Facts) -> str:
    inputs = facts.inputs
    if inputs.request.untrusted:
        return "--untrusted: nothing of the repository is run"
    if inputs.project.remote:
        return "the module's version is in it instead"
    if inputs.project.vcs is None:
        return "there is no git repository here"
    return "" if dict(inputs.programs).get("git") else "git is not installed here"
