"""Machine in, Toolchain out: which go, which version, with which settings of the user."""

from wherry.toolchain.find import find_toolchain, toolchain_findings

__all__ = ["find_toolchain", "toolchain_findings"]
