"""The hooks of a network that leads out, without a runtime: what they do with what it tells them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from wherry.runtime import outward


@pytest.mark.parametrize(("kind", "code"), [("createRuntime", 1), ("poststop", 0)])
@pytest.mark.parametrize("lingers", [False, True])
def test_a_hook_hears_all_before_it_goes(kind: str, code: int, lingers: bool, tmp_path: Path) -> None:
    """More than a pipe takes: whoever tells it would get SIGPIPE. There is no tail, no program, and nothing to be ended."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sed", "sleep"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (hook,) = outward.hooks("/no/such/program", str(tmp_path), lingers=lingers)[kind]
    words = [hook["path"], *hook["args"][1:]]
    with subprocess.Popen(words, env={"PATH": str(tools)}, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        process.stdin.write(b'{"pid": 1, "more": "' + b"x" * 200_000 + b'"}')
        process.stdin.close()
        assert process.wait(60) == code
