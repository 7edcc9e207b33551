"""A small machine with cgroup v2, which this one may not have. A script and files in; its exit code, what it said and what it
left out. Starts qemu, which emulates the processor, so that it works in a virtual machine too; about ten times slower than here.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import need
from tests.support.vm_root import Machine, machine

SOURCES = Path(__file__).parents[2] / "src"
#: Seconds that starting and ending may take beside the script, on a busy machine.
BOOT = 90
#: Room for what the script leaves: a sparse file.
ROOM = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Which machine."""

    release: str = "trixie"
    """Of Debian, a key of PYTHONS."""
    memory_mb: int = 512
    systemd: bool = False
    """It manages services and users' sessions, which takes some seconds more; else nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a script ended there. `code` is 137 when its time was over."""

    code: int
    stdout: str
    stderr: str
    console: str
    """What the kernel said."""


PLAIN = Kind()


def run_in_vm(script: str, files: Mapping[str, Path], *, kind: Kind = PLAIN, timeout: int = 120) -> Completed:
    """Runs `script` (sh) as root in a machine, in /shared with copies of `files` by their names. Without systemd its control
    group is /session, and all controllers can be had below the root. `wherry` is there, with the sources of this tree, and of the
    network nothing but loopback. `timeout`: seconds for the script."""
    need("qemu-system-x86_64", "setpriv")
    made = machine(kind.release)
    with tempfile.TemporaryDirectory(prefix="wherry-vm-") as name:
        folder = Path(name)
        disks = (_pack(folder, script, {"src": SOURCES, **files}, timeout), folder / "out")
        with disks[1].open("wb") as out:
            out.truncate(ROOM)
        console = _boot(made, disks, kind, timeout + BOOT)
        return _read(disks[1], console)


def _pack(folder: Path, script: str, files: Mapping[str, Path], timeout: int) -> Path:
    """A disk that is a tar."""
    shared, disk = folder / "shared", folder / "in"
    shared.mkdir(mode=0o755)
    for name, path in files.items():
        (shared / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, shared / name)
    (shared / ".job").write_text(script)
    (shared / ".limit").write_text(str(timeout))
    subprocess.run(["tar", "-cf", str(disk), "-C", str(shared), "."], check=True)
    return disk


def _boot(made: Machine, disks: tuple[Path, Path], kind: Kind, seconds: int) -> str:
    """What the kernel said; the machine is gone afterwards."""
    console, said = (disks[0].with_name(name) for name in ("console", "qemu"))
    drives = ((made.root, "on"), *((disk, "off") for disk in disks))
    # One processor: with two, qemu 7.2 may run code that the other has just changed, and the kernel dies of it (int3).
    words = f"setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m {kind.memory_mb}M -nodefaults -no-reboot"
    command = [*words.split(), "-display", "none", "-net", "none", "-serial", f"file:{console}"]
    command += ["-kernel", str(made.kernel), "-initrd", str(made.initramfs)]
    manager = " manager=systemd systemd.firstboot=no systemd.unit=job.service" if kind.systemd else ""
    command += ["-append", f"console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off{manager}"]
    for file, snapshot in drives:
        command += ["-drive", f"file={file},format=raw,if=virtio,cache=unsafe,snapshot={snapshot}"]
    with said.open("wb") as out, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as qemu:
        try:
            qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            qemu.kill()
    return "".join(file.read_text(errors="replace") for file in (console, said) if file.exists())


def _read(disk: Path, console: str) -> Completed:
    """What the machine's last act wrote."""
    left = disk.with_name("left")
    left.mkdir()
    done = subprocess.run(["tar", "-xf", str(disk), "-C", str(left)], capture_output=True, text=True, check=False)
    code = left / "code"
    assert code.exists(), f"the machine did not get to its end: {done.stderr}\n{console[-3000:]}"
    stdout, stderr = ((left / name).read_text(errors="replace") for name in ("stdout", "stderr"))
    return Completed(code=int(code.read_text()), stdout=stdout, stderr=stderr, console=console)
