"""What compiling gives. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.oci.platform import Platform


class Binary(Value, frozen=True, kw_only=True):
    """One executable on disk, complete and not to be changed any more."""

    import_path: str
    name: str
    platform: Platform
    file: str
    size: int
    sha256: str = ""
    """Hexadecimal; empty until somebody needed it."""
    linked: bool = True
    """False when the kept binary was still right and linking was skipped."""


class Compiled(Value, frozen=True, kw_only=True):
    """The result of all compilations of a plan."""

    binaries: tuple[Binary, ...]
    compiled_packages: int = 0
    reused_packages: int = 0
    seconds: float = 0.0
