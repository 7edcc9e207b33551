"""Makefiles that wherry wrote, by the real make, Go and wherry, in copies of examples."""

from __future__ import annotations

import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.support.examples import repository
from tests.support.servers import free_port, need_root
from tests.support.tools import need
from tests.support.wrapped import on_path

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]


class Made:
    """A copy of an example with its Makefile committed."""

    def __init__(self, name: str, folder: Path, *more: str) -> None:
        need("make", "go", "git", "runc")
        need_root()
        folder.chmod(0o755)
        self.root = repository(name, folder)
        self.variables = on_path(folder / "programs", folder / "home", WHERRY_OFFLINE="1")
        self.said("wherry", "generate", "makefile", *more)
        for words in (("add", "-A"), ("commit", "-qm", "Makefile"), ("tag", "-f", "v1.2.3")):
            subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)

    def said(self, *words: str) -> str:
        done = subprocess.run(words, cwd=self.root, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def make(self, *words: str) -> str:
        return self.said("make", "--no-print-directory", *words)

    def clean(self) -> bool:
        return self.said("git", "status", "--porcelain") == ""

    def program(self, name: str) -> bytes:
        """A file of the image that `wherry build` makes of this commit."""
        self.said("wherry", "build", "-q", "-o", f"oci:{self.root.parent}/images")
        layers = [
            path for path in (self.root.parent / "images/blobs/sha256").iterdir() if path.stat().st_size > 100_000
        ]
        for layer in layers:
            done = subprocess.run(["tar", "-xzOf", layer, f"app/{name}"], capture_output=True, check=False)
            if done.returncode == 0:
                return done.stdout
        raise AssertionError(f"no layer has {name}")


def answer(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return int(response.status)


def test_one_application(tmp_path: Path) -> None:
    made, port = Made("http-api", tmp_path), free_port()
    assert "build " in made.make("help")
    assert made.make("version") == "1.2.3\n"
    assert made.make("build") == "bin/http-api 1.2.3\n"
    assert made.clean(), "what build makes is nothing that git sees"
    assert (made.root / "bin/http-api").read_bytes() == made.program("http-api"), "byte for byte the image's"
    made.make("test")
    made.make("vet")
    assert made.make("image").splitlines()[-1].startswith("http-api:1.2.3@sha256:")
    made.make("run", f"PORT={port}")
    try:
        assert answer(port, "/healthz") == 200
        again = subprocess.run(
            ["make", "run"], cwd=made.root, env=made.variables, capture_output=True, text=True, check=False
        )
        assert again.stderr.startswith("http-api is there from an earlier run: make stop\n")
    finally:
        made.make("stop")
    assert "http-api" not in made.said("wherry", "ps")
    made.make("clean")
    assert not (made.root / "bin").exists()
    assert made.clean()


def test_several_applications(tmp_path: Path) -> None:
    made = Made("multi-main", tmp_path)
    assert "image-worker" in made.make("help")
    assert set(made.make("build").split()) >= {"bin/api", "bin/migrate", "bin/worker"}
    assert {path.name for path in (made.root / "bin").iterdir()} == {".gitignore", "api", "migrate", "worker"}
    made.make("-j2", "test", "vet")
    references = [line for line in made.make("image").splitlines() if "@sha256:" in line]
    assert [one.partition(":")[0] for one in references] == ["api", "worker"]
    made.make("run")
    assert {line.split()[0] for line in made.said("wherry", "ps").splitlines()[1:]} == {"api", "worker"}
    made.make("stop-worker")
    made.make("stop")
    assert "api" not in made.said("wherry", "ps", "--all")
    made.make("clean")
    assert made.clean()


def test_a_changed_tree_says_so(tmp_path: Path) -> None:
    made = Made("http-api", tmp_path)
    (made.root / "new.go").write_text("package main\n")
    assert made.make("version") == "1.2.3+dirty\n"
    assert made.make("build") == "bin/http-api 1.2.3+dirty\n"
    assert made.make("version", "WHERRY=/bin/false") == "1.2.3\n", "git describe sees changes of known files only"
    (made.root / "main.go").write_text((made.root / "main.go").read_text() + "\n")
    assert made.make("version", "WHERRY=/bin/false") == "1.2.3+dirty\n"
