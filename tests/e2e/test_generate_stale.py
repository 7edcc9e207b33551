"""What of the sources makes no file stale: whatever no line of it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.examples import repository
from tests.support.generating import ran
from tests.support.tools import need
from wherry.generate.table import WRITERS

pytestmark = pytest.mark.e2e
VARIANTS = [(row.what, row.option, one) for row in WRITERS if row.option for one in row.variants]


@pytest.mark.parametrize(("what", "option", "variant"), VARIANTS)
def test_the_first_tests_and_the_health_package(tmp_path: Path, what: str, option: str, variant: str) -> None:
    need("go", "git")
    root = repository("http-api", tmp_path)
    for path in root.rglob("*_test.go"):
        path.unlink()
    assert ran("generate", what, f"--{option}", variant, cwd=root).code == 0
    (root / "more_test.go").write_text("package main\n")
    assert ran("generate", "health", cwd=root).code == 0
    done = ran("generate", "--check", cwd=root)
    assert done.code == 0, done.stdout


def test_what_is_missing_is_made_by_the_command_that_checks_it(tmp_path: Path) -> None:
    """`wherry generate` alone makes anew what is there."""
    need("go", "git")
    root = repository("http-api", tmp_path)
    words = ("generate", "compose", "--for", "dev", ".")
    checked = ran(*words, "--check", cwd=root)
    assert (checked.code, checked.stdout) == (1, "missing  compose.dev.yaml\n")
    assert (
        "  next  wherry generate compose --for dev .\n        wherry generate compose --for dev . --diff\n"
        in checked.stderr
    )
    assert ran(*words, cwd=root).code == 0
    assert ran("generate", "--check", cwd=root).code == 0
