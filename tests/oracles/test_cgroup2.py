"""What most users have and this machine may not: cgroup v2. A hardened container of each runtime, in an emulated machine of each
Debian release; its limits as the kernel says them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.vm import Kind, run_in_vm
from tests.support.vm_root import PYTHONS

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

ROOT = Path(__file__).parents[2]
#: Runs there: the bundle of tests.support.run_hardened around busybox, which needs too much of everything and then waits.
SCRIPT = """
import json, shutil, subprocess, sys, time
from pathlib import Path
from run_hardened import bundle
from wherry.oci.config import RunConfig

runtime = sys.argv[1]
memory, pids = "tail /dev/zero", "(for n in $(seq 99); do sleep 9 & done) & wait"
cpu = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
words = ("/bin/sh", "-c", f"{memory}; {cpu}; {pids}; exec sleep 600")
folder, group = Path("/tmp", runtime), Path("/sys/fs/cgroup/wherry", runtime)
(folder / "rootfs/bin").mkdir(parents=True)
for name in ("proc", "dev", "sys", "tmp"):
    (folder / "rootfs" / name).mkdir()
shutil.copy("/usr/bin/busybox", folder / "rootfs/bin")
for name in ("sh", "sleep", "tail", "seq"):
    (folder / "rootfs/bin" / name).symlink_to("busybox")
spec = bundle(RunConfig(user="65532:65532", entrypoint=words, env=("PATH=/bin",)), [])
spec["linux"]["cgroupsPath"] = f"/wherry/{runtime}"
spec["linux"]["resources"]["cpu"] = {"quota": 50000, "period": 100000}
(folder / "config.json").write_text(json.dumps(spec))
with open(folder / "log", "wb") as log:
    command = [runtime, "run", "-d", "-b", folder, "--pid-file", folder / "pid", runtime]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
pid = (folder / "pid").read_text().strip()
end = time.monotonic() + 90
while time.monotonic() < end and "sleep" != Path(f"/proc/{pid}/comm").read_text().strip():
    time.sleep(0.1)
files = {file.name: file.read_text().strip() for file in group.iterdir() if file.name in sys.argv[2:]}
said = {"files": files, "status": Path(f"/proc/{pid}/status").read_text(), "group": Path(f"/proc/{pid}/cgroup").read_text()}
subprocess.run([runtime, "delete", "--force", runtime], check=True)
print(json.dumps({**said, "left": group.exists(), "log": (folder / "log").read_text()}))
"""
MEMORY = ("memory.max", "memory.swap.max", "memory.events", "memory.peak")
FILES = (*MEMORY, "cpu.max", "cpu.stat", "pids.max", "pids.events", "pids.peak")


@pytest.fixture(scope="module", params=PYTHONS)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["runc", "crun"])
def seen(release: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    script = tmp_path_factory.mktemp("script") / "script.py"
    script.write_text(SCRIPT)
    command = f"PYTHONPATH=/shared:/shared/src:/opt/site python3 script.py {request.param} {' '.join(FILES)}"
    files = {"script.py": script, "run_hardened.py": ROOT / "tests/support/run_hardened.py"}
    done = run_in_vm(command, files, kind=Kind(release=release))
    assert done.code == 0, f"{done.stderr}\n{done.console[-2000:]}"
    return dict(json.loads(done.stdout))


def numbers(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def test_limits_are_set(seen: dict[str, Any]) -> None:
    files = seen["files"]
    assert files["memory.max"] == str(64 << 20)
    assert files["memory.swap.max"] == "0"
    assert files["cpu.max"] == "50000 100000"
    assert files["pids.max"] == "64"
    assert seen["group"].startswith("0::/wherry/")


def test_limits_are_kept(seen: dict[str, Any]) -> None:
    files = seen["files"]
    assert numbers(files["memory.events"])["oom_kill"] == 1, files
    assert 60 << 20 < int(files["memory.peak"]) <= 64 << 20
    assert numbers(files["cpu.stat"])["nr_throttled"] > 0
    assert numbers(files["pids.events"])["max"] > 0
    assert files["pids.peak"] == "64"


def test_it_is_hardened_and_leaves_nothing(seen: dict[str, Any]) -> None:
    status = dict(line.split(":\t", 1) for line in seen["status"].splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["65532"] * 4
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert not seen["left"]
