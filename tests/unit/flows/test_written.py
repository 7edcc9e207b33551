"""Generated files beside those that are there (I06)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wherry.errors import RefusedError, UnavailableError, UsageError
from wherry.flows import written
from wherry.generate.header import Command
from wherry.model.file import Choice, File

COMMAND = Command(choice=Choice(what="compose", variant="secure"))
FILE = File(path="compose.yaml", text="a: 1\n")


def nobody(_: Command) -> bool:
    return False


def one(root: Path, file: File = FILE, command: Command = COMMAND) -> written.Change:
    (change,), errors = written.compared(root, (file,), command, nobody)
    assert not errors
    return change


def test_new_then_same_then_changed(tmp_path: Path) -> None:
    assert one(tmp_path).state == "new"
    written.write(tmp_path, (one(tmp_path),))
    assert one(tmp_path).state == "same"
    changed = one(tmp_path, File(path="compose.yaml", text="a: 2\n"))
    assert changed.state == "changed"
    assert [line for line in changed.diff.splitlines() if line[:2] in ("-a", "+a")] == ["-a: 1", "+a: 2"]
    assert len([line for line in changed.diff.splitlines() if line[:1] in "+-"]) == 4  # two of them names


def test_somebody_elses_file_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    change = one(tmp_path)
    assert (change.state, change.before) == ("foreign", "services: {}\n")


def test_the_executable_bit_counts(tmp_path: Path) -> None:
    script = File(path="build.sh", text="#!/bin/sh\n", executable=True)
    written.write(tmp_path, (one(tmp_path, script),))
    assert os.access(tmp_path / "build.sh", os.X_OK)
    (tmp_path / "build.sh").chmod(0o644)
    assert one(tmp_path, script).state == "changed"


def test_a_file_that_is_its_readers_once_written(tmp_path: Path) -> None:
    once = File(path="wherry.toml", text="a = 1\n", once=True)
    written.write(tmp_path, (one(tmp_path, once),))
    assert (tmp_path / "wherry.toml").read_text() == "a = 1\n"
    assert one(tmp_path, once).state == "same"
    (tmp_path / "wherry.toml").write_text("a = 2\n")
    assert one(tmp_path, once).state == "foreign"


@pytest.mark.parametrize("path", ["../out.yaml", "/out.yaml", "link.yaml", "linked/out.yaml", "folder.yaml"])
def test_nothing_leaves_the_repository(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    for name in ("root/folder.yaml", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (root / "link.yaml").symlink_to(tmp_path / "victim")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "victim").write_text("mine\n")
    with pytest.raises(RefusedError) as caught:
        one(root, File(path=path, text="x\n"))
    assert caught.value.name == "unsafe-file"
    assert (tmp_path / "victim").read_text() == "mine\n"


def test_a_file_above_its_home_but_in_the_repository(tmp_path: Path) -> None:
    command = Command(choice=COMMAND.choice, home="services/jobs")
    assert (
        one(tmp_path, File(path="../../.github/workflows/a.yaml", text="x\n"), command).path
        == ".github/workflows/a.yaml"
    )


@pytest.mark.parametrize("function", ["open", "fsync"])
def test_all_or_none_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    (tmp_path / "a.yaml").write_text("# wherry generate compose\nold\n")
    files = tuple(File(path=name, text=f"{name}\n") for name in ("a.yaml", "deploy/base/b.yaml", "c.yaml"))
    changes, _ = written.compared(tmp_path, files, COMMAND, nobody)
    real, called = getattr(os, function), list[object]()

    def full(*arguments: object) -> object:
        called.append(arguments[0])
        if len(called) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments)

    monkeypatch.setattr(os, function, full)
    with pytest.raises(UnavailableError) as caught:
        written.write(tmp_path, changes)
    monkeypatch.undo()
    assert caught.value.name == "disk"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
    assert (tmp_path / "a.yaml").read_text().endswith("old\n")


def test_a_really_full_disk(tmp_path: Path) -> None:
    """A tmpfs of a few pages: as many files as fit are not the files that were asked for."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tmpfs")
    code = (
        "import sys; from pathlib import Path; from tests.unit.flows.test_written import COMMAND, File, nobody, written\n"
        "root = Path(sys.argv[1]); files = tuple(File(path=f'{n}.yaml', text='x' * 5000) for n in range(9))\n"
        "try: written.write(root, written.compared(root, files, COMMAND, nobody)[0])\n"
        "except Exception as error: print(type(error).__name__, getattr(error, 'name', ''), list(root.iterdir()))\n"
    )
    mount = 'mount -t tmpfs -o size=32k none "$1" && shift && exec "$@"'
    argv = ["unshare", "--mount", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.stdout == "UnavailableError disk []\n", done.stderr


def test_a_tree_that_nobody_may_write_to(tmp_path: Path) -> None:
    """As root, by a mount namespace with the folder bound read-only; else by its mode."""
    code = (
        "import sys; from pathlib import Path; from tests.unit.flows.test_written import one\n"
        "from wherry.flows import written; root = Path(sys.argv[1])\n"
        "try: written.write(root, (one(root),))\n"
        "except Exception as error: print(type(error).__name__, getattr(error, 'name', ''), list(root.iterdir()))\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    if os.geteuid() == 0:
        bind = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
        argv = ["unshare", "--mount", "sh", "-c", bind, "sh", str(tmp_path), *argv]
    else:
        tmp_path.chmod(0o500)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.stdout == "UnavailableError disk []\n", done.stderr


def test_files_are_found_by_what_they_say(tmp_path: Path) -> None:
    """Without git: not in caches, nor in a repository of its own."""
    for name in (
        *("compose.yaml", "deploy/deep/x.yaml", ".github/workflows/ci.yaml", "node_modules/x.yaml", ".git/x"),
        *(".cache/modules/x.yaml", "third_party/x.yaml", "third_party/.git/HEAD"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# wherry generate compose\n")
    (tmp_path / "other.yaml").write_text("a: # wherry generate compose\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert written.commands_in(tmp_path, None) == {
        COMMAND: (".github/workflows/ci.yaml", "compose.yaml", "deploy/deep/x.yaml")
    }
    names = ("compose.yaml", "third_party", "gone.yaml", "pipe")
    assert written.commands_in(tmp_path, names) == {COMMAND: ("compose.yaml",)}


def test_a_long_first_line_is_read_whole(tmp_path: Path) -> None:
    """Else `generate` would drop the programs that did not fit, and `--check` be content."""
    packages = tuple(f"./services/number-{number}/cmd/api" for number in range(2000))
    command = Command(choice=Choice(what="makefile", packages=packages))
    written.write(tmp_path, (one(tmp_path, File(path="Makefile", text="all:\n"), command),))
    assert written.commands_in(tmp_path, None) == {command: ("Makefile",)}


def test_what_is_no_text_is_not_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF" + bytes(written.LARGEST))
    sizes = list[int]()
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(os, "read", read)
    assert not written.commands_in(tmp_path, None)
    assert sum(sizes) == written.HEAD


def test_only_a_line_break_ends_a_line_of_a_diff(tmp_path: Path) -> None:
    change = one(tmp_path, File(path="compose.yaml", text="a: 'x\u2028y'\n"))
    assert "+a: 'x\u2028y'\n" in change.diff


def test_a_line_that_is_none_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("# wherry generate rockets\n")
    with pytest.raises(UsageError) as caught:
        written.commands_in(tmp_path, None)
    assert caught.value.where[0].startswith("x.yaml")


def test_a_part_that_cannot_stay_does_not_hide_other_changes(tmp_path: Path) -> None:
    head = "# wherry generate compose\n"
    (tmp_path / "a.yaml").write_text(f"{head}# wherry:keep\n")
    (tmp_path / "b.yaml").write_text(f"{head}old\n")
    files = tuple(File(path=name, text="new\n") for name in ("a.yaml", "b.yaml"))
    changes, errors = written.compared(tmp_path, files, COMMAND, nobody)
    assert [(one.path, one.state) for one in changes] == [("a.yaml", "changed"), ("b.yaml", "changed")]
    assert [one.name for one in errors] == ["kept-part"]


def test_what_is_not_utf8_comes_back_as_it_was(tmp_path: Path) -> None:
    written.write(tmp_path, (one(tmp_path),))
    path = tmp_path / "compose.yaml"
    path.write_bytes(path.read_bytes() + b"# wherry:keep\n# \xff\n# wherry:end\n")
    change = one(tmp_path, File(path="compose.yaml", text="a: 2\n"))
    written.write(tmp_path, (change,))
    assert path.read_bytes().endswith(b"a: 2\n# wherry:keep\n# \xff\n# wherry:end\n")
