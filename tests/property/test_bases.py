"""Garbage for what reads locks and programs: a value or one of our errors, soon and in little memory; never anything else."""

from __future__ import annotations

import contextlib
import random
import tracemalloc
from pathlib import Path

from tests.support.programs_in_c import compiled, library
from tests.unit.plan.test_lock import TEXT
from wherry.errors import CorruptError, Several, UsageError
from wherry.formats import elf
from wherry.plan import lockfile

MANY = 50_000
PIECES = (
    '"',
    "[",
    "]",
    "[[",
    "=",
    "\n",
    "sha256:",
    "é",
    "\0",
    "'''",
    "{",
    "1",
    "-",
    "\\u0000",
    "<<<<<<<",
    "base.",
    "\u202e",
    "#",
)


def test_locks() -> None:
    chance = random.Random(26)
    for number in range(MANY):
        text = TEXT if number % 4 else TEXT[: chance.randrange(len(TEXT))]
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(PIECES) + text[at + chance.randint(0, 4) :]
        with contextlib.suppress(UsageError, Several):
            found = lockfile.parse(text)
            assert number % 20 or lockfile.parse(lockfile.text_of(found)) == found


def test_programs(tmp_path: Path) -> None:
    """Bytes of heads and tables are changed most: there offsets and counts are."""
    corpus = [library(tmp_path / "libx.so.1", "X_1.5").read_bytes(), compiled(tmp_path / "p").read_bytes()]
    dynamic = [data.find(b"\x01\x00\x00\x00\x00\x00\x00\x00", 0x2000) for data in corpus]
    chance = random.Random(4)
    for number in range(MANY):
        if number == MANY - 1000:
            tracemalloc.start()
        data = bytearray(corpus[number % 2])
        for _ in range(chance.randint(1, 6)):
            start = (0, dynamic[number % 2], 0)[number % 3]
            end = (600, start + 600, len(data))[number % 3]
            data[chance.randrange(max(start, 0), min(end, len(data)))] = chance.choice(
                (0, 1, 127, 255, chance.randrange(256))
            )
        with contextlib.suppress(CorruptError):
            elf.parse(bytes(data[: chance.randrange(len(data))] if number % 10 == 0 else data), name="x")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
