"""The published schema and the reference page are what the settings' type says."""

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.unit.plan.test_make import EVERYTHING
from wherry.plan import check, schema

ROOT = Path(__file__).parents[3]
FILES = sorted((*ROOT.glob("examples/**/wherry.toml"), *ROOT.glob("tests/golden/**/wherry.toml")))


def valid(text: str) -> bool:
    made: Any = jsonschema.Draft202012Validator(schema.schema())
    return bool(made.is_valid(tomllib.loads(text)))


def test_the_committed_schema_is_the_one_made_now() -> None:
    for path, content in schema.files():
        assert path.read_text() == content, "run: python -m wherry.plan.schema"
    jsonschema.Draft202012Validator.check_schema(schema.schema())


def test_the_committed_page_is_the_one_made_now() -> None:
    for keys, _ in check.leaves():
        assert f"| `{keys[-1]}` |" in schema.page()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_each_example_is_valid(file: Path) -> None:
    assert valid(file.read_text())


def test_the_schema_agrees_with_the_reader() -> None:
    assert valid(EVERYTHING)
    assert valid("")
    for wrong in (
        "x = 1",
        "[image]\nuser = true",
        "[build]\nstrip = 'x'",
        "[image.health]\ninterval = '30'",
        "[[image.assets]]\nfrom = 'a'",
    ):
        assert not valid(wrong)


def test_every_key_is_described_and_every_example_and_default_fits() -> None:
    made = schema.schema()
    for table in (made, *made["$defs"].values()):
        for key, value in table["properties"].items():
            assert value["description"].endswith("."), key
            fitting: Any = jsonschema.Draft202012Validator({**value, "$defs": made["$defs"]})
            for one in (*value.get("examples", ()), *([value["default"]] if "default" in value else ())):
                fitting.validate(one)
