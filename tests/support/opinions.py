"""docs/oracles.md: what other tools said, and when. A section's title and lines in, the page with it replaced out."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

PAGE = Path(__file__).parents[2] / "docs/oracles.md"
HEAD = "# Second opinions\n\nWritten by `./test --oracles`; a section says when. An empty field: not asked.\n"
#: Name, and the command whose first line holds the version.
PROGRAMS = (
    ("skopeo", "skopeo --version"),
    ("umoci", "umoci --version"),
    ("runc", "runc --version"),
    ("podman", "podman --version"),
    ("Docker", "dockerd --version"),
    ("qemu", "qemu-aarch64-static --version"),
    ("Go", "go version"),
)


def record(title: str, *lines: str) -> None:
    """Replaces the section `title`, or appends it; it begins with today's date."""
    body = "\n".join((f"## {title}", "", f"On {dt.datetime.now(dt.UTC).date()}.", "", *lines, ""))
    with FileLock(PAGE.with_suffix(".lock")):
        text = PAGE.read_text() if PAGE.exists() else HEAD
        sections = {part.partition("\n")[0]: part for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]}
        sections[f"## {title}"] = body
        PAGE.write_text("\n".join((HEAD, *(part.rstrip() + "\n" for _, part in sorted(sections.items())))))
    PAGE.with_suffix(".lock").unlink(missing_ok=True)


def recorded_today(title: str) -> list[list[str]]:
    """The cells of the first table of the section `title`, its head first; nothing where it is of another day."""
    text = PAGE.read_text() if PAGE.exists() else ""
    section = next((part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(f"{title}\n")), "")
    if f"\nOn {dt.datetime.now(dt.UTC).date()}.\n" not in section:
        return []
    rows = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[0].splitlines()] if rows else []
    return [row for row in cells if set(row) != {"---"}]


def table(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[str]:
    """Markdown."""
    return ["| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows)]


def versions(*more: tuple[str, str]) -> list[str]:
    """A line with the version of each program that is here."""
    here = [(name, command.split()) for name, command in (*PROGRAMS, *more) if shutil.which(command.split()[0])]
    said = [(name, subprocess.run(words, capture_output=True, text=True, check=False).stdout) for name, words in here]
    found = [
        f"{name} {number[1]}"
        for name, text in said
        if (number := re.search(r"(?<![\w.])(?:go|v)?(\d+\.\d[\w.+~-]*)", text))
    ]
    return ["With " + ", ".join(found) + "."]
