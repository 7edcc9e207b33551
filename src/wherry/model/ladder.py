"""One application in several images, measured side by side. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value


class Rung(Value, frozen=True, kw_only=True):
    """One of these images. None: this machine could not show it, `why` says the reason."""

    variant: str
    """`scratch`, `alpine` ..."""
    by: str
    """wherry, or docker: from the generated Dockerfile."""
    base: str = ""
    """What it stands on, by its reference."""
    unpacked: int | None = None
    """Bytes of all files, as on a disk."""
    packed: int | None = None
    """Bytes of all layers, as a registry sends them: in gzip."""
    layers: int | None = None
    packages: int | None = None
    """Of Debian's or Alpine's package managers."""
    shell: bool | None = None
    """Whether something in it runs commands."""
    user: str = ""
    build: float | None = None
    """Seconds, with what Go and the engine had in their caches."""
    start: float | None = None
    """Seconds until it listened, or was healthy, hardened by wherry."""
    why: str = ""


class Ladder(Value, frozen=True, kw_only=True):
    """All of them, largest first."""

    name: str
    version: str
    platform: str
    rungs: tuple[Rung, ...]
    docker: str = ""
    """Why no Dockerfile was built; empty when they were."""
