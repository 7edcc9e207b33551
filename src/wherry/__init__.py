"""Takes any Go repository to a small, safe, reproducible container image. `wherry.api` says what this package offers."""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False  # typing itself would cost `wherry --version` 4 ms
if TYPE_CHECKING:
    from typing import Any

    from wherry.api import (
        BuildReport,
        BuildRequest,
        Changed,
        Copied,
        Generated,
        Plan,
        Proof,
        Stored,
        annotate,
        build,
        copy,
        generate,
        inspect,
        plan,
        prove,
        pull,
        push,
        rebase,
        tags,
    )

__version__ = "0.1.0.dev0"
__all__ = [
    "BuildReport",
    "BuildRequest",
    "Changed",
    "Copied",
    "Generated",
    "Plan",
    "Proof",
    "Stored",
    "__version__",
    "annotate",
    "build",
    "copy",
    "generate",
    "inspect",
    "plan",
    "prove",
    "pull",
    "push",
    "rebase",
    "tags",
]


def __dir__() -> list[str]:
    """What is worth a look, imported already or not."""
    return sorted({*__all__, "api", "errors"})


def __getattr__(name: str) -> Any:
    """The functions of `wherry.api`, imported when first used: `wherry --version` must not pay for them."""
    if name not in __all__:
        raise AttributeError(f"module 'wherry' has no attribute {name!r}")
    from wherry import api

    return getattr(api, name)


class _Face(ModuleType):
    """This package: `wherry.plan` and `wherry.generate` are the functions also once the rooms of these names are imported, which
    Python would put there; the rooms stay in `sys.modules`, where `from wherry.plan import ...` finds them."""

    @property
    def plan(self) -> Any:
        return __getattr__("plan")

    @plan.setter
    def plan(self, room: ModuleType) -> None:
        pass

    @property
    def generate(self) -> Any:
        return __getattr__("generate")

    @generate.setter
    def generate(self, room: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Face
