"""Rule 3 of the looks: every decision, check, warning and error has a name, and every name a page."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "src/wherry/cli/pages"
ERRORS = {
    "WherryError", "UsageError", "RefusedError", "BuildError", "UnavailableError", "UnknownError", "CorruptError",
}  # fmt: skip
NAMED = {"Finding", "Decision"}


def names_in(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        first = node.args[0] if called in ERRORS and node.args else None
        keyword = next((word.value for word in node.keywords if word.arg == "name"), None) if called in NAMED else None
        found |= {one.value for one in (first, keyword) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def test_names_and_pages_are_the_same_set() -> None:
    used = set().union(*(names_in(path) for path in (ROOT / "src/wherry").rglob("*.py")))
    pages = {path.stem for path in PAGES.glob("*.md")}
    assert used - pages == set(), "names without a page"
    assert pages - words_in_sources() == set(), "pages nobody points to"


def words_in_sources() -> set[str]:
    """Every literal text of the program: names also travel through small functions of their own."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / "src/wherry").rglob("*.py"))
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_pages_are_short_and_titled() -> None:
    for path in PAGES.glob("*.md"):
        lines = path.read_text().splitlines()
        assert len(lines) <= 20, path.name
        assert lines[0].strip(), path.name
        assert max(map(len, lines)) <= 80, f"{path.name} is wider than 80 columns"
