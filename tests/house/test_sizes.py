"""Rule 9: the tail is cut off, in the program and in its tests alike."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("src", "tests", "scripts", "bench") for path in (ROOT / folder).rglob("*.py"))
#: Tables of bytes or of external facts, which no reader reads line by line.
DATA = {"src/wherry/probe/code.py"}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the function without its docstring and decorators."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    own = (function.end_lineno or 0) - function.lineno + 1
    return own - ((docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([name for name in names if name.arg not in ("self", "cls")])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    name = str(path.relative_to(ROOT))
    assert text.count("\n") <= 400 or name in DATA, f"{name} has more than 400 lines"
    tree = ast.parse(text)
    long = [f"{name}:{one.lineno} {one.name}: {length(one)} lines" for one in functions(tree) if length(one) > 50]
    assert not long
    is_test = name.startswith("tests/")
    wide = [
        f"{name}:{one.lineno} {one.name}: {parameters(one)} parameters"
        for one in functions(tree)
        if parameters(one) > 5 and not is_test and not is_command(one) and one.name != "__init__"
    ]
    assert not wide


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A click command takes its options as keywords and makes one value of them at once."""
    return function.args.kwarg is not None


def test_the_house_has_modules() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", [path for path in MODULES if "src" in path.parts], ids=lambda path: path.name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"
