"""What a final stage can stand on, a row each. Touches nothing."""

from __future__ import annotations

from typing import Final, Literal

from wherry.kit.value import Value
from wherry.model.application import BaseKind

Lack = Literal["authorities", "zones", "accounts", "temporary"]
"""What a program may need and a base has not."""
SCRATCH: Final = "scratch"
OWN_BASE: Final = "base"
"""The role of image.base among an application's pins."""
NONROOT: Final = 65532
"""The user and the group that distroless calls nonroot."""


class Footing(Value, frozen=True, kw_only=True):
    """One kind of base."""

    static: str = "static"
    """The role of the image, or scratch."""
    dynamic: str = "dynamic"
    """The same for programs that need a C library; empty: they cannot be."""
    lacks: tuple[Lack, ...] = ()
    named: tuple[int, ...] = ()
    """Users, by number, whom the base has a line for; so it has for groups of the same numbers."""
    musl: bool = False
    """The C library of `dynamic` is musl."""
    has_shell: bool = False
    """It has one, or may have."""
    known: bool = True
    """False: it may say of itself how a program is stopped or asked, and that is not this program's."""


DISTROLESS: Final = Footing(lacks=("accounts",), named=(0, NONROOT))
EMPTY: Final = Footing(static=SCRATCH, dynamic="", lacks=("authorities", "zones", "accounts", "temporary"))
ALPINE: Final = Footing(
    static="alpine", dynamic="alpine", lacks=("zones", "accounts"), named=(0,), musl=True, has_shell=True
)
DEBIAN: Final = Footing(
    static="debian", dynamic="debian", lacks=("authorities", "accounts"), named=(0,), has_shell=True
)
BUILDER: Final = Footing(static="builder", dynamic="builder", lacks=("accounts",), named=(0,), has_shell=True)
"""The toolchain itself."""
OWN: Final = Footing(static=OWN_BASE, dynamic=OWN_BASE, has_shell=True, known=False)
"""Somebody's own: whole as it is, as for `wherry build`."""

FOOTINGS: Final[dict[BaseKind, Footing]] = {
    "static": DISTROLESS,
    "scratch": EMPTY,
    "distroless": DISTROLESS,
    "alpine": ALPINE,
    "debian": DEBIAN,
    "own": OWN,
}
"""By what image.base is: what wherry makes itself (`static`) is not in a registry, and distroless is the like of it."""
