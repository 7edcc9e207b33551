"""Rules of the house that a machine can read: imports, catches, names, doors to the machine."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src/wherry").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
#: Only these floors may start processes, open sockets, read the environment or the clock.
MACHINE = {"subprocess", "socket", "_socket", "http.client", "urllib.request", "urllib3", "multiprocessing"}
DOORS = ("system/", "cli/", "api.py", "cache/noop")


def imported(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_floors_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rooms_reach_the_machine_only_through_ports() -> None:
    guilty = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT / "src/wherry"))
        if name.startswith(DOORS):
            continue
        tree = ast.parse(path.read_text())
        guilty += [f"{name} imports {one}" for one in imported(tree) & MACHINE]
        guilty += [
            f"{name}:{getattr(node, 'lineno', 0)} reads os.environ"
            for node in ast.walk(tree)
            if reads_environment(node)
        ]
    assert not guilty


def reads_environment(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")


def test_nothing_catches_everything() -> None:
    """`except Exception` stands nowhere; crash.py names it once, as the last resort of the command line."""
    guilty = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                guilty.append(f"{path}:{node.lineno}")
            if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name) and node.type.id == "Exception":
                guilty.append(f"{path}:{node.lineno}")
    assert not guilty


def test_no_drawer_for_everything() -> None:
    assert not [path for path in SOURCES if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES]


def test_only_the_command_line_prints_or_exits() -> None:
    guilty = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT / "src/wherry"))
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.func if isinstance(node, ast.Call) else None
            prints = isinstance(call, ast.Name) and call.id in ("print", "exit", "input")
            exits = isinstance(call, ast.Attribute) and ast.unparse(call) == "sys.exit"
            if (prints or exits) and not name.startswith("cli/") and name not in ("__main__.py", "plan/schema.py"):
                guilty.append(f"{name}:{getattr(node, 'lineno', 0)}")
    assert not guilty
