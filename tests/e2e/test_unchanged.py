"""The no-op path is exact: after each kind of change the next build does the work, and otherwise it starts nothing.

One application has everything a change could be in: an embed, an asset, a workspace with a second module, git with a tag.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Done, wherry
from tests.support.tools import need

pytestmark = pytest.mark.e2e

FILES = {
    "go.work": "go 1.24\n\nuse (\n\t./app\n\t./lib\n)\n",
    "app/go.mod": "module example.com/app\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n",
    "app/main.go": (
        'package main\n\nimport (\n\t_ "embed"\n\n\t"example.com/lib"\n)\n\n//go:embed text.txt\nvar text string\n\n'
        "func main() { println(text, lib.Word()) }\n"
    ),
    "app/text.txt": "embedded\n",
    "lib/go.mod": "module example.com/lib\n\ngo 1.24\n",
    "lib/lib.go": 'package lib\n\n// Word is one.\nfunc Word() string { return "word" }\n',
    "wherry.toml": 'packages = ["./app"]\n\n[[image.assets]]\nfrom = "files"\ninto = "/srv"\n',
    "files/a.txt": "asset\n",
    ".gitignore": "ignored/\n",
}
GIT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


class Repository:
    """The application in a folder, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.home, self.root = folder / "home", folder / "repo"
        self.home.mkdir()
        for name, text in FILES.items():
            self.write(name, text)
        self.git("init", "-q", "-b", "main")
        self.commit()
        self.git("tag", "v1.0.0")

    def write(self, name: str, text: str) -> bool:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return True

    def git(self, *words: str) -> bool:
        environment = {**os.environ, **GIT, "HOME": str(self.home)}
        subprocess.run(["git", *words], cwd=self.root, env=environment, check=True, capture_output=True)
        return True

    def commit(self, *words: str) -> bool:
        self.git("add", "-A")
        return self.git("commit", "-qm", "x", *words)

    def build(self, **environment: str) -> Done:
        done = wherry("build", "-o", "oci:../out:app", home=self.home, cwd=self.root, **environment)
        assert done.code == 0, done.stderr
        return done


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    need("go", "git")
    made = Repository(tmp_path)
    first = made.build()
    assert "unchanged," not in first.stderr
    again = made.build()
    assert again.stderr.startswith("unchanged,"), again.stderr
    assert again.stdout == first.stdout
    return made


Change = Callable[[Repository], object]
#: What is done, and whether the image then is another one.
CHANGES: dict[str, tuple[Change, bool]] = {
    "edited source": (lambda one: one.write("lib/lib.go", FILES["lib/lib.go"].replace('"word"', '"other"')), True),
    "changed embed": (lambda one: one.write("app/text.txt", "other\n"), True),
    "changed embed, committed": (lambda one: (one.write("app/text.txt", "other\n"), one.commit()), True),
    "new file in a package": (
        lambda one: one.write("app/more.go", "package main\n\nfunc init() { println(1) }\n"),
        True,
    ),
    "go.work": (lambda one: one.write("go.work", FILES["go.work"] + "\n// changed\n"), True),
    "module of the workspace": (lambda one: one.write("lib/go.mod", FILES["lib/go.mod"].replace("1.24", "1.23")), True),
    "asset": (lambda one: one.write("files/a.txt", "other\n"), True),
    "new asset": (lambda one: one.write("files/b.txt", "more\n"), True),
    "settings": (lambda one: one.write("wherry.toml", FILES["wherry.toml"] + "mode = '0400'\n"), True),
    "new tag": (lambda one: (one.commit("--allow-empty"), one.git("tag", "v1.1.0")), True),
    "tag alone": (lambda one: one.git("tag", "v1.5.0"), True),
    "empty commit": (lambda one: one.commit("--allow-empty"), True),
    "untracked file": (lambda one: one.write("notes.txt", "x\n"), True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_after_a_change_the_work_is_done(name: str, repository: Repository) -> None:
    change, other = CHANGES[name]
    before = repository.build()
    change(repository)
    after = repository.build()
    assert "unchanged," not in after.stderr
    assert (after.stdout != before.stdout) is other
    fresh = wherry("build", "--no-cache", "-o", "oci:../fresh:app", home=repository.home, cwd=repository.root)
    assert fresh.stdout == after.stdout
    assert repository.build().stderr.startswith("unchanged,")


def touch(one: Repository) -> None:
    os.utime(one.root / "app/main.go", (1_900_000_000, 1_900_000_000))


def rewrite(one: Repository) -> None:
    one.write("lib/lib.go", FILES["lib/lib.go"])


@pytest.mark.parametrize("change", [touch, rewrite], ids=lambda one: one.__name__)
def test_what_changes_nothing_is_seen_as_such(change: Change, repository: Repository) -> None:
    change(repository)
    assert repository.build().stderr.startswith("unchanged,")


def test_go_settings_of_the_user_count(repository: Repository) -> None:
    environment = repository.home / "config" / "go" / "env"
    environment.parent.mkdir(parents=True, exist_ok=True)
    environment.write_text("GOFLAGS=-tags=other\n")
    assert "unchanged," not in repository.build().stderr
    assert repository.build().stderr.startswith("unchanged,")
    assert "unchanged," not in repository.build(GOFLAGS="-tags=third").stderr


def test_another_go_counts(repository: Repository, tmp_path: Path) -> None:
    """A `go` that comes earlier on PATH, even one that is the same program."""
    found = Path(shutil.which("go") or "").resolve()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").symlink_to(found)
    assert "unchanged," not in repository.build(PATH=f"{tmp_path}/bin:{os.environ['PATH']}").stderr


@pytest.mark.parametrize("damage", ["blob", "index", "all"])
def test_a_result_that_is_gone_is_made_again(damage: str, repository: Repository) -> None:
    before = repository.build()
    out = repository.root.parent / "out"
    blob = next((out / "blobs/sha256").iterdir())
    match damage:
        case "blob":
            blob.write_bytes(b"x" + blob.read_bytes()[1:])
        case "index":
            (out / "index.json").write_text('{"schemaVersion":2,"manifests":[]}')
        case _:
            shutil.rmtree(out)
    after = repository.build()
    assert "unchanged," not in after.stderr
    assert after.stdout == before.stdout


def test_every_name_of_an_image_is_looked_for(repository: Repository) -> None:
    words = ("build", "-t", "a:1", "-t", "b:2", "-o", "oci:../named")
    home, root = repository.home, repository.root
    assert wherry(*words, home=home, cwd=root).code == 0
    assert wherry(*words, home=home, cwd=root).stderr.startswith("unchanged,")
    index = root / "../named/index.json"
    known = json.loads(index.read_text())
    index.write_text(json.dumps({**known, "manifests": known["manifests"][:1]}))
    assert not wherry(*words, home=home, cwd=root).stderr.startswith("unchanged,")
    assert len(json.loads(index.read_text())["manifests"]) == 2
