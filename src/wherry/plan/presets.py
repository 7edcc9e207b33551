"""Bases with a short name. A name in, the reference it stands for out; touches nothing.

Tags that follow security updates within one major version, run without root where there is such a one, and are public. The
lock says which digest a tag meant; without one the registry is asked.
"""

from __future__ import annotations

from typing import Literal

from wherry.kit.value import Value


class Preset(Value, frozen=True, kw_only=True):
    """A short name for `image.base`."""

    name: Literal["distroless", "alpine", "debian"]
    static: str
    """The reference for programs that need no C library."""
    dynamic: str
    """The reference for those linked dynamically; the same where the base has a C library anyway."""
    libc: str
    """Which C library `dynamic` brings: glibc or musl."""


PRESETS = (
    Preset(
        name="distroless",
        static="gcr.io/distroless/static-debian13:nonroot",
        dynamic="gcr.io/distroless/base-debian13:nonroot",
        libc="glibc",
    ),
    Preset(name="alpine", static="docker.io/library/alpine:3", dynamic="docker.io/library/alpine:3", libc="musl"),
    Preset(
        name="debian",
        static="docker.io/library/debian:stable-slim",
        dynamic="docker.io/library/debian:stable-slim",
        libc="glibc",
    ),
)
NAMES = tuple(preset.name for preset in PRESETS)


def reference_of(name: str, *, dynamic: bool) -> str:
    """What `name` stands for; itself when it is no preset."""
    for preset in PRESETS:
        if preset.name == name:
            return preset.dynamic if dynamic else preset.static
    return name
