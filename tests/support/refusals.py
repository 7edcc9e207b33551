"""Errors as people see them. A run in, its errors taken apart out; looks into caches for what was left behind."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.support.cli import Done, wherry

MOST_LINES = 6
_HEAD = re.compile(r"error \[([a-z0-9-]+)\]:(?: |$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One `error [name]` block, its rows by label, and the foreign words before it."""

    name: str
    lines: tuple[str, ...]
    before: str

    def rows(self, label: str) -> list[str]:
        """The texts behind `label`, wrapped lines joined."""
        found: list[str] = []
        current = ""
        for line in self.lines:
            match = re.fullmatch(r"  (where|why|next|or|more) +(.*)", line)
            if match:
                current = match[1]
                found += [match[2]] if current == label else []
            elif current == label and line.startswith("    "):
                found[-1] += " " + line.strip()
        return found

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.lines).split())


def refusals(stderr: str) -> tuple[Refusal, ...]:
    """Every error of a run, in order."""
    lines = stderr.splitlines()
    starts = [number for number, line in enumerate(lines) if _HEAD.match(line)]
    ends = [*starts[1:], len(lines)] if starts else []
    found = []
    for start, end in zip(starts, ends, strict=True):
        block = [lines[start]]
        for line in lines[start + 1 : end]:
            if not line.startswith("  "):
                break
            block.append(line)
        match = _HEAD.match(lines[start])
        assert match
        found.append(Refusal(name=match[1], lines=tuple(block), before="\n".join(lines[: starts[0]])))
    return tuple(found)


def only(done: Done, name: str, code: int) -> Refusal:
    """The run's one error, which is `name` and ends with `code`: no result, no traceback, at most six lines, with a way on."""
    found = refusals(done.stderr)
    assert [one.name for one in found] == [name], done.stderr
    assert (done.code, done.stdout) == (code, ""), done.stderr
    assert "Traceback" not in done.stderr
    (refusal,) = found
    assert len(refusal.lines) <= MOST_LINES, done.stderr
    assert refusal.rows("next"), done.stderr
    page = f"wherry explain {name}"
    assert refusal.rows("more") == [page] or refusal.rows("next") == [page]
    return refusal


def leftovers(home: Path) -> list[str]:
    """What a finished run may not leave in wherry's folders: scratch, temporary files, half-written records."""
    scratch = (home / "cache/wherry/1/scratch").glob("*")
    temporary = (path for name in ("cache/wherry", "data/wherry") for path in (home / name).rglob("*.tmp*"))
    return sorted(str(path) for path in (*scratch, *temporary))


def ways_on(refusal: Refusal) -> list[list[str]]:
    """The `next` and `or` rows that are commands of wherry without a place to fill in, as words."""
    rows = (*refusal.rows("next"), *refusal.rows("or"))
    return [shlex.split(row)[1:] for row in rows if row.startswith("wherry ") and "example" not in row]


def builds_well(root: Path, home: Path) -> str:
    """The digest of a good build of `root` with the caches of `home`."""
    done = wherry("build", "-q", home=home, cwd=root)
    assert done.code == 0, done.stderr
    return done.stdout.rstrip().rpartition("@")[2]
