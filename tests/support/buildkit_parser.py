"""BuildKit's own parser and checks of Dockerfiles, and Docker's own matcher of ignored files, to be asked. Texts in, answers
out; the program is built once and kept with the tests' other tools.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.support.tools import need

SOURCES = Path(__file__).parents[1] / "data/buildkit"


def parsed(*texts: str) -> list[dict[str, Any]]:
    """Each Dockerfile's instructions as Docker understands them, variables expanded as if none had a value."""
    return _asked([{"dockerfile": text} for text in texts])


def checked(text: str) -> list[str]:
    """What `docker build --check` of BuildKit 0.32 says of a Dockerfile, an error of it included."""
    (answer,) = _asked([{"checked": text}])
    return [*(answer["warnings"] or ()), *filter(None, [answer["error"]])]


def hidden(ignore: str, *paths: str) -> list[str]:
    """The paths that a .dockerignore of this text leaves out. ValueError for a pattern that Docker refuses."""
    (answer,) = _asked([{"ignore": ignore, "paths": paths}])
    if answer["error"]:
        raise ValueError(answer["error"])
    found: list[str] = answer["hidden"]
    return found


def _asked(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = "".join(f"{json.dumps(one)}\n" for one in questions)
    done = subprocess.run([_program()], input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@functools.cache
def _program() -> str:
    need("go")
    files = sorted(SOURCES.iterdir())
    key = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]
    program = Path(os.environ["GO_TOOL_CACHE"], "bin", f"buildkit-parser-{key}")
    program.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(program.with_suffix(".lock")):
        if not program.is_file():
            made = subprocess.run(
                ["go", "build", "-trimpath", "-o", str(program), "."],
                cwd=SOURCES,
                env={**os.environ, "GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert made.returncode == 0, made.stderr
    return str(program)
