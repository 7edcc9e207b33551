"""Rows E03 and E07 for the caches: twenty runs at once, and pruning beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.caches import cache
from wherry.cache.contents import df
from wherry.cache.folders import Folders
from wherry.cache.prune import Order, prune
from wherry.system.clock import now

ROOT = Path(__file__).parents[2]

SHARE = """
import sys
from wherry.cache.blobs import Blobs
from wherry.cache.folders import Folders, prepare
from wherry.cache.leases import lease
from wherry.cache.records import Records
from wherry.oci.digest import of_bytes

folders = prepare(Folders(sys.argv[1]))
with lease(folders):
    records = Records(folders)
    blobs = Blobs(folders, records)
    for round in range(10):
        data = b"%d" % round * 10_000
        digest = of_bytes(data)
        known = records.get(f"k{round}")
        path = blobs.get(digest, len(data))
        if known is None or path is None:
            blobs.add(data)
            records.put(f"k{round}", b'"%s"' % digest.encode())
            path = blobs.get(digest, len(data))
        assert path and path.read_bytes() == data
        assert records.get(f"k{round}") == b'"%s"' % digest.encode()
    assert not records.findings and not blobs.findings
"""


def test_e03_twenty_share_a_cold_cache(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SHARE, str(tmp_path / "c")]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(20)]
    said = [child.communicate(timeout=120)[1] for child in running]
    assert [child.returncode for child in running] == [0] * 20, said
    folders = Folders(str(tmp_path / "c"))
    assert {row.kind: row.count for row in df(folders)} == {
        "layers": 10, "records": 20, "binaries": 0, "unchanged builds": 0, "damaged": 0,
    }  # fmt: skip
    assert list(Path(folders.path).rglob("*.tmp")) == []


USE = """
import random, sys, time
from wherry.cache.blobs import Blobs, temporary
from wherry.cache.folders import Folders
from wherry.cache.leases import lease
from wherry.cache.records import Records
from wherry.oci.digest import of_bytes

folders, dice, made = Folders(sys.argv[1]), random.Random(sys.argv[2]), 0
until = time.monotonic() + 4
while time.monotonic() < until:
    with lease(folders):
        records = Records(folders)
        blobs = Blobs(folders, records)
        data = b"%d" % dice.randrange(5) * 5000
        digest = of_bytes(data)
        if records.get(digest.hex) is None or not blobs.path(digest).exists():
            made += 1
            if dice.random() < 0.5:
                blobs.add(data)
                records.put(digest.hex, b'{"digest":"%s"}' % digest.encode())
            else:  # as the assemble room does it, which knows no more of the cache than records and a folder
                records.put(digest.hex, b'{"digest":"%s"}' % digest.encode())
                made_file = temporary(folders)
                made_file.write_bytes(data)
                made_file.replace(blobs.path(digest))
        time.sleep(dice.random() / 20)
        assert blobs.path(digest).read_bytes() == data, "pruned under a living run"
print(made)
"""


def test_e07_a_prune_loop_against_running_builds(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    command = [sys.executable, "-c", USE, folders.root]
    running = [
        subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in range(8)
    ]
    freed = 0
    while any(child.poll() is None for child in running):
        freed += prune(folders, Order(everything=True), lambda: now() + 1000).count
    said = [child.communicate() for child in running]
    assert [child.returncode for child in running] == [0] * 8, said
    assert freed > 0, "nothing was ever pruned, so nothing was tried"
    assert sum(int(made) for made, _ in said) > 8, "nothing had to be made again"
