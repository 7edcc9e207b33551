"""Leases say who runs, and die with their process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.caches import cache
from wherry.cache.folders import Folders
from wherry.cache.leases import gate, lease, oldest

HOLD = """
import sys, time
from wherry.cache.folders import Folders
from wherry.cache.leases import lease
with lease(Folders(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def leases(folders: Folders) -> list[str]:
    return [path.name for path in Path(folders.locks).iterdir() if path.name != "gate"]


def test_the_oldest_living_lease_counts(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    assert oldest(folders) is None
    with lease(folders):
        first = Path(folders.locks, leases(folders)[0])
        os.utime(first, (1000, 1000))
        with lease(folders):
            assert oldest(folders) == 1000
    assert oldest(folders) is None
    assert leases(folders) == []


def test_the_lease_of_a_killed_process_is_dead(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    with subprocess.Popen([sys.executable, "-c", HOLD, folders.root], stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        assert oldest(folders) is not None
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert len(leases(folders)) == 1
    assert oldest(folders) is None
    assert leases(folders) == []


def test_users_pass_the_gate_together_and_deleters_alone(tmp_path: Path) -> None:
    folders = cache(tmp_path)
    seen: list[str] = []

    def delete() -> None:
        with gate(folders, alone=True):
            seen.append("deleted")

    with gate(folders), gate(folders):
        thread = threading.Thread(target=delete)
        thread.start()
        time.sleep(0.05)
        seen.append("used")
    thread.join()
    assert seen == ["used", "deleted"]
