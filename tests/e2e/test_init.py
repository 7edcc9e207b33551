"""`wherry init` over real repositories, as a user types it."""

from __future__ import annotations

import json
import os
import pty
import sys
from pathlib import Path

import pytest

from tests.support.cli import COMMAND, variables
from tests.support.examples import repository
from tests.support.generating import ran
from tests.support.tools import need

pytestmark = pytest.mark.e2e


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    need("go", "git")
    return repository("http-api", tmp_path / "http-api")


def test_init_asks_nothing_without_a_terminal(shop: Path) -> None:
    first = ran("init", cwd=shop)
    assert first.code == 0
    text = (shop / "wherry.toml").read_text()
    assert len(text.splitlines()) <= 10
    assert "ports = [8080]" in text
    assert "main.go:" in text
    assert 'ready-route = "/readyz"' in text
    assert 'unknown = ["ready", "drain"]' in text, "neither can be seen without a slow route"
    (shop / "wherry.toml").unlink()
    assert ran("init", "--yes", cwd=shop).code == 0
    assert (shop / "wherry.toml").read_text() == text


def test_init_changes_no_decision(shop: Path) -> None:
    """The image is the same with the file and without it."""

    def decided() -> object:
        plan = json.loads(ran("plan", "--json", cwd=shop).stdout)["plan"]
        (image,) = plan["images"]
        return [image[key] for key in ("ports", "health", "user", "base", "environment", "entrypoint")]

    before = decided()
    assert ran("init", "--yes", cwd=shop).code == 0
    assert decided() == before


def test_init_leaves_what_is_there(shop: Path) -> None:
    """A second one adds files; wherry.toml and .dockerignore that somebody wrote stay."""
    (shop / "wherry.toml").write_text("# mine\n")
    (shop / ".dockerignore").write_text("mine\n")
    done = ran("init", "--yes", "--with", "makefile", cwd=shop)
    assert done.code == 0, done.stderr
    assert "note [file-exists]: wherry.toml is there" in done.stderr
    assert (shop / "Makefile").exists()
    assert (shop / "wherry.toml").read_text() == "# mine\n"
    assert (shop / ".dockerignore").read_text() == "mine\n"
    assert "-# mine" in ran("init", "--diff", cwd=shop).stdout
    (shop / "Makefile").write_text("mine:\n")
    refused = ran("init", "--yes", "--with", "makefile,bake", cwd=shop)
    assert refused.code == 1
    assert not (shop / "docker-bake.hcl").exists(), "all or none"
    replaced = ran("init", "--yes", "--overwrite", cwd=shop)
    assert "-# mine" in replaced.stderr
    assert "ports = [8080]" in (shop / "wherry.toml").read_text()


def asked(root: Path, *answers: str) -> str:
    """`wherry init` on a terminal, each question answered in turn; all that was shown."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(root)
        os.execve(sys.executable, [*COMMAND, "init"], variables(root.parent / "home", WHERRY_OFFLINE="1", TERM="dumb"))
    shown = ""
    for answer in (*answers, None):
        while answer is None or not shown.endswith("]: "):
            try:
                data = os.read(terminal, 4096)
            except OSError:  # EIO: it has ended
                data = b""
            if not data:
                break
            shown += data.decode()
        if answer is not None:
            os.write(terminal, f"{answer}\n".encode())
            shown += "\n"
    os.waitpid(process, 0)
    os.close(terminal)
    return shown


def test_init_asks_for_what_only_people_know(tmp_path: Path) -> None:
    """Which of several programs, and which files; Enter takes what stands in brackets."""
    need("go", "git")
    root = repository("multi-main", tmp_path / "multi-main")
    (root / "wherry.toml").unlink()
    shown = asked(root, "api worker", "makefile,compose")
    assert "./cmd/migrate" in shown
    assert 'packages = ["./cmd/api", "./cmd/worker"]' in (root / "wherry.toml").read_text()
    assert (root / "Makefile").exists()
    assert (root / "compose.yaml").exists()
    for path in ("wherry.toml", "Makefile", "compose.yaml", ".dockerignore"):
        (root / path).unlink()
    asked(root, "", "")
    assert 'packages = ["./cmd/api", "./cmd/migrate", "./cmd/worker"]' in (root / "wherry.toml").read_text()
    assert not (root / "Makefile").exists()


def test_init_says_that_nothing_listens_where_that_is_sure(tmp_path: Path) -> None:
    """So that no `wherry generate` notes it."""
    need("go", "git")
    root = repository("cli", tmp_path / "cli")
    assert "[no-port]" in ran("generate", "compose", "--diff", cwd=root).stderr
    assert ran("init", "--yes", cwd=root).code == 0
    assert "ports = []  # nothing in the sources listens" in (root / "wherry.toml").read_text()
    assert "[no-port]" not in ran("generate", "compose", "--diff", cwd=root).stderr
    assert ran("init", "--yes", "--overwrite", cwd=root).code == 0
    assert "ports = []" in (root / "wherry.toml").read_text()


def test_init_asks_for_a_port_that_nobody_can_see(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("cli", tmp_path / "cli")
    asked(root, "9000", "")
    assert "ports = [9000]" in (root / "wherry.toml").read_text()
