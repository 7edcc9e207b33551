"""YAML that is written."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.support.applications import HOSTILE
from wherry.formats.yaml import dump, noted
from wherry.generate.kept import merged, split_of

TEXTS = st.text() | st.lists(st.sampled_from(["# wherry:keep", " // wherry:end", "x", "", "#wherry:instead"])).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@given(text=TEXTS, note=TEXTS)
def test_any_text_comes_back_and_its_comment_is_one(text: str, note: str) -> None:
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        return
    made = dump({"a": [noted(text, note)], "b": noted({"c": text}, note), "end": 1})
    for read in (pyyaml.safe_load, YAML(typ="safe").load):
        assert read(made) == {"a": [text], "b": {"c": text}, "end": 1}


@given(text=TEXTS)
def test_no_line_of_a_text_is_a_mark_of_the_files_readers(text: str) -> None:
    """Else a setting makes parts that nobody marked, and the next run refuses them or keeps them for ever."""
    made = dump({"a": text, "b": [text]})
    assert not split_of(made, "x.yaml").parts
    assert merged(made, "a: 1\n", "x.yaml") == "a: 1\n"


@pytest.mark.parametrize("text", [HOSTILE, "a\n# wherry:keep\nb\n", "# wherry:end\n"])
def test_what_attacks_comes_back(text: str) -> None:
    assert pyyaml.safe_load(dump({"a": text})) == {"a": text}
