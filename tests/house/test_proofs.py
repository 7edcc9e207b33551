"""docs/prove.md lists every check, in order, and every check has its page; docs/verdicts.md is what the checks must say."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import apps, odd_apps, verdicts
from wherry.cli.explained import page_of
from wherry.judge import CHECKS

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
NAMES = tuple(check.name for check in CHECKS)


def rows() -> list[tuple[str, ...]]:
    text = (ROOT / "docs/prove.md").read_text()
    return ROW.findall(text.partition("## The checks")[2].partition("\n## ")[0])


def test_the_table_is_the_checks() -> None:
    assert tuple(row[0] for row in rows()) == NAMES
    assert len(set(NAMES)) == len(NAMES)


def test_applications_of_the_table_exist_and_fail_it() -> None:
    known = {*apps.PROGRAMS, *apps.VARIANTS, *odd_apps.FAULTS}
    for check, _, _, cell in rows():
        for name in re.findall(r"`([a-z0-9-]+)`", cell):
            if name in known and "with" not in cell:
                assert check in apps.verdicts()[name].fails, (check, name)


def test_the_page_of_verdicts_says_what_each_image_deserves_under_each_engine() -> None:
    listed = verdicts.rows()
    assert tuple(listed) == verdicts.NAMES
    for name, row in listed.items():
        assert row.failed == {one: verdicts.deserved(name, one) for one in verdicts.ENGINES}, name
    assert verdicts.page(listed) == verdicts.PAGE.read_text(), "WRITE_VERDICTS=1 writes it"


def test_a_difference_between_engines_is_one() -> None:
    for one in verdicts.DIFFERENT:
        assert one.check in apps.verdicts()[one.image].fails, one


def test_each_check_has_a_page_that_says_what_is_looked_at() -> None:
    for name in NAMES:
        page = page_of(name)
        assert re.match(r"Check\b", page), name
        assert "Looked at:" in page, name


def test_the_fields_of_a_check_are_looks() -> None:
    from wherry.flows.looks import LOOKS

    given = {name for look in LOOKS for name in look.gives}
    assert {name for check in CHECKS for name in check.needs} <= given


def test_the_readme_counts_them() -> None:
    assert f"{len(CHECKS)} checks" in (ROOT / "README.md").read_text()
