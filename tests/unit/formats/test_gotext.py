"""Go literals, read by Go's own parser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.applications import HOSTILE
from tests.support.tools import need
from wherry.formats.gotext import duration, quoted

READER = """package main

import (
	"bufio"
	"encoding/json"
	"go/constant"
	"go/token"
	"go/types"
	"os"
)

func main() {
	var expressions []string
	if err := json.NewDecoder(bufio.NewReader(os.Stdin)).Decode(&expressions); err != nil {
		panic(err)
	}
	values := make([]string, len(expressions))
	for i, expression := range expressions {
		value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expression)
		if err != nil || value.Value == nil || value.Value.Kind() != constant.String {
			values[i] = "NOT A STRING"
			continue
		}
		values[i] = constant.StringVal(value.Value)
	}
	_ = json.NewEncoder(os.Stdout).Encode(values)
}
"""


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that evaluates Go expressions: a list of JSON in, their strings out."""
    need("go")
    folder = tmp_path_factory.mktemp("reader")
    (folder / "main.go").write_text(READER)
    (folder / "go.mod").write_text("module example.com/reader\n\ngo 1.21\n")
    subprocess.run(["go", "build", "-o", "reader", "."], cwd=folder, check=True)
    return folder / "reader"


def values(reader: Path, expressions: list[str]) -> list[str]:
    done = subprocess.run([str(reader)], input=json.dumps(expressions), capture_output=True, text=True, check=True)
    return [str(one) for one in json.loads(done.stdout)]


TEXTS = st.lists(st.text(st.characters(codec="utf-8")), min_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=TEXTS)
def test_go_reads_what_was_written(texts: list[str], reader: Path) -> None:
    everything = [*texts, HOSTILE, "", "\0", "\ufeff", "`", "\u202e", '";panic(1);"']
    assert values(reader, [quoted(one) for one in everything]) == everything


def test_a_literal_stays_in_its_line() -> None:
    assert all(sign.isprintable() for sign in quoted(HOSTILE + "\x7f\x85\u2029\ufeff"))


def test_half_a_pair_is_no_text() -> None:
    with pytest.raises(ValueError, match="D83D"):
        quoted("\ud83d")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.0, "2 * time.Second"),
        (0.0, "0 * time.Second"),
        (1.5, "1500 * time.Millisecond"),
        (0.1, "100 * time.Millisecond"),
        (3600.0, "3600 * time.Second"),
        (1e-9, "1 * time.Nanosecond"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
