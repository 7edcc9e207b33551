"""docs/analysis-accuracy.md says what a new run over the labelled repositories says."""

import pytest

from tests.support import accuracy


@pytest.mark.oracle
@pytest.mark.slow
def test_the_published_numbers_are_those_of_today() -> None:
    assert accuracy.page(accuracy.study()) == accuracy.PAGE.read_text()
