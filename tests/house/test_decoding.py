"""Types are looked through before threads decode them: `kit.value.decodable` says why."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src/wherry"
CALLS = {
    "msgspec.json.decode",
    "msgspec.msgpack.decode",
    "msgspec.convert",
    "msgspec.json.Decoder",
    "msgspec.msgpack.Decoder",
}
PLAIN = {"datetime"}


def kind_of(call: ast.Call) -> ast.expr | None:
    """The type that it is told to make."""
    named = next((word.value for word in call.keywords if word.arg == "type"), None)
    place = 0 if ast.unparse(call.func).endswith("Decoder") else 1
    return named or (call.args[place] if len(call.args) > place else None)


def test_every_decoded_type_is_decodable() -> None:
    guilty, seen = [], 0
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if path.name == "value.py" or not isinstance(node, ast.Call) or ast.unparse(node.func) not in CALLS:
                continue
            kind = kind_of(node)
            seen += 1
            if kind is not None and ast.unparse(kind) not in PLAIN and not ast.unparse(kind).startswith("decodable("):
                guilty.append(f"{path.relative_to(SOURCES)}:{node.lineno} {ast.unparse(node)}")
    assert seen > 20
    assert not guilty, "write type=decodable(...)"
