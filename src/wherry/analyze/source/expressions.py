"""Syntax nodes in, small expressions out; touches nothing.

The depth is bounded and what lies deeper is Other: nobody writes an address seven calls deep, but an attacker nests 100
000 (A-zoo).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wherry.analyze.source.facts import Add, Expression, Index, Invoke, Make, Name, Other, Select, Text, Times

if TYPE_CHECKING:
    from tree_sitter import Node

DEPTH = 12
LONGEST = 4096
MOST = 24
OTHER = Other()
STRINGS = ("interpreted_string_literal", "raw_string_literal")
TEXTS = frozenset((*STRINGS, "int_literal"))
NAMES = frozenset(("identifier", "type_identifier", "package_identifier", "field_identifier", "nil"))
#: Nodes that are looked through → the field of what is inside; empty: the first child.
WRAPPERS = {
    **dict.fromkeys(
        ("parenthesized_expression", "literal_element", "variadic_argument", "pointer_type", "expression_list"), ""
    ),
    **dict.fromkeys(("unary_expression", "type_conversion_expression"), "operand"),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def convert(node: Node | None, depth: int = DEPTH) -> Expression:
    """The expression of a node; parentheses, `&` and `*` are looked through."""
    if node is None or depth <= 0:
        return OTHER
    if node.type in TEXTS:
        return text_of(node)
    if node.type in NAMES:
        return Name(name=word(node))
    if node.type in WRAPPERS:
        inner = WRAPPERS[node.type]
        wrapped = node.child_by_field_name(inner) if inner else next(iter(node.named_children), None)
        return convert(wrapped, depth - 1)
    builder = BUILDERS.get(node.type)
    return builder(node, depth) if builder is not None else OTHER


def invoke(node: Node, depth: int = DEPTH) -> Invoke:
    """A call with at most MOST arguments."""
    arguments = node.child_by_field_name("arguments")
    children = arguments.named_children[:MOST] if arguments is not None else ()
    named = node.child_by_field_name("function")
    at = named.child_by_field_name("field") if named is not None and named.type == "selector_expression" else None
    row, column = (at or node).start_point
    return Invoke(
        function=convert(named, depth - 1),
        arguments=tuple(convert(child, depth - 1) for child in children if child.type != "comment"),
        line=row + 1,
        column=column + 1,
    )


def composite(node: Node, depth: int = DEPTH) -> Make:
    """A composite literal with at most MOST elements."""
    body = node.child_by_field_name("body")
    fields: list[tuple[str, Expression]] = []
    for child in body.named_children[:MOST] if body is not None else ():
        if child.type == "keyed_element":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            name = convert(key, 2)
            fields.append((name.name if isinstance(name, Name) else "", convert(value, depth - 1)))
        elif child.type != "comment":
            fields.append(("", convert(child, depth - 1)))
    row, column = node.start_point
    return Make(
        kind=convert(node.child_by_field_name("type"), 3), fields=tuple(fields), line=row + 1, column=column + 1
    )


def text_of(node: Node) -> Text:
    """A literal's text: without quotes, escapes resolved; numbers in decimal."""
    row, column = node.start_point
    raw = word(node)
    if node.type == "int_literal":
        return Text(text=_decimal(raw), line=row + 1, column=column + 1)
    inner = raw[1:-1]
    return Text(text=_unescaped(inner) if raw.startswith('"') else inner, line=row + 1, column=column + 1)


def word(node: Node | None) -> str:
    """A node's source text, as far as it is short and UTF-8."""
    if node is None or node.end_byte - node.start_byte > LONGEST:
        return ""
    return (node.text or b"").decode("utf-8", "replace")


def is_variable_name(text: str) -> bool:
    """`LISTEN_PORT`: how environment variables are written."""
    return text.isupper() and text.replace("_", "").isalnum() and text.isascii()


def _binary(node: Node, depth: int) -> Expression:
    operator = node.child_by_field_name("operator")
    kind = operator.type if operator is not None else ""
    if kind not in ("+", "*"):
        return OTHER
    left = convert(node.child_by_field_name("left"), depth - 1)
    right = convert(node.child_by_field_name("right"), depth - 1)
    return Add(left=left, right=right) if kind == "+" else Times(left=left, right=right)


def _index(node: Node, depth: int) -> Expression:
    """`args[1]`, and of `args[1:]` what begins there."""
    rest = node.type == "slice_expression"
    at = convert(node.child_by_field_name("start" if rest else "index"), 2)
    operand = convert(node.child_by_field_name("operand"), depth - 1)
    return Index(of=operand, at=at.text if isinstance(at, Text) else "", rest=rest)


def _selector(node: Node, depth: int) -> Expression:
    operand, field = node.child_by_field_name("operand"), node.child_by_field_name("field")
    return Select(of=convert(operand, depth - 1), name=word(field))


def _qualified(node: Node, depth: int) -> Expression:
    package, name = node.child_by_field_name("package"), node.child_by_field_name("name")
    return Select(of=convert(package, depth - 1), name=word(name))


def _decimal(digits: str) -> str:
    plain = digits.replace("_", "")
    try:
        return (
            str(int(plain, 8 if len(plain) > 1 and plain.isdecimal() and plain.startswith("0") else 0))
            if len(plain) < 20
            else ""
        )
    except ValueError:
        return ""


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    out, position = [], 0
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
            out.append(_ESCAPES.get(text[position], text[position]))
        else:
            out.append(text[position])
        position += 1
    return "".join(out)


BUILDERS: dict[str, Callable[[Node, int], Expression]] = {
    "selector_expression": _selector,
    "qualified_type": _qualified,
    "call_expression": invoke,
    "binary_expression": _binary,
    **dict.fromkeys(("index_expression", "slice_expression"), _index),
    "composite_literal": composite,
}
