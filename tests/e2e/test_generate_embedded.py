"""A front end that is built beside the program and embedded: what Docker gets of it, and files that stay as they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.analysis import MAIN, MODULE, repository, write
from tests.support.buildkit_parser import hidden
from tests.support.cli import wherry
from tests.support.tools import need

pytestmark = pytest.mark.e2e
WEB = 'package web\n\nimport "embed"\n\n//go:embed all:dist\nvar FS embed.FS\n'


def ignoring(root: Path, *words: str) -> str:
    done = wherry("generate", *words, home=root.parent / "home", cwd=root, WHERRY_OFFLINE="1")
    assert done.code == 0, done.stderr + done.stdout
    return (root / ".dockerignore").read_text()


def embedded(root: Path) -> list[str]:
    """Go's own word for the files, from the root."""
    words = ["go", "list", "-f", "{{range .EmbedFiles}}web/{{.}}\n{{end}}", "./web"]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout.split()


def test_every_build_of_the_front_end_is_there_and_the_file_is_the_same(tmp_path: Path) -> None:
    """A clone without it, the first build, and the next one with more files of other names."""
    need("go", "git")
    main = MAIN.replace("main\n", 'main\n\nimport _ "example.com/app/web"\n', 1)
    root = repository(tmp_path / "app", {"go.mod": MODULE, "main.go": main, "web/web.go": WEB, ".gitignore": "dist/\n"})
    text = ignoring(root, "dockerignore")
    assert "!web/dist\n!web/dist/**\n" in text
    for names in (("index.html",), ("index.html", *(f"assets/{one}-1f3a.js" for one in "abcdef"), "_x/.env", "a.log")):
        write(root / "web/dist", dict.fromkeys(names, "x"))
        assert ignoring(root, "--check") == text
        assert len(embedded(root)) == len(names)
        assert hidden(text, *embedded(root), "dist/own.js") == ["dist/own.js"]
