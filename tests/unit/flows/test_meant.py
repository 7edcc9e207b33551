"""A word that is neither image nor program, on a machine without Go."""

from __future__ import annotations

import pytest

from wherry.errors import UnavailableError, WherryError
from wherry.flows.subject import meant


@pytest.mark.parametrize(
    ("word", "name"), [("shap:1", "no-image-or-package"), ("shop", "no-go"), ("./cmd/api", "no-go"), ("", "no-go")]
)
def test_a_name_with_a_tag_needs_no_go_to_be_no_program(word: str, name: str) -> None:
    with pytest.raises(WherryError) as caught, meant(word):
        raise UnavailableError("no-go", "there is no Go on this machine")
    assert caught.value.name == name
