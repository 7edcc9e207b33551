"""Compose files and HCL as their own parsers read them. Texts in, plain values out; runs compose-go and hcldec, built once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import go_tool, need

_COMPOSE = "github.com/compose-spec/compose-go/v2"
_HCL = "github.com/hashicorp/hcl/v2"
BAKE = """
object {
  block_map "target" {
    labels = ["name"]
    object {
      attr "context"    { type = string }
      attr "dockerfile" { type = string }
      attr "args"       { type = map(string) }
      attr "tags"       { type = list(string) }
      attr "secret"     { type = list(string) }
      attr "inherits"   { type = list(string) }
      attr "platforms"  { type = list(string) }
      attr "cache-from" { type = list(string) }
      attr "cache-to"   { type = list(string) }
      attr "attest"     { type = list(string) }
      attr "output"     { type = list(string) }
    }
  }
  block_map "group" {
    labels = ["name"]
    object {
      attr "targets" { type = list(string) }
    }
  }
  block_map "variable" {
    labels = ["name"]
    object {
      attr "default" { type = string }
    }
  }
}
"""
"""What of a bake file is read, in hcldec's words."""


def compose(text: str, folder: Path) -> dict[str, Any]:
    """The project: checked against the specification's schema, `$` filled in, paths as they are written."""
    need("go")
    file = folder / "compose.yaml"
    file.write_bytes(text.encode())
    switches = ["-no-path-resolution", "-no-normalization", "-format", "json"]
    return _json([go_tool(f"{_COMPOSE}@v2.16.2", f"{_COMPOSE}/cmd"), *switches, file.name], folder)


def bake(text: str, folder: Path, version: str = "dev") -> dict[str, Any]:
    """Targets, groups and variables."""
    need("go")
    (folder / "bake.hcl").write_bytes(text.encode())
    (folder / "bake.hcldec").write_text(BAKE)
    words = ["--spec=bake.hcldec", "--vars", json.dumps({"VERSION": version, "REVISION": "unknown"}), "bake.hcl"]
    return _json([go_tool(f"{_HCL}@v2.24.0", f"{_HCL}/cmd/hcldec"), *words], folder)


def formatted(text: str) -> str:
    """HCL as its own formatter writes it."""
    need("go")
    command = [go_tool(f"{_HCL}@v2.24.0", f"{_HCL}/cmd/hclfmt")]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _json(command: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(done.stderr.decode(errors="replace"), pytrace=False)
    made = json.loads(done.stdout)
    assert isinstance(made, dict)
    return made
