"""Git's configuration is read as git reads it: each text goes through git, too."""

import subprocess
from pathlib import Path

import pytest

from tests.support.tools import need
from wherry.kit.gitconfig import entries, sections

TEXTS = [
    "[a]\n\tb = c\n",
    "[a] b = c\n",
    '[A "B c"] D = e # f\n[x]y\n',
    "[a.B]\nc=d\n",
    '[a]\nb = x"y z"w\n',
    '[a]\nb = "x;y" ; z\n',
    "[a]\nb = one\\\ntwo\n",
    '[a]\nb = "one\\\ntwo"\n',
    '[a]\nb = \\"x\\\\\\n\\t\n',
    "[a]\nb =   x   y   \nc = z\n",
    "[a]\r\nb = c\r\n",
    "\ufeff[a]\nb = c\n",
    '[a "x\\"y\\\\z"]\nb\n',
    "[a][b] c = d\n",
    "# [x]\n[a]\n; y = z\nb = c",
    "[a]\nb = c\\\n",
    "[a]\nb=\n",
    "[a]\nb = \\\n  c\n",
]
REFUSED = [
    "[a]\n\vb = c\n",
    "[a\nb = c\n",
    "[a]\nb = \\x\n",
    '[a]\nb = "c\n',
    "[a]\n1 = 2\n",
    '[a "b\nc"]\nd = e\n',
    "[a]\nb c\n",
    '[a "b" ]\nc = d\n',
]


def of_git(text: str, folder: Path) -> list[tuple[str, str]] | None:
    need("git")
    file = folder / "config"
    file.write_bytes(text.encode())
    done = subprocess.run(["git", "config", "--file", str(file), "--list", "--null"], capture_output=True, check=False)
    if done.returncode:
        return None
    rows = [entry.split("\n", 1) for entry in done.stdout.decode().split("\0") if entry]
    return [(row[0], row[1] if len(row) > 1 else "true") for row in rows]


def ours(text: str) -> list[tuple[str, str]]:
    return [
        (f"{section}.{name}.{key}" if name else f"{section}.{key}", value)
        for section, name, key, value in entries(text)
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_as_git_reads_it(text: str, tmp_path: Path) -> None:
    assert ours(text) == of_git(text, tmp_path)


@pytest.mark.parametrize("text", REFUSED)
def test_what_git_refuses_gives_nothing_more(text: str, tmp_path: Path) -> None:
    assert of_git(text, tmp_path) is None
    assert ours(text) == []


def test_headings_without_settings_count() -> None:
    assert list(sections('[filter "x"]\n[a] b = [c]\n[d]')) == [("filter", "x"), ("a", ""), ("d", "")]
