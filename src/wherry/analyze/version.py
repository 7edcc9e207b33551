"""Versions from tags. Tags and a commit in, one version out; touches nothing.

As Go does since 1.24 for the version in a binary (go.dev/ref/mod#pseudo-versions), with one freedom: a program is no
library, so a tag counts without `v`, and in any major version, when no tag keeps Go's rules for the module.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from wherry.kit.value import Value

_SEMVER = re.compile(
    r"(v?)(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:-([0-9A-Za-z.-]{1,100}))?(?:\+[0-9A-Za-z.-]{1,100})?",
    re.ASCII,
)
_MAJOR = re.compile(r"/v([2-9]|[1-9]\d+)$", re.ASCII)


class Tagged(Value, frozen=True, kw_only=True):
    """A tag and the commit it leads to."""

    name: str
    revision: str


class Head(Value, frozen=True, kw_only=True):
    """The commit that is checked out, and how many entries differ from it."""

    revision: str
    branch: str = ""
    changed: int = 0


class Semver(Value, frozen=True, kw_only=True):
    """A version as its parts."""

    prefixed: bool
    major: int
    minor: int
    patch: int
    prerelease: str = ""

    @property
    def order(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        """Sorts as semver.org 11 says."""
        parts = self.prerelease.split(".") if self.prerelease else []
        ranks = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
        return (self.major, self.minor, self.patch, not self.prerelease, ranks)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.prerelease}" if self.prerelease else "")


def parse(text: str) -> Semver | None:
    """`v1.2.3-rc.1+x`, `1.2.3` or `v1.2`; None for anything else."""
    match = _SEMVER.fullmatch(text)
    if match is None:
        return None
    prefix, major, minor, patch, prerelease = match.groups()
    return Semver(
        prefixed=bool(prefix), major=int(major), minor=int(minor), patch=int(patch or 0), prerelease=prerelease or ""
    )


def best_tag(tags: tuple[Tagged, ...], revision: str, *, prefix: str = "", module: str = "") -> Tagged | None:
    """The version tag to count from: one on the commit itself, else the highest that leads to it.

    A nested module has tags of its own (`prefix` is `dir/`); without any, the repository's count. Tags that keep Go's
    rules for `module` go before those that do not.
    """
    for wanted in dict.fromkeys((prefix, "")):
        own = [
            (tag, known)
            for tag in tags
            if tag.name.startswith(wanted) and (known := parse(tag.name[len(wanted) :])) is not None
        ]
        fitting = [one for one in own if _fits(one[1], module)] or own
        exact = [one for one in fitting if one[0].revision == revision] or [
            one for one in own if one[0].revision == revision
        ]
        if exact or fitting:
            return max(exact or fitting, key=lambda one: (one[1].order, one[0].name))[0]
    return None


def version_of(tag: Tagged | None, head: Head, time: int) -> str:
    """1.2.3 on its tag; after it a pseudo-version 1.2.4-0.20260102030405-abcdef123456; without one 0.0.0-...; `+dirty`
    when changed.
    """
    known = parse(tag.name.rpartition("/")[2]) if tag is not None else None
    stamp = f"{datetime.fromtimestamp(time, UTC):%Y%m%d%H%M%S}-{head.revision[:12]}"
    if tag is not None and known is not None and tag.revision == head.revision:
        version = str(known)
    elif known is None:
        version = f"0.0.0-{stamp}"
    elif known.prerelease:
        version = f"{known}.0.{stamp}"
    else:
        version = f"{known.major}.{known.minor}.{known.patch + 1}-0.{stamp}"
    return f"{version}+dirty" if head.changed else version


def _fits(version: Semver, module: str) -> bool:
    """Go's rule: `v` in front, and the major version that the module path asks for."""
    match = _MAJOR.search(module)
    wanted = (int(match[1]),) if match else (0, 1)
    return version.prefixed and version.major in wanted
