"""Whatever a file of container-structure-test says: tests, or one clear error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wherry.errors import UsageError
from wherry.formats.structure import (
    CommandTest,
    FileContentTest,
    FileExistenceTest,
    MetadataTest,
    Pair,
    Structure,
    parse,
)

KEYS = [
    name
    for kind in (Structure, CommandTest, FileExistenceTest, FileContentTest, MetadataTest, Pair)
    for name in kind.__struct_encode_fields__
]
SCALARS = st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_tree(tree: dict[str, Any]) -> None:
    with contextlib.suppress(UsageError):
        parse(json.dumps({"schemaVersion": "2.0.0", **tree}), "t.yaml")


@given(st.text(alphabet="ab:-[]{}&*!|>#'\"\n \t%@`,?0", max_size=60))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text(text: str) -> None:
    for one in (text, f"schemaVersion: 2.0.0\n{text}"):
        with contextlib.suppress(UsageError):
            parse(one, "t.yaml")
