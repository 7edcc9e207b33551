"""The user's Go settings. Environment and GOROOT in, effective pairs out; reads Go's two settings files.

Order as `go env`: a variable that is set and not empty, else the GOENV file, else GOROOT/go.env, else Go's default.
"""

from __future__ import annotations

import re
from pathlib import Path

from wherry.kit.gonames import SETTINGS
from wherry.kit.ports import Environment

Pairs = tuple[tuple[str, str], ...]
LINE = re.compile(r"([A-Z0-9_a-z]+)=(.*)")
LARGEST = 1 << 20


def effective(environment: Environment, root: str) -> tuple[Pairs, str]:
    """All settings that are not empty, sorted, always with GOCACHE, GOPATH and GOMODCACHE; and the path of the GOENV
    file if it exists."""
    file = settings_file(environment)
    known = {**_read(f"{root}/go.env"), **_read(file), **dict(environment.go)}
    known.setdefault("GOPATH", f"{environment.home.rstrip('/')}/go")
    known.setdefault("GOMODCACHE", f"{known['GOPATH'].split(':')[0]}/pkg/mod")
    known.setdefault("GOCACHE", f"{environment.cache_home}/go-build")
    for name in ("GOENV", "GOROOT"):
        known.pop(name, None)
    return tuple(sorted(known.items())), file if file and Path(file).is_file() else ""


def settings_file(environment: Environment) -> str:
    """Path of the GOENV file, existing or not; empty when GOENV=off."""
    path = dict(environment.go).get("GOENV", "") or f"{environment.config_home}/go/env"
    return "" if path == "off" else path


def _read(path: str) -> dict[str, str]:
    """KEY=VALUE lines as `cmd/go` reads them: no quotes, no continuation; empty values and comments left out."""
    if not path:
        return {}
    try:
        with Path(path).open(encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read(LARGEST).splitlines()
    except OSError:
        return {}
    pairs = (match.groups() for match in map(LINE.fullmatch, lines) if match)
    return {name: value for name, value in pairs if name in SETTINGS and value}
