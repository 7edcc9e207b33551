"""The same bytes on arm64: a Python for arm64 under qemu packs what this machine packs. Result written to docs/oracles.md."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import opinions
from tests.support.servers import need_root, short_folder
from tests.support.tools import need

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

ROOT = Path(__file__).parents[2]
WHEELS = ("certifi", "deflate", "filelock", "msgspec", "pathspec", "platformdirs", "tzdata", "zstandard")
#: Run by both Pythons: compressed bytes of fixed input by method and level, and the digest of the built-in base.
SCRIPT = """
import hashlib, json, platform, sys
from pathlib import Path
from wherry.assemble.pack import Packer
from wherry.assemble.static import built_in
from wherry.cache.folders import Folders, prepare
from wherry.cache.records import Records
from wherry.kit.compress import compressor
from wherry.model.plan import BaseChoice, Packing
from wherry.oci.platform import Platform

text = b"".join(hashlib.sha256(b"%d" % (number // 40)).digest() for number in range(80_000))
blocks = [memoryview(text)[at : at + (1 << 20)] for at in range(0, len(text), 1 << 20)]
said = {}
for method, level in (("gzip", 1), ("gzip", 6), ("gzip", 9), ("gzip", 12), ("zstd", 1), ("zstd", 3), ("zstd", 19)):
    pack = compressor(method, level)
    said[f"{method} {level}"] = hashlib.sha256(b"".join(bytes(pack(block)) for block in blocks)).hexdigest()
folder = Path(sys.argv[1])
folders = prepare(Folders(str(folder / "cache")))
for compression in ("gzip", "zstd"):
    packer = Packer(blobs=Path(folders.blobs), scratch=folder, records=Records(folders), threads=2)
    packing = Packing(format="oci", compression=compression)
    (base,) = built_in(BaseChoice(name="static"), (Platform(architecture="amd64"),), packing, folder, packer)
    said[f"static base, {compression}"] = base.layers[0].digest
print(json.dumps([platform.machine(), sys.version.split()[0], said]))
"""


@pytest.fixture(scope="module")
def arm64() -> Iterator[Path]:
    """A Debian for arm64, its packages unpacked but not set up, with Python, qemu, our wheels for arm64 and our sources."""
    need("debootstrap", "qemu-aarch64-static", "dpkg-deb")
    need_root()
    with short_folder() as root:
        include = "--include=python3-minimal,libpython3-stdlib"
        command = ["debootstrap", "--arch=arm64", "--variant=minbase", "--foreign", include, "bookworm", str(root)]
        subprocess.run(command, check=True, capture_output=True)
        for archive in (root / "var/cache/apt/archives").glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True)
        shutil.copy(shutil.which("qemu-aarch64-static") or "", root / "qemu")
        shutil.copytree(ROOT / "src/wherry", root / "site/wherry")
        wheels(root)
        (root / "work").mkdir()
        yield root


def wheels(root: Path) -> None:
    """The versions that are installed here, built for arm64 and Debian 12's Python."""
    from importlib.metadata import version

    target = ("--platform=manylinux2014_aarch64", "--platform=manylinux_2_28_aarch64", "--python-version=3.11")
    words = ["install", "-q", "--no-deps", "--only-binary=:all:", f"--target={root}/site", *target]
    pins = [f"{name}=={version(name)}" for name in WHEELS]
    subprocess.run([sys.executable, "-m", "pip", *words, *pins], check=True, capture_output=True)


def said_by(*python: str, folder: Path) -> tuple[str, str, dict[str, str]]:
    done = subprocess.run([*python, "-c", SCRIPT, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    machine, version, said = json.loads(done.stdout)
    return machine, version, said


def test_packed_bytes_are_equal(arm64: Path, tmp_path: Path) -> None:
    here = said_by(sys.executable, folder=tmp_path)
    emulated = ("chroot", str(arm64), "/qemu", "-E", "PYTHONPATH=/site", "/usr/bin/python3.11")
    there = said_by(*emulated, folder=Path("/work"))
    assert (here[0], there[0]) == ("x86_64", "aarch64")
    rows = tuple((name, digest[:19], there[2][name][:19]) for name, digest in here[2].items())
    opinions.record(
        "The same bytes on arm64",
        "SHA-256 of the same input packed here and by a Python for arm64 under qemu, and of the layer of the built-in base.",
        "",
        *opinions.table(("packed by", f"{here[0]}, Python {here[1]}", f"{there[0]}, Python {there[1]}"), rows),
    )
    assert here[2] == there[2]
