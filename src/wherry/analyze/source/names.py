"""Names in a Go file: declared at its top, used in it, selected from an import. Bytes in, names out; touches nothing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from wherry.analyze.source.code import names_of_import
from wherry.analyze.source.expressions import text_of, word
from wherry.analyze.source.scan import DEPTH, parser

if TYPE_CHECKING:
    from tree_sitter import Node, Query

DECLARED = """
(source_file (function_declaration name: (identifier) @name))
(source_file (type_declaration (type_spec name: (type_identifier) @name)))
(source_file (type_declaration (type_alias name: (type_identifier) @name)))
(source_file (const_declaration (const_spec name: (identifier) @name)))
(source_file (var_declaration (var_spec name: (identifier) @name)))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name))))
"""
USED = "(identifier) @name (type_identifier) @name"
SELECTED = """
(selector_expression operand: (identifier) @package field: (field_identifier) @name)
(qualified_type package: (package_identifier) @package name: (type_identifier) @name)
"""
IMPORTS = "(import_spec) @import"


def declared(data: bytes) -> frozenset[str]:
    """Package-level names, without methods."""
    return frozenset(word(node) for node in _captured(data, DECLARED, "name"))


def used(data: bytes) -> frozenset[str]:
    """Every name that stands alone, wherever."""
    return frozenset(word(node) for node in _captured(data, USED, "name"))


def selected(data: bytes, path: str) -> frozenset[str]:
    """Names that are taken from the import `path`."""
    aliases = {alias for node in _captured(data, IMPORTS, "import") for alias in _aliases(node, path)}
    if not aliases:
        return frozenset()
    found = zip(_captured(data, SELECTED, "package"), _captured(data, SELECTED, "name"), strict=True)
    return frozenset(word(name) for package, name in found if word(package) in aliases)


def import_line(data: bytes, path: str) -> tuple[int, int] | None:
    """Line and column of the import of `path`."""
    if path.encode() not in data:
        return None
    for node in _captured(data, IMPORTS, "import"):
        named = node.child_by_field_name("path")
        if named is not None and text_of(named).text == path:
            row, column = node.start_point
            return row + 1, column + 1
    return None


def _aliases(node: Node, path: str) -> tuple[str, ...]:
    named = node.child_by_field_name("path")
    if named is None or text_of(named).text != path:
        return ()
    return names_of_import(word(node.child_by_field_name("name")), path)


def _captured(data: bytes, query: str, name: str) -> list[Node]:
    from tree_sitter import QueryCursor

    root = parser().parse(data).root_node
    if root.type == "ERROR":
        return []
    cursor = QueryCursor(_query(query))
    cursor.set_max_start_depth(DEPTH)
    return sorted(cursor.captures(root).get(name, ()), key=lambda node: node.start_byte)


@functools.cache
def _query(text: str) -> Query:
    import tree_sitter_go
    from tree_sitter import Language, Query

    return Query(Language(tree_sitter_go.language()), text)
