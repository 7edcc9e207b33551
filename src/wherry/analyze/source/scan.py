"""One Go file's bytes in, its facts out; touches nothing. A pure function: equal bytes give equal facts, so they can be
kept.

Safe for hostile files: what lies deeper than DEPTH in the tree is not looked at (a tree-sitter query is quadratic in
depth: 36 s for 100 000 brackets, measured), and a file that cannot be parsed at all gives no facts.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from typing import TYPE_CHECKING

from wherry.analyze.source import vocabulary
from wherry.analyze.source.expressions import STRINGS, composite, convert, invoke, is_variable_name, text_of, word
from wherry.analyze.source.facts import (
    Binding,
    Call,
    Compared,
    Expression,
    FileFacts,
    Function,
    Import,
    Make,
    Mention,
    Tag,
    Variable,
    last_name,
)
from wherry.analyze.source.tags import names_variable, pairs_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

DEPTH = 400
QUERY = """
(package_clause (package_identifier) @package)
(import_spec) @import
(function_declaration) @function
(method_declaration) @function
(call_expression) @call
(const_spec) @constant
(var_spec) @variable
(short_var_declaration) @assignment
(assignment_statement operator: "=") @assignment
(field_declaration tag: (_)) @tag
(composite_literal) @composite
(selector_expression operand: (identifier) field: (field_identifier) @mention)
(expression_case value: (expression_list (interpreted_string_literal) @route @compared))
(binary_expression operator: "==" right: (interpreted_string_literal) @route @compared)
(literal_element (interpreted_string_literal) @route)
(return_statement (expression_list) @return)
"""
#: Asked only of files that hold the word.
SECRETS = '([(interpreted_string_literal) (raw_string_literal)] @secret (#match? @secret "^./run/secrets/."))'
KEPT_VALUES = frozenset(
    (
        *STRINGS,
        *(
            "int_literal",
            "binary_expression",
            "call_expression",
            "identifier",
            "selector_expression",
            "unary_expression",
        ),
        *("composite_literal", "type_conversion_expression", "parenthesized_expression"),
        *("index_expression", "slice_expression"),
    )
)
RETURNED = frozenset((*STRINGS, "binary_expression", "call_expression", "selector_expression"))
ADDRESS_KEYS = ("addr", "port", "listen", "bind")
SERVER_KEYS = ("url", "dsn", "redis", "postgres", "database")
_ADDRESS_BYTES = tuple(key.encode() for key in ADDRESS_KEYS)
_UNITS = (b"time.second", b"time.minute", b"time.millisecond")
#: Names that never hold an address.
IGNORED_NAMES = frozenset(("_", "err", "ok"))
_MENTIONED = frozenset(name.encode() for name in vocabulary.MENTIONED)
_ROUTES = frozenset(name.encode() for name in vocabulary.HEALTH | vocabulary.READY)
_COMMANDS = frozenset(name.encode() for name in vocabulary.HEALTH_COMMANDS)
_LITERALS = frozenset(
    (
        *(kind for _, kind, _ in vocabulary.SERVERS),
        *vocabulary.FLAG_LITERALS,
        *vocabulary.COMMAND_LITERALS,
        *(kind for _, kind in vocabulary.HABIT_TYPES),
    )
)

Captures = dict[str, "list[Node]"]


def scan(data: bytes) -> FileFacts:
    """The facts of one file; `whole=False` and nothing else when it is no Go."""
    from tree_sitter import QueryCursor

    root = parser().parse(data).root_node
    if root.type == "ERROR":
        return FileFacts(whole=False)
    captures: Captures = {}
    for query in (QUERY, *((SECRETS,) if b"/run/secrets/" in data else ())):
        cursor = QueryCursor(_query(query))
        cursor.set_max_start_depth(DEPTH)
        captures |= cursor.captures(root)
    return _Scan(data, captures).facts()


@functools.cache
def parser() -> Parser:
    """The parser of Go. Made when first needed: loading it takes 20 ms."""
    import tree_sitter_go
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_go.language()))


@functools.cache
def _query(text: str) -> Query:
    import tree_sitter_go
    from tree_sitter import Language, Query

    return Query(Language(tree_sitter_go.language()), text)


class _Scan:
    """One pass over the captures of one file."""

    def __init__(self, data: bytes, captures: Captures) -> None:
        self._data = data
        self._captures = captures
        self._functions = sorted(captures.get("function", ()), key=lambda node: node.start_byte)
        self._starts = [node.start_byte for node in self._functions]
        self._ends = [node.end_byte for node in self._functions]

    def facts(self) -> FileFacts:
        package = self._nodes("package")
        return FileFacts(
            package=word(package[0]) if package else "",
            imports=tuple(_import(node) for node in self._nodes("import")),
            calls=self._calls(),
            bindings=self._bindings(),
            composites=self._composites(),
            tags=tuple(tag for node in self._nodes("tag") for tag in _tags(node)),
            variables=tuple(
                one for node in self._nodes("variable") if self._scope(node) < 0 for one in _variables(node)
            ),
            mentions=tuple(_mention(node) for node in self._nodes("mention") if self._slice(node) in _MENTIONED),
            routes=tuple(_mention(node) for node in self._nodes("route") if self._is_route(node)),
            compared=self._compared(),
            secrets=tuple(text_of(node) for node in self._nodes("secret")),
            functions=self._described(),
        )

    def _nodes(self, name: str) -> list[Node]:
        """In the order of the text: tree-sitter gives captures in none."""
        return sorted(self._captures.get(name, ()), key=lambda node: (node.start_byte, -node.end_byte))

    def _slice(self, node: Node) -> bytes:
        return self._data[node.start_byte : node.end_byte]

    def _scope(self, node: Node) -> int:
        """The number of the top-level function around `node`, or -1. Closures belong to the function they are in."""
        at = bisect_right(self._starts, node.start_byte) - 1
        return at if at >= 0 and node.start_byte < self._ends[at] else -1

    def _is_route(self, node: Node) -> bool:
        text = self._slice(node)
        return text.startswith(b'"/') and text[1:-1].rpartition(b"/")[2].lower() in _ROUTES

    def _compared(self) -> tuple[Compared, ...]:
        found = []
        for node in self._nodes("compared"):
            against = _compared_with(node) if self._slice(node)[1:-1] in _COMMANDS else None
            if against is not None:
                found.append(Compared(of=convert(against), text=text_of(node), scope=self._scope(node)))
        return tuple(found)

    def _calls(self) -> tuple[Call, ...]:
        kept = [node for node in self._nodes("call") if self._is_called_for(node)]
        groups = [group for node in kept if (group := self._group(node)) is not None]
        return tuple(
            Call(invoke=invoke(node), scope=self._scope(node), prefixes=_prefixes(node, groups)) for node in kept
        )

    def _is_called_for(self, node: Node) -> bool:
        function = node.child_by_field_name("function")
        if function is None:
            return False
        qualified = function.type == "selector_expression"
        field = function.child_by_field_name("field") if qualified else function
        if field is None or field.type not in ("field_identifier", "identifier"):
            return False
        name = self._slice(field).decode("utf-8", "replace")
        if vocabulary.is_worth_a_look(name, qualified) or name in vocabulary.GROUPS:
            return True
        return self._passes(node, _ADDRESS_BYTES + _UNITS) or self._passes_variable(node)

    def _passes_variable(self, node: Node) -> bool:
        """`config.Env("LOG_LEVEL", "info")`: a first argument that is written like an environment variable."""
        arguments = node.child_by_field_name("arguments")
        first = next(iter(arguments.named_children), None) if arguments is not None else None
        return first is not None and first.type in STRINGS and is_variable_name(text_of(first).text)

    def _passes(self, node: Node, words: tuple[bytes, ...]) -> bool:
        """`s.listener(host, port)`: an argument that is called like an address; `s.stop(10 * time.Second)`."""
        arguments = node.child_by_field_name("arguments")
        if arguments is None or arguments.end_byte - arguments.start_byte > 200:
            return False
        text = self._slice(arguments).lower()
        return any(word in text for word in words)

    def _group(self, node: Node) -> tuple[int, int, Expression] | None:
        """The byte range of a closure that gets a group of routes, and the group's prefix."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or last_name(convert(function, 2)) not in vocabulary.GROUPS:
            return None
        children = arguments.named_children[:8]
        closure = next((child for child in children if child.type == "func_literal"), None)
        return (closure.start_byte, closure.end_byte, convert(children[0])) if closure is not None else None

    def _bindings(self) -> tuple[Binding, ...]:
        found: list[Binding] = []
        for kind in ("constant", "variable", "assignment"):
            for node in self._nodes(kind):
                left = node.children_by_field_name("name") if kind != "assignment" else _listed(node, "left")
                right = _listed(node, "right" if kind == "assignment" else "value")
                named = [one for one in left if one.is_named]
                if len(named) == len(right):
                    rows = [(target, value, 0) for target, value in zip(named, right, strict=True)]
                elif len(right) == 1:
                    rows = [(target, right[0], position) for position, target in enumerate(named)]
                else:
                    rows = []
                found += [one for row in rows if (one := self._binding(*row, kind)) is not None]
        return tuple(found)

    def _binding(self, target: Node, value: Node, position: int, kind: str) -> Binding | None:
        if value.type not in KEPT_VALUES:
            return None
        if target.type == "unary_expression":  # *port = "8080"
            target = target.child_by_field_name("operand") or target
        of_field = target.type == "selector_expression"
        name = word(target.child_by_field_name("field") if of_field else target)
        if name in IGNORED_NAMES:
            return None
        return Binding(
            name=name,
            value=convert(value),
            scope=self._scope(target),
            of_field=of_field,
            constant=kind == "constant",
            position=position,
        )

    def _composites(self) -> tuple[tuple[int, Make], ...]:
        found = []
        for node in self._nodes("composite"):
            made = composite(node)
            if last_name(made.kind) in _LITERALS or any(_is_telling(key) for key, _ in made.fields):
                found.append((self._scope(node), made))
        return tuple(found)

    def _described(self) -> tuple[Function, ...]:
        returned: dict[int, list[tuple[Expression, ...]]] = {}
        for node in self._nodes("return"):
            values = _children(node)
            if len(values) <= 3 and any(value.type in RETURNED for value in values):
                returned.setdefault(self._scope(node), []).append(tuple(map(convert, values)))
        return tuple(
            Function(
                name=word(node.child_by_field_name("name")),
                scope=scope,
                parameters=tuple(name for name, _ in parameters),
                returns=tuple(returned.get(scope, ())[:4]),
                types=tuple(kind for _, kind in parameters),
            )
            for scope, node in enumerate(self._functions)
            for parameters in (_parameters(node),)
        )


def _compared_with(node: Node) -> Node | None:
    """What the literal stands against: the left side of `==`, or what is switched on."""
    around = node.parent
    while around is not None and around.type in ("expression_list", "expression_case"):
        around = around.parent
    field = {"binary_expression": "left", "expression_switch_statement": "value"}.get(around.type if around else "")
    return around.child_by_field_name(field) if around is not None and field else None


def _is_telling(key: str) -> bool:
    """Where something listens, or where a server is that it talks to."""
    lower = key.lower()
    return any(part in lower for part in (*ADDRESS_KEYS, *SERVER_KEYS))


def _listed(node: Node, field: str) -> list[Node]:
    return _children(node.child_by_field_name(field))


def _children(node: Node | None) -> list[Node]:
    return node.named_children if node is not None else []


def _prefixes(node: Node, groups: list[tuple[int, int, Expression]]) -> tuple[Expression, ...]:
    return tuple(prefix for start, end, prefix in groups[:256] if start <= node.start_byte < end)


def _import(node: Node) -> Import:
    row, column = node.start_point
    path = node.child_by_field_name("path")
    return Import(
        path=text_of(path).text if path is not None else "",
        alias=word(node.child_by_field_name("name")),
        line=row + 1,
        column=column + 1,
    )


def _tags(node: Node) -> list[Tag]:
    tag = node.child_by_field_name("tag")
    pairs = pairs_of(text_of(tag).text) if tag is not None else ()
    if not any("default" in key.lower() or names_variable(key, value) for key, value in pairs):
        return []
    row, column = node.start_point
    return [
        Tag(field=word(name), pairs=pairs, line=row + 1, column=column + 1)
        for name in node.children_by_field_name("name")
    ]


def _variables(node: Node) -> list[Variable]:
    """Names that `-X` can set (cmd/link): strings without a value, or with a literal one."""
    kind, value = node.child_by_field_name("type"), node.child_by_field_name("value")
    values, names = _children(value), node.children_by_field_name("name")
    if (kind is not None and word(kind) != "string") or (kind is None and value is None):
        return []
    found = []
    for number, name in enumerate(one for one in names if one.is_named):
        literal = not values or (number < len(values) and values[number].type in STRINGS)
        row, column = name.start_point
        if literal:
            found.append(Variable(name=word(name), line=row + 1, column=column + 1))
    return found


def _mention(node: Node) -> Mention:
    row, column = node.start_point
    if node.type != "field_identifier":
        return Mention(name=text_of(node).text, line=row + 1, column=column + 1)
    parent = node.parent
    before = word(parent.child_by_field_name("operand")) if parent is not None else ""
    return Mention(name=f"{before}.{word(node)}", line=row + 1, column=column + 1)


def _parameters(node: Node) -> tuple[tuple[str, str], ...]:
    """Names and types; a parameter without a name is `_`."""
    found: list[tuple[str, str]] = []
    for declaration in _listed(node, "parameters"):
        kind = word(declaration.child_by_field_name("type"))
        names = [word(name) for name in declaration.children_by_field_name("name") if name.is_named]
        found += [(name, kind) for name in names or ["_"]]
    return tuple(found[:32])
