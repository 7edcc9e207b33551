"""Scratch folders: private, gone afterwards, and gone by the next run when their own was killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wherry.errors import RefusedError
from wherry.kit.scratch import scratch_folder


def test_a_folder_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder(str(tmp_path / "runs")) as folder:
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        Path(folder, "sub").mkdir()
        Path(folder, "sub/file").write_text("x")
    assert list((tmp_path / "runs").iterdir()) == []


def test_two_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    with scratch_folder(str(tmp_path)) as first, scratch_folder(str(tmp_path)) as second:
        assert first != second
        assert Path(first).is_dir()


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom wherry.kit.scratch import scratch_folder\n"
        f"with scratch_folder({str(tmp_path)!r}) as folder:\n    print(folder, flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    left = Path(child.stdout.readline().strip())
    with scratch_folder(str(tmp_path)):
        assert left.is_dir(), "its run is alive"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert left.is_dir()
    with scratch_folder(str(tmp_path)):
        assert not left.exists()


def test_only_own_names_and_real_folders_are_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    root = tmp_path / "runs"
    root.mkdir(mode=0o700)
    (root / "other").mkdir()
    (root / "run-link").symlink_to(precious)
    with scratch_folder(str(root)) as folder:
        Path(folder, "link").symlink_to(precious)
    assert (precious / "file").exists()
    assert {entry.name for entry in root.iterdir()} == {"other", "run-link"}


def test_a_link_as_parent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(RefusedError), scratch_folder(str(tmp_path / "link")):
        pass
