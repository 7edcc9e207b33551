"""After an edit inside functions Go and git are asked little, and the image is the one that a build without any cache makes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import examples
from tests.support.cli import wherry
from tests.support.tools import need

pytestmark = pytest.mark.e2e

MAIN = """package main

import (
	_ "embed"
	"net/http"
)

//go:embed text.txt
var text string

func main() { println(text); println(http.ListenAndServe(":8080", nil)) }
"""
FILES = {
    "go.mod": "module example.com/app\n\ngo 1.24\n",
    "main.go": MAIN,
    "other.go": "package main\n\nfunc other() string { return word }\n\nfunc init() { println(other()) }\n",
    "word.go": 'package main\n\nconst word = "word"\n',
    "main_test.go": "package main\n",
    "text.txt": "one\n",
    "more.txt": "two\n",
}
COUNTING = '#!/bin/sh\necho "$1" >>{log}\nexec {go} "$@"\n'


class Repository:
    """The application, with a `go` that writes down what it is asked."""

    def __init__(self, folder: Path) -> None:
        need("go", "git")
        self.folder, self.root, self.log = folder, folder / "app", folder / "log"
        for name, text in FILES.items():
            self.write(name, text)
        examples.commit(self.root)
        real = Path(subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip())
        shim = folder / "go/bin/go"
        shim.parent.mkdir(parents=True)
        for entry in real.iterdir():
            if entry.name != "bin":
                (folder / "go" / entry.name).symlink_to(entry)
        shim.write_text(COUNTING.format(log=self.log, go=real / "bin/go"))
        shim.chmod(0o755)

    def write(self, name: str, text: str) -> bool:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return bool(path.write_text(text))

    def replace(self, name: str, old: str, new: str) -> bool:
        text = (self.root / name).read_text()
        assert old in text
        return self.write(name, text.replace(old, new))

    def build(self, *words: str, place: str = "out") -> tuple[str, list[str]]:
        """The image's digest, and what Go was asked."""
        self.log.write_text("")
        environment = {"PATH": f"{self.folder}/go/bin:{os.environ['PATH']}"}
        done = wherry(
            "build", "-q", *words, "-o", f"oci:{self.folder}/{place}:x",
            home=self.folder / "home", cwd=self.root, **environment,
        )  # fmt: skip
        assert done.code == 0, done.stderr
        return done.stdout.strip().rpartition("@")[2], self.log.read_text().split()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("edited"))


Edit = Callable[[Repository], object]
INSIDE: dict[str, Edit] = {
    "a statement": lambda one: one.replace("main.go", "println(text);", "println(text, 1);"),
    "a port": lambda one: one.replace("main.go", ":8080", ":9090"),
    "a constant": lambda one: one.replace("word.go", '"word"', '"other"'),
    "two files": lambda one: (one.replace("main.go", "1);", "2);"), one.replace("word.go", '"other"', '"third"')),
    "a new function": lambda one: one.replace("word.go", "const", "func unused() {}\n\nconst"),
    "a test": lambda one: one.replace("main_test.go", "main\n", "main\n\nvar unused = 1\n"),
    "back to the commit": lambda one: [one.write(name, text) for name, text in FILES.items()],
    "a result that is gone": lambda one: shutil.rmtree(one.folder / "out"),
}
BEYOND: dict[str, Edit] = {
    "an import": lambda one: one.replace("word.go", "package main\n", 'package main\n\nimport _ "strings"\n'),
    "an import in the same line": lambda one: one.replace("word.go", '_ "strings"', '_ "strings"; import _ "bytes"'),
    "an embed": lambda one: one.replace("main.go", "embed text.txt", "embed more.txt"),
    "a constraint": lambda one: one.write("more.go", "//go:build !linux\n\npackage main\n\nimport _ `log`\n"),
    "a constraint that holds": lambda one: one.replace("more.go", "!linux", "linux"),
    "a file less": lambda one: (one.root / "more.go").unlink(),
    "go.mod": lambda one: one.replace("go.mod", "go 1.24", "go 1.25"),
    "a body and go.mod": lambda one: (one.replace("word.go", '"word"', '"x"'), one.replace("go.mod", "1.25", "1.24")),
}


def test_edits_in_a_row(repository: Repository) -> None:
    repository.build()
    for edits, asked in ((INSIDE, ["build"]), (BEYOND, ["build", "list"])):
        for name, edit in edits.items():
            edit(repository)
            digest, said = repository.build()
            assert [word for word in said if word in ("build", "list")] == asked, name
            assert repository.build("--no-cache", place="fresh")[0] == digest, name


def test_a_failed_build_between_changes_nothing(repository: Repository) -> None:
    repository.build()
    first = {name: (repository.root / name).read_text() for name in FILES}
    repository.write("word.go", 'package main\n\nimport _ "strings"\n\nconst word = 1\n')
    done = wherry("build", "-o", f"oci:{repository.folder}/out:x", home=repository.folder / "home", cwd=repository.root)
    assert done.code == 3
    for name, text in first.items():
        repository.write(name, text)
    repository.replace("word.go", "const", "var unused = 1\n\nconst")
    digest, _ = repository.build()
    assert repository.build("--no-cache", place="fresh")[0] == digest
