"""`--offline`: what is kept is enough, and what is not is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import examples, servers
from tests.support.cli import Done, wherry
from tests.support.refusals import only
from tests.support.tools import need

pytestmark = pytest.mark.e2e


def test_a_base_that_was_read_once_is_enough(tmp_path: Path) -> None:
    need("go", "git")
    root = examples.repository("hello", tmp_path)

    def run(*words: str) -> Done:
        return wherry(*words, home=tmp_path / "home", cwd=root)

    with servers.docker_registry() as host:
        assert run("build", "-o", "oci:../base:1").code == 0
        assert run("push", "oci:../base:1", "-t", f"{host}/base:1").code == 0
        build = ("build", "-q", "--base", f"{host}/base:1", "-o", "oci:../out")
        online = run(*build)
        assert online.code == 0, online.stderr
        refused = only(run("inspect", f"docker://{host}/base:1", "--offline"), "offline", 4)
        assert host in refused.text
    offline = run(*build, "--offline")
    assert (offline.code, offline.stdout) == (0, online.stdout), offline.stderr
    other = only(run("build", "--base", f"{host}/base:2", "-o", "oci:../out", "--offline"), "offline", 4)
    assert f"{host} would have to be asked" in other.text
    only(run("push", "oci:../base:1", "-t", f"{host}/base:1", "--offline"), "offline", 4)


def test_go_fetches_nothing(tmp_path: Path) -> None:
    """Go asks its proxy for modules; with --offline it may not."""
    need("go", "git")
    root = tmp_path / "app"
    root.mkdir()
    (root / "go.mod").write_text("module example.com/app\n\ngo 1.24\n\nrequire example.com/gone v1.0.0\n")
    (root / "main.go").write_text('package main\n\nimport _ "example.com/gone"\n\nfunc main() {}\n')
    (root / "go.sum").write_text(
        "example.com/gone v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        "example.com/gone v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    )
    examples.commit(root)
    done = wherry("build", "--offline", home=tmp_path / "home", cwd=root, GOPROXY="https://proxy.invalid")
    assert done.code
    assert "proxy.invalid" not in done.stderr
    assert "GOPROXY=off" in done.stderr
    without = wherry("build", home=tmp_path / "home", cwd=root, WHERRY_OFFLINE="1", GOPROXY="https://proxy.invalid")
    assert without.stderr == done.stderr
