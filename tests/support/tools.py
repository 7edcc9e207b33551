"""Names of programs in, a test that goes on only where they are out; reads PATH and CI."""

from __future__ import annotations

import os
import shutil

import pytest


def need(*tools: str) -> None:
    """Skips the test that calls it when a program is missing, and fails it where CI=true: CI installs what it needs."""
    missing = tuple(tool for tool in tools if shutil.which(tool) is None)
    if not missing:
        return
    reason = f"not installed here: {', '.join(missing)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
