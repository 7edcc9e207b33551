"""Numbers of system calls. An architecture in, names by number out; reads syscalls.txt beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

COLUMNS: Final = {"amd64": 1, "arm64": 2}
"""Architectures (in Go's words) whose numbers are known."""


@cache
def names(architecture: str) -> MappingProxyType[int, str]:
    """Names by number for one of COLUMNS; KeyError for another."""
    column = COLUMNS[architecture]
    lines = Path(__file__).with_suffix(".txt").read_text().splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return MappingProxyType({int(row[column]): row[0] for row in rows if row[column] != "-"})
