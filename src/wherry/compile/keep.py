"""Binaries kept between runs, so that Go skips linking. A compilation in, hard links to what was kept out; touches the
kept folder.

Go leaves an output file alone when the build id at its start is the one it would write. Three facts follow, and shape
this file: a half-written file would be believed, so nothing is ever written in place here: Go builds into a private
folder that was seeded with hard links, and what it linked anew is published by rename, with a record of the file last
(E01, E02). A second wherry may do the same beside us: each has private links to whole files, and the last rename wins
(E03). And what was not synced may be lost with the power, so a record counts only until the machine is started again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from wherry.errors import WherryError
from wherry.kit.files import aside, atomic_write, disk_errors, private_directory
from wherry.kit.value import Value, decodable
from wherry.model.binary import Binary
from wherry.model.plan import Compilation, Target
from wherry.model.toolchain import Toolchain

FORMAT: Final = "1"
BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"


class Record(Value, frozen=True, kw_only=True):
    """What was true of a kept file when it was complete. Written last; a file that differs is not believed."""

    size: int
    modified: int
    """Nanoseconds."""
    inode: int
    boot: str
    sha256: str = ""


class Seed(Value, frozen=True, kw_only=True):
    """One target's place before building: `inode` 0 when there was nothing to believe."""

    target: Target
    inode: int = 0
    record: Record | None = None


def key(compilation: Compilation, toolchain: Toolchain) -> str:
    """Hexadecimal name of what may share kept files: same Go, place, platform, flags, environment and packages (E06)."""
    parts = (FORMAT, toolchain.version, toolchain.go, msgspec.json.encode(compilation).decode())
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def kept_directory(root: str, compilation: Compilation, toolchain: Toolchain) -> Path:
    """Folder below `root` that holds this compilation's kept files; it may not exist."""
    return Path(root, key(compilation, toolchain))


def seed(compilation: Compilation, kept: Path, out: Path) -> tuple[Seed, ...]:
    """Links every kept file that is as its record says into `out`."""
    boot = boot_id()
    return tuple(_seed_one(target, kept, out, boot) for target in compilation.targets)


def _seed_one(target: Target, kept: Path, out: Path, boot: str) -> Seed:
    record = _believed(kept / target.file, _record_file(kept, target.file), boot)
    if record is None:
        return Seed(target=target)
    try:
        os.link(kept / target.file, out / target.file, follow_symlinks=False)
        inode = (out / target.file).stat().st_ino
    except OSError:
        return Seed(target=target)
    # A second name keeps the inode in use: a new file cannot get its number, so comparing numbers is sound.
    os.link(out / target.file, out.parent / f"seed-{target.file}", follow_symlinks=False)
    return Seed(target=target, inode=inode, record=record) if inode == record.inode else _dropped(target, out)


def _dropped(target: Target, out: Path) -> Seed:
    (out / target.file).unlink()
    return Seed(target=target)


def publish(seed: Seed, out: Path, kept: Path) -> tuple[bool, str]:
    """After a good build: keeps what was linked anew. Returns whether it was, and the SHA-256 if an earlier run left one."""
    built = out / seed.target.file
    status = built.stat()
    if seed.record is not None and status.st_ino == seed.inode:
        os.utime(built, ns=(status.st_atime_ns, seed.record.modified))  # Go touches what it leaves alone
        return False, seed.record.sha256
    # A full or foreign file system costs the next run a link, not this run its binary.
    with contextlib.suppress(OSError, WherryError):
        private_directory(kept)
        with aside(kept / seed.target.file) as temporary:
            os.link(built, temporary, follow_symlinks=False)
            temporary.replace(kept / seed.target.file)
        _write_record(kept, seed.target.file, _record(status, boot_id()))
    return True, ""


def remember(binary: Binary, root: str) -> None:
    """Writes a known SHA-256 beside the kept file, if that is still the very file of `binary`; so the next run need not
    read it."""
    built = Path(binary.file)
    kept = Path(root, built.parent.parent.name.partition(".")[0])
    record = _believed(kept / built.name, _record_file(kept, built.name), boot_id())
    if record is not None and not record.sha256 and _same_file(built, record):
        with contextlib.suppress(OSError, WherryError):
            _write_record(kept, built.name, msgspec.structs.replace(record, sha256=binary.sha256))


def workspace(scratch: str, name: str) -> tuple[Path, Path]:
    """A new private folder for one build below `scratch`: where Go writes binaries, and where it works."""
    place = Path(scratch, f"{name}.{os.urandom(4).hex()}")
    with disk_errors(place):
        place.mkdir(mode=0o700)
        for folder in ("out", "work"):
            (place / folder).mkdir(mode=0o700)
    return place / "out", place / "work"


def boot_id() -> str:
    """Changes with each start of the machine; empty where there is none, and then nothing is believed."""
    try:
        return Path(BOOT_ID).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _believed(file: Path, record_file: Path, boot: str) -> Record | None:
    try:
        record = msgspec.json.decode(record_file.read_bytes(), type=decodable(Record))
        status = file.lstat()
    except (OSError, msgspec.MsgspecError):
        return None
    now = _record(status, boot, record.sha256)
    return record if boot and record == now and stat.S_ISREG(status.st_mode) else None


def _record(status: os.stat_result, boot: str, sha256: str = "") -> Record:
    return Record(size=status.st_size, modified=status.st_mtime_ns, inode=status.st_ino, boot=boot, sha256=sha256)


def _same_file(file: Path, record: Record) -> bool:
    try:
        return file.lstat().st_ino == record.inode
    except OSError:
        return False


def _record_file(kept: Path, name: str) -> Path:
    return kept / f".{name}.json"


def _write_record(kept: Path, name: str, record: Record) -> None:
    atomic_write(_record_file(kept, name), msgspec.json.encode(record), mode=0o600)
