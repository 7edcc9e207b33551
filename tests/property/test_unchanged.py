"""Whatever is done to a repository: when the no-op check says "unchanged", git and the bytes of all inputs say so too."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.tools import need
from tests.support.unchanged import Example, tick

FILES = (
    *("repo/main.go", "repo/internal/deep/deep.go", "repo/static/a.txt", "repo/static/empty/x", "repo/README.md"),
    *("repo/assets/logo.svg", "repo/docs/new.md", "repo/odd/new.md", "repo/ignored/a.txt", "repo/a.log", "lib/lib.go"),
    *(
        "repo/go.work",
        "go.work",
        "repo/.gitignore",
        "home/.config/git/ignore",
        "home/.config/go/env",
        "repo/internal/go.mod",
    ),
)
TEXTS = ("package main\n", "package mein\n", "*.md\n", "")
#: Whose bytes, names and modes decide what is built.
BUILT = (
    "repo/main.go",
    "repo/internal",
    "repo/static",
    "repo/assets",
    "lib",
    "repo/go.work",
    "go.work",
    "home/.config/go",
)


def write(example: Example, dice: random.Random) -> None:
    example.write(dice.choice(FILES), dice.choice(TEXTS))


def remove(example: Example, dice: random.Random) -> None:
    (example.folder / dice.choice(FILES)).unlink(missing_ok=True)


def touch(example: Example, dice: random.Random) -> None:
    path = example.folder / dice.choice(FILES)
    if path.exists():
        path.touch()
        os.utime(path, (dice.randrange(10**9), dice.randrange(10**9)))


def back(example: Example, dice: random.Random) -> None:
    """Changed and changed back within moments."""
    path = example.folder / dice.choice(FILES)
    if path.exists():
        data = path.read_bytes()
        path.write_bytes(data[::-1])
        path.write_bytes(data)


def mode(example: Example, dice: random.Random) -> None:
    path = example.folder / dice.choice(FILES)
    if path.exists():
        path.chmod(dice.choice((0o644, 0o755)))


def git(*words: str) -> Callable[[Example, random.Random], None]:
    def change(example: Example, dice: random.Random) -> None:
        subprocess.run(["git", *words], cwd=example.repo, env=environment(example), check=False, capture_output=True)

    return change


CHANGES = (
    *(write, write, write, remove, touch, touch, back, mode, lambda *_: None),
    *(git("add", "-A"), git("commit", "-qm", "x"), git("commit", "-q", "--allow-empty", "-m", "x"), git("status")),
    *(
        git("tag", "v2"),
        git("tag", "-d", "v2"),
        git("checkout", "-q", "."),
        git("reset", "-q", "--hard"),
        git("gc", "-q"),
    ),
    *(
        git("stash", "-q"),
        git("checkout", "-q", "-B", "other"),
        git("checkout", "-q", "main"),
        git("rm", "-q", "--cached", "-r", "."),
    ),
)


def environment(example: Example) -> dict[str, str]:
    return {**os.environ, **example.variables}


def truth(example: Example) -> tuple[bytes, ...]:
    """What a build would see: git's words, and the bytes."""

    def ask(*words: str) -> bytes:
        return subprocess.run(
            ["git", *words], cwd=example.repo, env=environment(example), check=False, capture_output=True
        ).stdout

    status = ask("status", "--porcelain")
    return (
        ask("rev-parse", "HEAD"),
        ask("tag", "-l", "--format=%(refname)%(objectname)"),
        b"+" if status else b"",
        tree(example),
    )


def tree(example: Example) -> bytes:
    whole = hashlib.sha256()
    for name in BUILT:
        top = example.folder / name
        for path in (top, *sorted(top.rglob("*"))):
            if path.is_file():
                whole.update(f"{path} {path.stat().st_mode}".encode() + path.read_bytes())
    return whole.digest()


@pytest.mark.parametrize("seed", range(6))
def test_it_is_never_wrong(seed: int, tmp_path: Path) -> None:
    need("git")
    dice = random.Random(seed)
    example = Example(tmp_path)
    before, hits = None, 0
    for number in range(60):
        if example.check() is None:
            tick()
            before = truth(example) if example.record() == "" else None
        else:
            hits += 1
            assert truth(example) == before, f"wrong after change {number}"
        for _ in range(dice.randrange(1, 3)):
            dice.choice(CHANGES)(example, dice)
    assert hits > 2, "it always says no, which proves nothing"
