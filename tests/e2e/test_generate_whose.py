"""Whose a file is that `wherry generate` finds where it wants to write: its own, another command's, its reader's (I06)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.analysis import MAIN, MODULE, repository
from tests.support.examples import repository as example
from tests.support.generating import ran
from tests.support.tools import need

pytestmark = pytest.mark.e2e


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two programs of one module, one of which embeds what git ignores."""
    need("go", "git")
    web = 'package web\n\nimport "embed"\n\n//go:embed all:dist\nvar FS embed.FS\n'
    x = MAIN.replace("main\n", 'main\n\nimport _ "example.com/app/cmd/x/web"\n', 1)
    sources = {"go.mod": MODULE, "cmd/x/main.go": x, "cmd/api/main.go": MAIN, "cmd/x/web/web.go": web}
    return repository(tmp_path / "app", {**sources, ".gitignore": "dist/\n"})


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """Two modules of one repository."""
    need("go", "git")
    files: dict[str, str | bytes] = {
        f"services/{name}/{file}": text
        for name in "ab"
        for file, text in (("go.mod", MODULE.replace("app", name)), ("main.go", MAIN))
    }
    return repository(tmp_path / "mono", files)


def clean(root: Path) -> None:
    done = ran("generate", "--check", cwd=root)
    assert done.code == 0, done.stdout + done.stderr


@pytest.mark.parametrize("words", [("dockerfile",), ("makefile",), ("compose",), ("build-script",), ("bake",)])
def test_a_file_of_another_program_stays(two: Path, words: tuple[str, ...]) -> None:
    assert ran("generate", *words, "./cmd/x", cwd=two).code == 0
    before = {path.name: path.read_bytes() for path in two.iterdir() if path.is_file()}
    done = ran("generate", *words, "./cmd/api", cwd=two)
    assert done.code == 1, done.stdout
    assert "[file-exists]" in done.stderr
    assert f"wherry generate {words[0]} ./cmd/x" in " ".join(done.stderr.split())
    assert {path.name: path.read_bytes() for path in two.iterdir() if path.is_file()} == before
    assert ran("generate", *words, "./cmd/api", "--overwrite", cwd=two).code == 0
    clean(two)


def test_a_pipeline_of_another_folder_stays(services: Path) -> None:
    assert ran("generate", "ci", "--for", "gitlab", "-C", "services/a", cwd=services).code == 0
    before = (services / ".gitlab-ci.yml").read_text()
    done = ran("generate", "ci", "--for", "gitlab", "-C", "services/b", cwd=services)
    assert done.code == 1, done.stdout
    assert "-C services/a" in " ".join(done.stderr.split())
    assert "  next   wherry generate ci --for gitlab -C services/b --diff\n" in done.stderr
    assert (services / ".gitlab-ci.yml").read_text() == before
    shown = ran("generate", "ci", "--for", "gitlab", "-C", "services/b", "--check", cwd=services)
    assert shown.code == 1
    assert shown.stdout.startswith("another's ")


def test_who_names_more_programs_takes_the_file(two: Path) -> None:
    """And who writes the same ones otherwise, or where the first one is gone."""
    assert ran("generate", "makefile", "./cmd/x", cwd=two).code == 0
    assert ran("generate", "makefile", ".", "-C", "cmd/x", cwd=two).code == 0
    assert ran("generate", "makefile", "./cmd/api", "./cmd/x", cwd=two).code == 0
    assert ran("generate", "makefile", "./...", cwd=two).code == 0
    assert ran("generate", "makefile", "./cmd/x", cwd=two).code == 1
    assert ran("generate", "dockerfile", "./cmd/api", cwd=two).code == 0
    (two / "cmd/api/main.go").unlink()
    assert ran("generate", "dockerfile", "./cmd/x", cwd=two).code == 0
    assert (two / "Dockerfile").read_text().startswith("# wherry generate dockerfile ./cmd/x\n")


def test_a_second_program_makes_no_file_anothers(two: Path) -> None:
    """The first command named none, since there was only one; what it said means nothing any more."""
    second = (two / "cmd/api/main.go").read_text()
    (two / "cmd/api/main.go").unlink()
    assert ran("generate", "makefile", cwd=two).code == 0
    (two / "cmd/api/main.go").write_text(second)
    assert ran("generate", "makefile", "./...", cwd=two).code == 0
    clean(two)


@pytest.mark.parametrize("first", ["./cmd/x", "./..."])
def test_an_ignore_file_is_of_all_who_build_there(two: Path, first: str) -> None:
    """Another program's Dockerfile comes later, and what the first one embeds is still shown to Docker."""
    assert ran("generate", "dockerfile", first, cwd=two).code == 0
    assert "!cmd/x/web/dist\n" in (two / ".dockerignore").read_text()
    for words in (("dockerfile", "--variant", "dev", "./cmd/api"), ("dockerignore", "./cmd/api")):
        done = ran("generate", *words, cwd=two)
        assert done.code == 0, done.stderr
        text = (two / ".dockerignore").read_text()
        assert "!cmd/x/web/dist\n" in text, words
        assert text.startswith(f"# wherry generate dockerignore {'./cmd/api ./cmd/x' if first != './...' else first}\n")
        clean(two)
    assert ran("init", "--yes", "./cmd/api", cwd=two).code == 0
    assert "!cmd/x/web/dist\n" in (two / ".dockerignore").read_text()


def test_an_ignore_file_forgets_a_program_that_is_gone(two: Path) -> None:
    assert ran("generate", "dockerignore", "./cmd/x", cwd=two).code == 0
    (two / "cmd/x/main.go").unlink()
    assert ran("generate", "dockerignore", "./cmd/api", cwd=two).code == 0
    assert (two / ".dockerignore").read_text().startswith("# wherry generate dockerignore ./cmd/api\n")


def test_forms_that_share_a_file_agree(tmp_path: Path) -> None:
    """Plain and kustomize make one Namespace: it is of the one that it names, and `--check` is content."""
    need("go", "git")
    root = example("http-api", tmp_path)
    (root / "wherry.toml").write_text('[generate]\nnamespace = "shop"\n')
    for form in ("plain", "kustomize", "helm"):
        assert ran("generate", "kubernetes", "--form", form, cwd=root).code == 0
    for _ in range(2):
        clean(root)
        done = ran("generate", cwd=root)
        assert done.code == 0
        assert done.stdout == "", "nothing changed"


@pytest.mark.parametrize("name", ["templates/NOTES.txt", "values.schema.json"])
def test_a_file_without_comments_is_somebodys_too(tmp_path: Path, name: str) -> None:
    need("go", "git")
    root = example("http-api", tmp_path)
    path = root / "deploy/chart" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    done = ran("generate", "kubernetes", "--form", "helm", cwd=root)
    assert done.code == 1, done.stdout
    assert "[file-exists]" in done.stderr
    assert path.read_text() == "mine\n"
    assert list((root / "deploy").rglob("*.yaml")) == []
    assert ran("generate", "kubernetes", "--form", "helm", "--overwrite", cwd=root).code == 0
    assert path.read_text() != "mine\n"
    (root / "wherry.toml").write_text('[generate]\nsecrets = ["key"]\n')
    assert ran("generate", cwd=root).code == 0, "made beside others, it is made anew like them"
    clean(root)
