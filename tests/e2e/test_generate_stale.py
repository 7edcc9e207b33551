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
