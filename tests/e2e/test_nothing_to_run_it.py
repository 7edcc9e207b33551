"""A machine without a runtime or engine, and an image for another processor: one clear error each, and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import apps, looks
from tests.support.cli import wherry
from tests.support.ports import HOST
from tests.support.tools import need
from wherry.runtime.program import BINFMT

pytestmark = pytest.mark.e2e

VERBS = ("run", "prove", "profile")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("flags", "name", "next_"),
    [((), "no-runtime", "install runc"), (("--engine", "docker"), "no-engine", "install docker")],
    ids=["nothing", "docker"],
)
def test_an_empty_path(verb: str, flags: tuple[str, ...], name: str, next_: str, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    done = wherry(verb, apps.place("hello"), *flags, home=tmp_path, cwd=tmp_path, PATH=str(empty))
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.count("error [") == 1
    assert f"error [{name}]" in done.stderr
    assert next_ in done.stderr


@pytest.mark.skipif(HOST.architecture != "amd64", reason="the image is for arm64, which is this machine's")
@pytest.mark.parametrize("verb", VERBS)
def test_an_image_for_another_processor(verb: str, tmp_path: Path) -> None:
    done = wherry(verb, apps.place("hello-arm64"), home=tmp_path, cwd=tmp_path)
    said = " ".join(done.stderr.split())
    assert (done.code, said.count("error [")) == (2, 1)
    assert "it has linux/arm64" in said
    assert "wherry build --platform linux/amd64" in said
    assert "--platform linux/arm64, where qemu-user-static is installed" in said


@pytest.mark.skipif(HOST.architecture != "amd64", reason="arm64 is this machine's")
@pytest.mark.parametrize("what", ["image", "package"])
def test_another_processor_that_was_asked_for(what: str, tmp_path: Path) -> None:
    """A package is built for it, whatever the settings name; both start only where an emulator is registered."""
    need("go", "git", "runc")
    if any(BINFMT.glob("qemu-*")):
        pytest.skip("this machine starts arm64's programs")
    folder = apps.repository() if what == "package" else tmp_path
    word = "./cmd/hello" if what == "package" else apps.place("hello-arm64")
    words = (word, "--platform", "linux/arm64")
    done = wherry("run", *words, home=tmp_path, cwd=folder)
    said = " ".join(done.stderr.split())
    assert (done.code, said.count("error [other-processor]")) == (4, 1), done.stderr
    assert "next build it for this machine, or install qemu-user-static" in said
    proof = wherry("prove", *words, "--only", "start", home=tmp_path, cwd=folder)
    assert (proof.code, "FAIL start" in " ".join(proof.stdout.split())) == (1, True), proof.stdout + proof.stderr
    assert "next build it for this machine, or install qemu-user-static" in " ".join(proof.stdout.split())


@pytest.mark.skipif(HOST.architecture != "amd64", reason="arm64 is this machine's")
def test_a_package_for_others_alone_says_what_can_be_done(tmp_path: Path) -> None:
    need("go", "git", "runc")
    folder = Path(shutil.copytree(apps.repository(), tmp_path / "apps"))
    settings = folder / "wherry.toml"
    settings.write_text('platforms = ["linux/arm64"]\n' + settings.read_text())
    done = wherry("run", "./cmd/hello", home=tmp_path, cwd=folder)
    said = " ".join(done.stderr.split())
    assert (done.code, said.count("error [no-platform]")) == (2, 1), done.stderr
    assert "next linux/amd64 in platforms of wherry.toml" in said
    assert "or --platform linux/arm64, where qemu-user-static is installed" in said


def test_what_fails_to_start_can_be_started_by_the_next_line(tmp_path: Path) -> None:
    """The image has no name that `wherry run` would find; its place is one."""
    need("go", "git", "runc")
    proof = wherry("prove", apps.place("exits3"), "--only", "start", home=tmp_path, cwd=tmp_path)
    assert proof.code == 1
    (step,) = looks.commands(proof.stdout)
    assert step == f"wherry run {apps.place('exits3')}"
    assert looks.follow(step, home=tmp_path, cwd=tmp_path).code == 3
