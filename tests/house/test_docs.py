"""What the documents say is true: links lead somewhere, settings load, commands and options exist, the Python example runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.support.cli import go_caches
from tests.support.tools import need
from wherry.cli.commands import load
from wherry.plan import read, registries

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples/README.md"))
README = (ROOT / "README.md").read_text()
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text()) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_settings_in_documents_load(document: Path) -> None:
    for kind, text in FENCED.findall(document.read_text()):
        if kind == "toml" and text.startswith("# registries.toml"):
            registries.parse(text, document.name)
        elif kind == "toml":
            read.parse(text, document.name)


def commands() -> list[str]:
    """Every `wherry ...` line of the README, indented or in a code fence, without its comment."""
    lines = [line.strip().removeprefix("$ ") for line in README.splitlines() if line.startswith("    ")]
    return [line.partition("  #")[0].strip() for line in lines if line.startswith("wherry ")]


def test_the_readme_has_commands() -> None:
    assert len(commands()) > 4


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_readme_exist(line: str) -> None:
    _, verb, *words = shlex.split(line)
    command = load(verb)
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}
    assert [word for word in words if word.startswith("-") and word not in known] == []


def test_no_example_of_a_build_goes_into_the_sources() -> None:
    """It would earn [output-in-worktree], and the next build would be +dirty."""
    said = README + (ROOT / "src/wherry/cli/commands/build.py").read_text()
    places = re.findall(r"wherry build .*-o (?:oci|oci-archive|docker-archive):(\S+)", said)
    assert places
    assert all(place.startswith(("../", "/")) for place in places), places


def test_the_example_of_a_proof_begins_as_proofs_do() -> None:
    """With the package's import path, in one line."""
    (line,) = re.findall(r"^    (.* MiB)$", README, re.MULTILINE)
    assert re.fullmatch(
        r"[a-z.]+\.com/[a-z/]+ \d+\.\d+\.\d+ on runc [0-9.]+, linux [0-9.]+, amd64, 2 CPUs, 256 MiB", line
    )
    assert len(line) <= 80


@pytest.mark.e2e
def test_the_python_example_runs(tmp_path: Path) -> None:
    need("go")
    (code,) = (text for kind, text in FENCED.findall(README) if kind == "python")
    code = code.replace("./cmd/api", ".").replace("path/to/repo", str(ROOT / "examples/hello"))
    environment = {**os.environ, **go_caches(), "HOME": str(tmp_path), "WHERRY_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"hello sha256:[0-9a-f]{64}\n", done.stdout)
    assert done.stderr == ""
