"""Words of a user in generated files, and disks that take none (I06), through the command."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import COMMAND, variables
from tests.support.examples import repository
from tests.support.generating import ran
from tests.support.tools import need

pytestmark = pytest.mark.e2e
PORT = "[image]\nports = [9191]\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """With a Makefile and a compose file, and settings that make both stale."""
    need("go", "git")
    root = repository("http-api", tmp_path)
    for what in ("makefile", "compose"):
        assert ran("generate", what, cwd=root).code == 0
    (root / "wherry.toml").write_text(PORT)
    return root


def texts(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}


def edited(root: Path) -> Path:
    path = root / "Makefile"
    path.write_text(path.read_text() + "mine:\n\techo mine\n")
    return path


def commit(root: Path) -> None:
    for words in (["add", "-A"], ["commit", "-qm", "more"]):
        subprocess.run(["git", *words], cwd=root, check=True)


@pytest.mark.parametrize("words", [("generate",), ("generate", "makefile"), ("init", "--with", "makefile", "--yes")])
def test_an_edit_that_only_this_file_has_is_not_lost(shop: Path, words: tuple[str, ...]) -> None:
    edited(shop)
    before = texts(shop)
    done = ran(*words, cwd=shop)
    assert done.code == 1, done.stdout
    assert "error [edited-file]: Makefile was edited by hand" in done.stderr
    assert texts(shop) == before, "all or none"
    shown = ran(*words, "--diff", cwd=shop)
    assert "-mine:\n-\techo mine\n" in shown.stdout
    assert texts(shop) == before
    replaced = ran(*words, "--overwrite", cwd=shop)
    assert replaced.code == 0, replaced.stderr
    assert "-mine:\n-\techo mine\n" in replaced.stderr, "what goes is shown"
    assert b"mine" not in (shop / "Makefile").read_bytes()


def test_a_check_says_what_to_do_about_an_edit(shop: Path) -> None:
    """Not the plain command, which would refuse; what nobody edited is not listed."""
    assert ran("generate", "compose", cwd=shop).code == 0
    edited(shop)
    done = ran("generate", "--check", cwd=shop)
    assert (done.code, done.stdout) == (1, "edited  Makefile\n")
    assert "  next  wherry generate --diff\n        git commit it, or mark what is yours" in done.stderr
    assert "        wherry generate --overwrite\n" in done.stderr
    (shop / "wherry.toml").write_text(PORT.replace("9191", "9292"))
    assert ran("generate", "makefile", "--overwrite", cwd=shop).code == 0
    stale = ran("generate", "--check", cwd=shop)
    assert stale.stdout.split() == ["stale", "compose.yaml"]
    assert "  next  wherry generate\n" in stale.stderr


@pytest.mark.parametrize("how", ["staged", "changed since", "ignored", "no git"])
def test_what_no_commit_has_is_not_lost(shop: Path, how: str) -> None:
    if how == "changed since":
        commit(shop)
    if how == "ignored":
        (shop / ".gitignore").write_text("/Makefile\n")
        path = edited(shop)
        assert ran("generate", "makefile", cwd=shop).code == 1
        assert b"mine" in path.read_bytes()
        return
    path = edited(shop)
    if how == "staged":
        subprocess.run(["git", "add", "Makefile"], cwd=shop, check=True)
    if how == "no git":
        shutil.rmtree(shop / ".git")
    assert ran("generate", cwd=shop).code == 1
    assert b"mine" in path.read_bytes()


def test_an_edit_that_git_has_is_written_over_and_shown(shop: Path) -> None:
    edited(shop)
    commit(shop)
    done = ran("generate", cwd=shop)
    assert done.code == 0, done.stderr
    assert "-mine:\n-\techo mine\n" in done.stderr
    assert subprocess.run(
        ["git", "show", "HEAD:Makefile"], cwd=shop, capture_output=True, check=True
    ).stdout.endswith(b"mine:\n\techo mine\n")  # fmt: skip


def test_what_wherry_wrote_itself_is_written_over_uncommitted(shop: Path) -> None:
    """Also with a part that somebody keeps, and when it was only looked at since."""
    path = shop / "Makefile"
    path.write_text(path.read_text() + "# wherry:keep\nmine:\n\techo mine\n# wherry:end\n")
    assert ran("generate", cwd=shop).code == 0
    (shop / "wherry.toml").write_text(PORT.replace("9191", "9292"))
    assert ran("generate", cwd=shop).code == 0
    assert "9292" in path.read_text()
    assert "echo mine" in path.read_text()


def test_a_file_that_was_committed_needs_no_memory(shop: Path) -> None:
    """As in a clone, on another machine."""
    commit(shop)
    shutil.rmtree(shop.parent / "home")
    assert ran("generate", cwd=shop).code == 0


def test_without_a_memory_git_decides(shop: Path) -> None:
    shutil.rmtree(shop.parent / "home")
    assert ran("generate", cwd=shop).code == 1
    commit(shop)
    assert ran("generate", cwd=shop).code == 0


def inside(mount: str, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`wherry WORDS` in `root`, in a mount namespace where `mount` was done to it."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    argv = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{mount} && cd "$1" && shift && exec "$@"',
        "sh",
        str(root),
        *COMMAND,
        *words,
    ]
    environment = variables(root.parent / "home", WHERRY_OFFLINE="1")
    return subprocess.run(argv, env=environment, cwd="/", capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words", [("generate", "dockerfile"), ("generate",), ("init", "--yes", "--with", "dockerfile")]
)
def test_a_tree_that_nobody_may_write_to(shop: Path, words: tuple[str, ...]) -> None:
    if words[0] == "init":
        (shop / "wherry.toml").unlink()
    before = texts(shop)
    done = inside('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"', shop, *words)
    assert done.returncode not in (0, 70), done.stderr
    assert "error [disk]" in done.stderr
    assert "Read-only file system" in done.stderr
    assert "free space" not in done.stderr
    assert texts(shop) == before


@pytest.mark.parametrize("words", [("generate", "kubernetes"), ("generate", "health"), ("generate",)])
def test_a_full_disk_leaves_everything_as_it_was(shop: Path, words: tuple[str, ...]) -> None:
    """The repository lies on a tmpfs that has no page left."""
    full = (
        'cp -a "$1" /tmp/wherry-full.$$ && mount -t tmpfs -o size=1500k none "$1" && cp -a /tmp/wherry-full.$$/. "$1"'
        ' && rm -rf /tmp/wherry-full.$$ && (cat /dev/zero >"$1/filler" 2>/dev/null || :)'
        ' && (cd "$1" && find . -type f ! -name filler | sort | xargs sha256sum) >"$1/../before" '
    )
    after = '(cd "$1" && find . -type f ! -name filler | sort | xargs sha256sum) >"$1/../after"'
    runs = f'{full} && (cd "$1" && "$2" "$3" "$4" "$5" {" ".join(words)} >&2); code=$?; {after}; exit $code'
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tmpfs")
    argv = ["unshare", "--mount", "sh", "-c", runs, "sh", str(shop), *COMMAND]
    environment = variables(shop.parent / "home", WHERRY_OFFLINE="1")
    done = subprocess.run(argv, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode not in (0, 70), done.stderr
    assert "error [disk]" in done.stderr, done.stderr
    assert "free space" in done.stderr
    assert (shop.parent / "after").read_text() == (shop.parent / "before").read_text() != ""
