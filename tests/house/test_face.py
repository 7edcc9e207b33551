"""What `import wherry` offers, and what it and the fast path cost."""

from __future__ import annotations

import importlib
import pydoc
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import wherry
from wherry import api
from wherry.errors import UsageError

NOOP = {
    "wherry", "wherry.cache", "wherry.cache.folders", "wherry.cache.noop", "wherry.cache.noop.check", "wherry.cache.noop.outputs",
    "wherry.cache.noop.request", "wherry.cache.noop.state", "wherry.cache.noop.wire", "wherry.cli", "wherry.cli.fast",
    "wherry.cli.signals", "wherry.cli.streams", "wherry.cli.unchanged",
}  # fmt: skip
THIRD_PARTY = {
    "click",
    "rich",
    "msgspec",
    "urllib3",
    "tree_sitter",
    "deflate",
    "zstandard",
    "certifi",
    "platformdirs",
    "filelock",
}


def test_the_face_is_what_it_says() -> None:
    assert set(wherry.__all__) - {"__version__"} == set(api.__all__) - {"Options"}
    assert all(getattr(wherry, name) is not None for name in wherry.__all__)


def test_the_function_plan_is_not_hidden_by_the_room_of_that_name() -> None:
    importlib.import_module("wherry.plan.read")
    assert wherry.plan is api.plan
    assert isinstance(sys.modules["wherry.plan"], ModuleType)


def test_dir_and_help_show_the_functions() -> None:
    assert {"build", "plan", "inspect", "errors", "__version__"} <= set(dir(wherry))
    page = pydoc.plain(pydoc.render_doc(wherry.build))
    assert all(f"{name}=" in page for name in api.Options.__annotations__)
    assert max(map(len, page.splitlines())) <= 130


@pytest.mark.parametrize(
    ("options", "where", "step"),
    [
        ({"places": "oci:out"}, "places='oci:out'", "write places=('oci:out',)"),
        ({"place": ("oci:out",)}, "place=...", "did you mean places?"),
        ({"base": "scratch"}, "base=...", 'a key of wherry.toml is set by assignments=("image.base=...",)'),
        ({"jobs": "3"}, "jobs=...", "help(wherry.build)"),
        ({"places": (1,)}, "places=...", "help(wherry.build)"),
        ({"jobs": -1}, "jobs=-1", "leave it out"),
    ],
)
def test_an_option_of_the_wrong_kind_is_one_clear_error(options: dict[str, Any], where: str, step: str) -> None:
    for function in (wherry.build, wherry.plan):
        with pytest.raises(UsageError) as caught:
            function(".", **options)
        assert (caught.value.name, caught.value.where, caught.value.next) == ("bad-option", (where,), (step,))


def imported_by(code: str, folder: Path) -> set[str]:
    """Every module that the code imports."""
    ends = "; import sys; sys.stderr.write(chr(10).join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + ends], cwd=folder, capture_output=True, text=True, check=False,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split("\n"))


def test_version_imports_nothing_but_the_fast_path(tmp_path: Path) -> None:
    code = "import sys; sys.argv = ['wherry', '--version']; from wherry.cli import fast; fast.main()"
    modules = {name for name in imported_by(code, tmp_path) if name.split(".")[0] in {"wherry", *THIRD_PARTY}}
    assert modules == {"wherry", "wherry.cli", "wherry.cli.fast", "wherry.cli.signals", "wherry.cli.streams"}


def test_asking_whether_anything_changed_imports_the_standard_library_only(tmp_path: Path) -> None:
    code = (
        "import os; from wherry.cli.unchanged import request_of, unchanged; env = dict(os.environ);"
        "request = request_of(['./cmd/x'], env); assert unchanged(request, [], env)[0] is None"
    )
    modules = {name for name in imported_by(code, tmp_path) if name.split(".")[0] in {"wherry", *THIRD_PARTY}}
    assert modules <= NOOP


#: What a build into a layout over the built-in base has no use for; while it is imported, Go waits for a processor.
IDLE = (
    *(
        "wherry.store.registry.session",
        "wherry.store.registry.auth",
        "wherry.store.engine.docker.",
        "wherry.store.engine.podman",
    ),
    *("wherry.store.engine.containerd", "urllib3", "http.client", "email", "ssl", "rich"),
)


def test_a_build_begins_without_what_it_will_not_use(tmp_path: Path) -> None:
    code = "import wherry.cli.ahead, wherry.cli.main, wherry.cli.commands.build, wherry.flows.build"
    found = {name for name in imported_by(code, tmp_path) if name.startswith(IDLE)}
    assert found == set()
