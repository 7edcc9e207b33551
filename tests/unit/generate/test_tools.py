"""Pinned checkers: each version of Go gets one that it can compile."""

import pytest

from wherry.generate.tools import ERRCHECK, GOVULNCHECK, STATICCHECK, Tool, pinned


@pytest.mark.parametrize("tool", [GOVULNCHECK, STATICCHECK, ERRCHECK], ids=lambda one: one.package)
@pytest.mark.parametrize(("go", "at"), [("1.27.1", 0), ("1.26.8", 0), ("1.27rc1", 0), ("1.25.11", 1), ("1.24", 2)])
def test_newest_that_this_go_compiles(tool: Tool, go: str, at: int) -> None:
    assert pinned(tool, go) == f"{tool.package}@{tool.releases[at].version}"
