"""Attacks and faults that a runtime is known for, each with a test that bears its number. Nothing in; reads the tests' names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"^def test_(f\d\d)_", re.MULTILINE)
#: The rows that must hold; others are in docstrings where there is a test.
ROWS = {
    "f01": "leaked descriptors and working directory",
    "f02": "an old runtime",
    "f03": "an image that replaces what is mounted upon",
    "f05": "capabilities and privileges",
    "f06": "a profile that is silently missing",
    "f07": "tricks with the user field",
    "f08": "an image's config that steers the host",
    "f13": "what stays behind",
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row} {words}" for row, words in ROWS.items()])
def test_each_row_has_tests_of_its_name(row: str) -> None:
    found = {name for path in TESTS.rglob("test_*.py") for name in NAMED.findall(path.read_text())}
    assert row in found
