"""Which version commands say that they built."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.examples import repository
from tests.support.generating import ran
from tests.support.tools import need
from wherry.flows import variants
from wherry.flows.request import BuildRequest
from wherry.system.machine import real_machine

pytestmark = pytest.mark.e2e


def test_it_is_the_plans_and_no_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit after the tag is no release; nothing is built here."""
    need("go", "git")
    root = repository("http-api", tmp_path / "http-api")
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "more"], cwd=root, check=True)
    (root / "more.txt").write_text("not committed")
    said = ran("plan", "--only", "version", cwd=root).stdout.strip()
    assert said.startswith("1.2.4-0."), "a commit after v1.2.3"
    assert said.endswith("+dirty")
    monkeypatch.setattr(variants, "BASES", {})
    monkeypatch.setattr(variants, "_docker", lambda _: "")
    assert variants.ladder(BuildRequest(directory=str(root)), real_machine()).version == said


def test_a_version_with_changes_is_one_word_but_in_tags(tmp_path: Path) -> None:
    """What Go writes into the program, labels have, and a person reads; a tag holds no `+`."""
    need("go", "git")
    root = repository("http-api", tmp_path / "http-api")
    (root / "more.txt").write_text("not committed")
    done = ran("build", "-o", f"oci:{tmp_path}/layout", cwd=root)
    assert done.stdout.startswith("http-api:1.2.3-dirty@sha256:")
    assert done.stderr.startswith("http-api 1.2.3+dirty ")
    assert f"wherry run oci:{tmp_path}/layout:1.2.3-dirty" in done.stderr
    assert "image.version=1.2.3+dirty" in ran("inspect", f"oci:{tmp_path}/layout", cwd=root).stdout
