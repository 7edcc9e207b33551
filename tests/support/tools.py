"""Names of programs in, a test that goes on only where they are out; reads PATH and CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

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


def go_tool(module: str, package: str) -> str:
    """The path of a Go program of another project, built once by scripts/go-tool: `module@version` and its main."""
    script = Path(__file__).parents[2] / "scripts/go-tool"
    done = subprocess.run([str(script), module, package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def crane() -> str:
    """go-containerregistry's command."""
    module = "github.com/google/go-containerregistry"
    return go_tool(f"{module}@v0.22.1", f"{module}/cmd/crane")
