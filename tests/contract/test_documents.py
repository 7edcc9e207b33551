"""The Python of docs/images.md does what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.cli import variables
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.store import place as places
from wherry.store.places import at

PAGE = Path(__file__).parents[2] / "docs/images.md"


def test_the_example_runs(docker_registry: str, tmp_path: Path) -> None:
    built = random_image(tmp_path / "layers", seed=51, shape=Shape(platforms=("linux/amd64", "linux/arm64")))
    at(places.parse(f"oci:{tmp_path}/images:1.2"), ports(tmp_path)).publish(built)
    root = f"{docker_registry}/{tmp_path.name.lower()}"
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code.replace("localhost:5000", root)],
        cwd=tmp_path, env=os.environ | variables(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    name, tags, digest = done.stdout.splitlines()
    assert name == f"{root}/team/app:1.2@{built.digest}"
    assert tags == "('1.2',)"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    assert digest != built.digest
