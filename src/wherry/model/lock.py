"""What a repository's images were made from the last time somebody said so: wherry.lock as values. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value

NAME = "wherry.lock"


class LockedPlatform(Value, frozen=True, kw_only=True):
    """One platform's image of a base."""

    platform: str
    """linux/arm/v7"""
    digest: str
    """Of its manifest."""


class LockedBase(Value, frozen=True, kw_only=True):
    """One base: what its reference meant."""

    reference: str
    """`gcr.io/distroless/static-debian13:nonroot`, or a place in the repository: `oci:bases/web:1`."""
    digest: str
    """Of the index, or of the manifest where there is none."""
    created: str = ""
    """When the base says it was made, in RFC 3339; empty when it says nothing."""
    platforms: tuple[LockedPlatform, ...] = ()
    files: bool = False
    """Generated files name it, and no image stands on it."""


class Lock(Value, frozen=True, kw_only=True):
    """All of wherry.lock."""

    bases: tuple[LockedBase, ...] = ()
    """By reference."""
    parts: tuple[tuple[str, str], ...] = ()
    """Name and version of what else decides an image's bytes: certifi, tzdata, go, deflate, zstandard."""

    def base(self, reference: str) -> LockedBase | None:
        """The base of that reference; None when it is not locked."""
        return next((one for one in self.bases if one.reference == reference), None)


class Moved(Value, frozen=True, kw_only=True):
    """One difference between wherry.lock and what a build would use. Empty versions: there is none."""

    what: str
    """`go`, `certifi`, or a base's reference."""
    locked: str = ""
    now: str = ""
    base: bool = False

    def __str__(self) -> str:
        if self.base:
            return f"{self.what}   not locked"
        return f"{self.what}   {self.locked or 'not'} locked, {self.now or 'none'} here"
