"""One digest, wherever and by whomever: folders, umasks, languages, time zones, clocks, threads, order of files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.packing import file, packer
from tests.support.plans import AMD64, ARM64, build, plan
from wherry.model.plan import Asset, Health, ImagePlan, Packing

ROOT = Path(__file__).parents[3]
NAMES = ("b", "a", "z/é", "z/E", "long" * 40)


PROGRAM = """
import os, sys
from pathlib import Path
from tests.unit.assemble import test_determinism as here
os.umask(int(sys.argv[2]))
print(here.digest(here.repository(Path(sys.argv[1]))))
"""


def image(compression: str = "gzip") -> ImagePlan:
    """A bit of everything."""
    return plan(
        platforms=(AMD64, ARM64),
        assets=(Asset(source="web", into="/srv"),),
        health=Health(port=80, path="/"),
        created=1_600_000_000,
        packing=Packing(compression=compression),
    )


def repository(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    for name in names:
        file(folder / "web" / os.fsdecode(name.encode()), name.encode() * 1000, 0o666)
    (folder / "web/link").symlink_to("a")
    return folder


def digest(folder: Path, compression: str = "gzip", threads: int = 2) -> str:
    return build(image(compression), folder, packer(folder / "cache", threads=threads)).digest


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_folders_order_and_threads(tmp_path: Path, compression: str) -> None:
    first = digest(repository(tmp_path / "one"), compression, 1)
    (tmp_path / "a deeper").mkdir()
    assert digest(repository(tmp_path / "a deeper/två", NAMES[::-1]), compression, 8) == first


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C"}, {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, {"TZ": "Pacific/Kiritimati"}, {"PYTHONHASHSEED": "7"},
     {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}],
)  # fmt: skip
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_environments_and_umasks(tmp_path: Path, environment: dict[str, str], umask: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "two", str(umask)],
        cwd=ROOT, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip
    assert done.stdout.strip() == digest(repository(tmp_path / "one"))


def test_clocks_and_times_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = digest(repository(tmp_path / "one"))
    folder = repository(tmp_path / "two")
    for path in folder.rglob("*"):
        os.utime(path, (10**9, 10**9), follow_symlinks=False)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert digest(folder) == first


def test_a_full_cache_gives_what_an_empty_one_gives(tmp_path: Path) -> None:
    folder, use = repository(tmp_path), packer(tmp_path / "cache")
    assert build(image(), folder, use).digest == build(image(), folder, use).digest == digest(folder)
