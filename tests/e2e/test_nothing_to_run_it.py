"""A machine without a runtime or engine, and an image for another processor: one clear error each, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import apps
from tests.support.cli import wherry
from tests.support.ports import HOST

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
