"""wherry explain: every label of the card and every verb leads to a page."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from wherry.cli import containers, report
from wherry.cli.commands import VERBS
from wherry.cli.commands.explain import explain

WORDS = sorted({*containers.SHOWN.values(), *report.SHORT.values(), *report.SHOWN, "base", "assets", "app", *VERBS})


@pytest.mark.parametrize("word", WORDS)
def test_every_word_on_the_screen_has_a_page(word: str) -> None:
    done = CliRunner().invoke(explain, [word])
    assert done.exit_code == 0, done.exception
    assert len(done.output.splitlines()) >= 3
