"""Commands to go on with are copied into a shell: what stands in one is quoted for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from wherry.cli.commands import VERBS

SOURCES = Path(__file__).parents[2] / "src/wherry"
COMMAND = re.compile(rf"wherry (?:{'|'.join(verb for verb in VERBS if verb != 'explain')})\b")
QUOTED = re.compile(r"(?:shlex\.(?:quote|join)|(?:shell\.)?quoted)\(.*\)", re.DOTALL)
SCRIPTS = "generate/ci/"
"""There a command stands in a script that is quoted as a whole."""
#: Words of our own tables, as all that `explain` is told, and names of images, which are no more than [A-Za-z0-9./:_-].
OURS = {
    "row.what", "names.DEV", "PRODUCTION", "choice.variant", "runtime.name", "near[1]",
    "title(proof)",  # the name of a suite, which is no command
    "own.repository if own else 'app'", "choice.digest",
}  # fmt: skip
LAID_OUT = {"subject", "ports"}
"""Of `cli/report.py`, quoted where they are made."""


def unquoted(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and COMMAND.match(ast.unparse(node)[2:]):
            for part in node.values:
                if isinstance(part, ast.FormattedValue) and not QUOTED.fullmatch(ast.unparse(part.value)):
                    yield node.lineno, ast.unparse(part.value)


def test_what_stands_in_a_command_is_quoted() -> None:
    found = [
        (str(path.relative_to(SOURCES)), line, value)
        for path in sorted(SOURCES.rglob("*.py"))
        if SCRIPTS not in str(path)
        for line, value in unquoted(ast.parse(path.read_text()))
        if value not in OURS and not (value in LAID_OUT and path.name == "report.py")
    ]
    assert found == []


def test_the_test_sees_one() -> None:
    assert list(unquoted(ast.parse('f"wherry run {image} {shlex.quote(name)}"'))) == [(1, "image")]
