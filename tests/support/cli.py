"""Runs the `wherry` command as a user would: a child process, a home of its own, Go's caches shared."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.programs import path_without

COMMAND = (sys.executable, "-P", "-m", "wherry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    code: int
    stdout: str
    stderr: str


def go_caches() -> dict[str, str]:
    """Where this machine's Go keeps modules and objects, so that tests do not compile the world again."""
    home = Path.home()
    return {
        "GOCACHE": os.environ.get("GOCACHE") or str(home / ".cache/go-build"),
        "GOMODCACHE": os.environ.get("GOMODCACHE") or str(Path(os.environ.get("GOPATH") or home / "go") / "pkg/mod"),
    }


def variables(home: Path, **changes: str) -> dict[str, str]:
    """The environment of a `wherry` whose caches and store lie below `home`. No engine answers: none is asked at Docker's
    socket, and podman is not on PATH."""
    kept = {name: value for name, value in os.environ.items() if name in PASSED or name.startswith(("PIP_", "SSL_"))}
    return {
        **kept,
        **go_caches(),
        "PATH": path_without("podman"),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "WHERRY_RUN_DIR": str(home / "run"),
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        "COLUMNS": "80",
        **changes,
    }


def wherry(*arguments: str | Path, home: Path, cwd: Path, **environment: str) -> Done:
    """`wherry ARGUMENTS` in `cwd`, over `variables(home)` with `environment` over them. It never fails by itself."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd, env=variables(home, **environment), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="surrogateescape", timeout=1800, check=False,
    )  # fmt: skip
    assert "[crash]" not in done.stderr, done.stderr
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


PASSED = {
    "TMPDIR", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOTOOLCHAIN",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO", "GIT_CONFIG_NOSYSTEM", "LANG", "LC_ALL",
}  # fmt: skip
