"""Rows E02, E03, E05, H06 and H07 where Go is run: killed, interrupted, beside itself, on a full disk, in odd terminals."""

import concurrent.futures
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.compiling import MAIN, compilation, module, unique, workplace
from tests.support.runbook import until
from tests.support.tools import need
from wherry.compile import compile_all
from wherry.system.processes import Processes

ROOT = Path(__file__).parents[2]


def begun(folder: Path, work: Path, *flags: str, **variables: str) -> "subprocess.Popen[str]":
    """A compilation in another process, just begun."""
    words = [sys.executable, "-m", "tests.support.compile_once", str(folder), str(work), *flags]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables})
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    return child


def ended(child: "subprocess.Popen[str]") -> str:
    output, _ = child.communicate(timeout=120)
    return output.strip()


def reference(folder: Path, work: Path) -> str:
    """The right bytes, built with nothing kept."""
    (binary,) = compile_all((compilation(folder),), workplace(work, root=folder), Processes()).binaries
    return hashlib.sha256(Path(binary.file).read_bytes()).hexdigest()


def processes_about(work: Path) -> list[int]:
    """Everybody whose environment names `work`: Go and what it started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and f"{work}/".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_e02_killed_at_any_moment_the_next_build_is_right(tmp_path: Path) -> None:
    folder = module(tmp_path / "app")
    moments = random.Random(7)
    for _ in range(8):
        (folder / "main.go").write_text(unique())
        child = begun(folder, tmp_path / "work")
        time.sleep(moments.uniform(0.0, 0.5))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        again = ended(begun(folder, tmp_path / "work"))
        assert again == reference(folder, tmp_path / "clean")
    left = [path for path in (tmp_path / "work/runs").iterdir() if path.name != "run-"]
    assert len(left) <= 1, "what killed runs left is removed by the next"


@pytest.mark.slow
def test_e03_beside_itself_each_gets_the_right_binary(tmp_path: Path) -> None:
    folder = module(tmp_path / "app")
    for _ in range(3):
        (folder / "main.go").write_text(unique())
        children = [begun(folder, tmp_path / "work") for _ in range(3)]
        wanted = reference(folder, tmp_path / "clean")
        assert [ended(child) for child in children] == [wanted] * 3
        assert ended(begun(folder, tmp_path / "work")) == wanted


def test_e03_in_threads_with_other_flags(tmp_path: Path) -> None:
    main = MAIN.replace('"hello\\n"', 'word + "\\n"') + '\nvar word = "none"\n'
    folder = module(tmp_path / "app", {"main.go": main})
    place = workplace(tmp_path / "work", root=folder)

    def word(number: int) -> str:
        what = compilation(folder, flags=(f"-ldflags=-X main.word=w{number % 3}",))
        (binary,) = compile_all((what,), place, Processes()).binaries
        return subprocess.run([binary.file], capture_output=True, text=True, check=True).stdout.strip()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(word, range(12))) == [f"w{number % 3}" for number in range(12)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_h06_interrupted_go_and_all_its_children_end(number: signal.Signals, tmp_path: Path) -> None:
    folder = module(tmp_path / "app", {"main.go": unique()})
    work = tmp_path / "work"
    wrapper = tmp_path / "slow"
    wrapper.write_text("#!/bin/sh\nsleep 120\n")
    wrapper.chmod(0o755)
    child = begun(folder, work, f"-toolexec={wrapper}")
    until(lambda: len(processes_about(work)) >= 3)  # go and its tools are under way
    begin = time.monotonic()
    child.send_signal(number)
    child.communicate(timeout=90)
    assert time.monotonic() - begin < 60, "its tools take longer"
    assert child.returncode != 0
    assert processes_about(work) == []
    assert list((work / "runs").iterdir()) == []


def test_e05_a_full_disk_is_named_and_leaves_the_cache_sound(tmp_path: Path) -> None:
    need("unshare", "mount")
    folder = module(tmp_path / "app", {"main.go": unique()})
    work = tmp_path / "work"
    work.mkdir()
    script = f'mount -t tmpfs -o size=1m none {work} && exec "$0" -m tests.support.compile_once {folder} {work}'
    done = subprocess.run(
        ["unshare", "-r", "-m", "/bin/sh", "-c", script, sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()[:80]}")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].startswith("disk "), done.stdout + done.stderr
    assert ended(begun(folder, work)) == reference(folder, tmp_path / "clean")


TERMINALS: tuple[dict[str, str], ...] = (
    {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "COLUMNS": "40", "TERM": "dumb"},
    {"LC_ALL": "tr_TR.UTF-8", "LANG": "ja_JP.eucJP", "NO_COLOR": "1"},
    {"HOME": "", "USER": "", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""},
    {"HOME": "/proc/nowhere", "XDG_CONFIG_HOME": "/proc/nowhere/config", "XDG_CACHE_HOME": "/proc/nowhere/cache"},
    {"LONG": "x" * 100_000},
)


def test_h07_odd_terminals_change_no_byte(tmp_path: Path) -> None:
    folder = module(tmp_path / "app")
    wanted = reference(folder, tmp_path / "clean")
    for number, variables in enumerate(TERMINALS):
        child = begun(folder, tmp_path / f"work{number}", **variables)
        assert ended(child) == wanted, variables


def test_h07_the_umask_changes_no_byte_and_locks_nobody_out(tmp_path: Path) -> None:
    folder = module(tmp_path / "app")
    wanted = reference(folder, tmp_path / "clean")
    for mask in (0o000, 0o077):
        before = os.umask(mask)
        try:
            assert ended(begun(folder, tmp_path / "work")) == wanted
        finally:
            os.umask(before)
    assert oct((tmp_path / "work/runs").stat().st_mode & 0o777) == "0o700"
