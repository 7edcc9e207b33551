"""The folders of `examples/` as git repositories, and built. A name and a folder in, files out; starts git and wherry."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.cli import wherry
from tests.support.tools import need
from wherry.model.image import Stored
from wherry.store.layout import Layout, read_entries
from wherry.store.place import LayoutPlace

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = ("hello", "http-api", "cli", "multi-main", "workspace", "embed-assets", "writable-dirs")
PLATFORM = "linux/amd64"
"""What goldens are of, wherever they are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One folder of examples/, built."""

    name: str
    root: Path
    home: Path
    layout: Path
    references: tuple[str, ...]
    """What `wherry build` printed: `name:tag@digest`, one an image."""

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in read_entries(self.layout).entries)

    def stored(self, tag: str) -> Stored:
        return Layout(LayoutPlace(directory=str(self.layout), tag=tag)).open()


Build = Callable[[str], Example]


def repository(name: str, folder: Path) -> Path:
    """A copy of the example in `folder` as a git repository with one commit and the tag v1.2.3, equal on each machine.
    Author and date are the test session's."""
    root = folder / name
    shutil.copytree(FOLDER / name, root)
    return commit(root)


def commit(root: Path, *, tag: str = "v1.2.3") -> Path:
    """Makes `root` a git repository with one commit of everything in it."""
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "one"], ["tag", tag]):
        subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
    return root


def build(name: str, folder: Path) -> Example:
    """The example built for PLATFORM into a layout."""
    need("go", "git")
    root, home, layout = repository(name, folder), folder / "home", folder / "layout"
    done = wherry("build", "--platform", PLATFORM, "-o", f"oci:{layout}", home=home, cwd=root)
    assert done.code == 0, done.stderr
    return Example(name=name, root=root, home=home, layout=layout, references=tuple(done.stdout.splitlines()))
