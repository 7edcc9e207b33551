"""Well-known applications as somebody would have cloned them. A module in, a git repository out; starts go and git."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

from tests.support.examples import commit

PODINFO = "github.com/stefanprodan/podinfo@v1.8.1-0.20250910200901-e86405a8674e"
HTTPBIN = "github.com/mccutchen/go-httpbin/v2@v2.26.0"
CADDY = "github.com/caddyserver/caddy/v2@v2.11.9"


def cloned(module: str, folder: Path, *, tag: str, files: dict[str, str] | None = None) -> Path:
    """The module's sources and `files` in `folder`, one commit with that tag."""
    words = ["go", "mod", "download", "-json", module]
    done = subprocess.run(words, cwd=folder.parent, capture_output=True, check=True, text=True)
    shutil.copytree(json.loads(done.stdout)["Dir"], folder)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    return commit(folder, tag=tag)
