"""Every kind of Dockerfile, a row each. Touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.generate import names
from wherry.generate.dockerfile import compiling, final, gates, machine, working
from wherry.generate.dockerfile.draft import NONROOT, SCRATCH, Variant

_USUAL: Final = (compiling.build, final.files, machine.stage, final.image)
_DISTROLESS: Final = (0, NONROOT)

VARIANTS: Final[tuple[Variant, ...]] = (
    Variant(
        name="distroless",
        help="authorities, time zones and a user, no shell",
        stages=_USUAL,
        lacks=("accounts",),
        named=_DISTROLESS,
    ),
    Variant(
        name="scratch",
        help="nothing but what the program needs",
        stages=_USUAL,
        static=SCRATCH,
        dynamic="",
        lacks=("authorities", "zones", "accounts", "temporary"),
    ),
    Variant(
        name="alpine",
        help="a shell and a package manager, musl",
        stages=_USUAL,
        static="alpine",
        dynamic="alpine",
        lacks=("zones", "accounts"),
        named=(0,),
        musl=True,
        has_shell=True,
    ),
    Variant(
        name="debian",
        help="a shell and a package manager, glibc",
        stages=_USUAL,
        static="debian",
        dynamic="debian",
        lacks=("authorities", "accounts"),
        named=(0,),
        has_shell=True,
    ),
    Variant(
        name="hardened",
        help="distroless, position-independent code, an init if it is needed",
        stages=_USUAL,
        lacks=("accounts",),
        named=_DISTROLESS,
        hardened=True,
    ),
    Variant(
        name="single-stage",
        help="with the whole toolchain: to learn from and to compare with",
        stages=(machine.stage, working.single),
        static="builder",
        dynamic="builder",
        lacks=("accounts",),
        named=(0,),
        has_shell=True,
    ),
    Variant(
        name=names.DEV,
        help="sources, compiler and debugger: each start compiles",
        stages=(working.development,),
        static="builder",
        dynamic="builder",
        lacks=("accounts",),
        named=(0,),
        has_shell=True,
    ),
    Variant(
        name="full",
        help="distroless, behind go vet, tests and a search for known vulnerabilities",
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
        lacks=("accounts",),
        named=_DISTROLESS,
    ),
)
NAMES: Final = tuple(one.name for one in VARIANTS)
"""The first is the usual one."""


def variant(name: str) -> Variant:
    """The row of that name, or the usual one for no name."""
    return next(one for one in VARIANTS if one.name == (name or NAMES[0]))
