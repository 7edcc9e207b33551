"""Every kind of Dockerfile, a row each. Touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.generate import names
from wherry.generate.dockerfile import compiling, final, footings, gates, machine, working
from wherry.generate.dockerfile.draft import Variant
from wherry.model.application import Application

_USUAL: Final = (compiling.build, final.files, machine.stage, final.image)

VARIANTS: Final[tuple[Variant, ...]] = (
    Variant(name="base", help="image.base; distroless where that says nothing", stages=_USUAL),
    Variant(
        name="distroless",
        help="authorities, time zones and a user, no shell",
        stages=_USUAL,
        footing=footings.DISTROLESS,
    ),
    Variant(name="scratch", help="nothing but what the program needs", stages=_USUAL, footing=footings.EMPTY),
    Variant(name="alpine", help="a shell and a package manager, musl", stages=_USUAL, footing=footings.ALPINE),
    Variant(name="debian", help="a shell and a package manager, glibc", stages=_USUAL, footing=footings.DEBIAN),
    Variant(
        name="hardened",
        help="image.base, position-independent code, an init if it is needed",
        stages=_USUAL,
        hardened=True,
    ),
    Variant(
        name="single-stage",
        help="with the whole toolchain: to learn from and to compare with",
        stages=(machine.stage, working.single),
        footing=footings.BUILDER,
    ),
    Variant(
        name=names.DEV,
        help="sources, compiler and debugger: each start compiles",
        stages=(working.development,),
        footing=footings.BUILDER,
    ),
    Variant(
        name="full",
        help="image.base, behind go vet, tests and a search for known vulnerabilities",
        stages=(
            compiling.dependencies,
            gates.vet,
            gates.test,
            gates.vulnerabilities,
            compiling.build_from_dependencies,
            gates.checked,
            final.files,
            machine.stage,
            gates.image,
        ),
    ),
)
NAMES: Final = tuple(one.name for one in VARIANTS)
"""The first is the usual one."""


def variant(name: str) -> Variant:
    """The row of that name, or the usual one for no name."""
    return next(one for one in VARIANTS if one.name == (name or NAMES[0]))


def passes_over(name: str, application: Application) -> bool:
    """Whether that variant's base is fixed by its name, and somebody chose another in wherry.toml."""
    fixed = variant(name).footing
    chosen = footings.FOOTINGS[application.base_kind]
    return fixed not in (None, footings.BUILDER, chosen) and application.base != "static"
