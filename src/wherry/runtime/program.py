"""Whether a container's program can be started at all, looked at before any engine is asked. A Container and its unpacked root
in, nothing or one clear error out; reads files of the root and of binds.

Engines say such mistakes in words of their own, or not at all: by the time the kernel refuses a program, runc, Docker and podman
have said already that it runs.
"""

from __future__ import annotations

import os
import stat
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.errors import RefusedError
from wherry.formats.elf import MACHINES
from wherry.model.container import Container
from wherry.oci.platform import ALIASES
from wherry.runtime.failures import of_kind

HEAD: Final = 4096
INTERPRETER: Final = 3
"""PT_INTERP."""
BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
#: Architecture of this machine → others that its kernel starts, too.
ALSO: Final = {"amd64": ("386",), "arm64": ("arm",)}
#: What distinguishes a level of amd64 from the one below, as the kernel calls it (x86-64 psABI, 3.1.1).
LEVELS: Final = {"v2": "popcnt sse4_2", "v3": "avx2 bmi2 fma", "v4": "avx512f avx512bw avx512vl"}
CPUINFO: Final = Path("/proc/cpuinfo")
DEEPEST: Final = 40
"""Links followed, as in the kernel."""


class Unknown(Exception):
    """What lies there cannot be told from here; its text is where that begins."""


def refuse_unstartable(container: Container, root: Path) -> None:
    """BuildError [no-entrypoint], [not-executable], [no-loader], [bad-workdir] or UnavailableError [other-processor] when it is
    certain that nothing can start; nothing when it is not. RefusedError [path-escape] where a link of the image leads the working
    directory into the kernel's."""
    try:
        folder = located(container, root, container.directory)
        if folder is None or not folder.is_dir():
            raise of_kind("bad-workdir", container.directory)
    except Unknown as where:
        if str(where) == "/proc":  # where descriptors of the runtime can be entered (CVE-2024-21626)
            raise RefusedError(
                "path-escape",
                f"the working directory {container.directory[:60]!r} leads into one of the kernel's",
                next="-w / starts it in the root",
            ) from None
    if container.platform.variant in LEVELS and os.uname().machine == "x86_64":
        refuse_level(container, CPUINFO.read_text())
    try:
        _refuse(container, root)
    except (Unknown, PermissionError):
        return


def refuse_level(container: Container, cpuinfo: str) -> None:
    """UnavailableError [cpu-level] where the image's variant of amd64 needs what `cpuinfo` (/proc/cpuinfo) does not list; nothing
    where that lists no flags."""
    variant = container.platform.variant if container.platform.architecture == "amd64" else ""
    missing = _missing(variant, cpuinfo)
    if missing:
        raise of_kind("cpu-level", str(container.platform), why=f"this processor has no {', '.join(missing)}")


def level(cpuinfo: str) -> str:
    """The highest level of amd64 that this processor has, v2 to v4; empty where it has none, or that is not told."""
    found = ""
    for name in LEVELS:
        if "flags" not in cpuinfo or _missing(name, cpuinfo):
            break
        found = name
    return found


def _missing(variant: str, cpuinfo: str) -> list[str]:
    flags = next((set(line.split()) for line in cpuinfo.splitlines() if line.startswith("flags")), None)
    return [one for one in LEVELS.get(variant, "").split() if flags is not None and one not in flags]


def _refuse(container: Container, root: Path) -> None:
    word = container.arguments[0]
    binds = tuple(one.path for one in container.binds)
    over = "" if word in binds else _above(word, binds)
    empty = "" if word in binds or over else _above(word, tuple(one.path for one in container.tmpfs if not one.copied))
    found = [] if empty else [one for path in _candidates(container, word) if (one := located(container, root, path))]
    if not found:
        why = f"what is mounted at {over or empty} hides what the image has there" if over or empty else ""
        raise of_kind("no-entrypoint", word, why=why)
    status = found[0].stat()
    if not stat.S_ISREG(status.st_mode) or not _executable(status, container):
        raise of_kind("not-executable", word)
    with found[0].open("rb") as file:
        head = file.read(HEAD)
    if head[:4] == b"\x7fELF":
        _refuse_other(head)
        loader = _loader(head)
    elif head[:2] == b"#!":
        loader = head[2:].split(b"\n")[0].strip().split(b" ")[0].decode("utf-8", "replace")
    elif any(BINFMT.glob("*")):
        return
    else:
        raise of_kind("not-executable", word, why="it is neither an ELF program nor a script")
    if loader.startswith("/") and located(container, root, loader) is None:
        raise of_kind("no-loader", word, why=f"it names {loader}")


def whole_path(container: Container, root: Path) -> str:
    """The program's absolute path inside; its name as it is where that cannot be told from here."""
    word = container.arguments[0]
    try:
        return next((path for path in _candidates(container, word) if located(container, root, path) is not None), word)
    except Unknown:
        return word


def located(container: Container, root: Path, path: str) -> Path | None:
    """The file of this machine that the program will see at `path`; None when there will be none. Unknown where that depends on
    what is mounted."""
    binds = {bind.path: bind.source for bind in container.binds}
    memory = {one.path for one in container.tmpfs}
    parts, here, links = deque(path.split("/")), [""], 0
    while parts:
        part = parts.popleft()
        if part in ("", "."):
            continue
        if part == "..":
            here = here[:-1] or [""]
            continue
        inside = "/".join((*here, part))
        if inside in memory or inside in ("/proc", "/sys", "/dev"):
            raise Unknown(inside)
        if inside in binds:
            return _behind(Path(binds[inside]), tuple(parts))
        full = root / inside.lstrip("/")
        if not os.path.lexists(full):
            return None
        if not full.is_symlink():
            here.append(part)
            continue
        links += 1
        if links > DEEPEST:
            return None
        target = os.readlink(full)  # noqa: PTH115 - its text, which Path would change
        here = [""] if target.startswith("/") else here
        parts.extendleft(reversed(target.split("/")))
    return root / "/".join(here).lstrip("/")


def _behind(source: Path, parts: tuple[str, ...]) -> Path | None:
    """In a bind: links there lead within the container, so they are left alone."""
    for part in parts:
        source /= part
        if source.is_symlink() or part == "..":
            raise Unknown
    return source if source.exists() else None


def _above(path: str, mounted: tuple[str, ...]) -> str:
    """The mount of these that `path` lies in; empty: none."""
    return next((one for one in mounted if path.startswith(f"{one}/")), "")


def _candidates(container: Container, word: str) -> Iterator[str]:
    if "/" in word:
        yield word if word.startswith("/") else f"{container.directory}/{word}"
        return
    for folder in dict(container.environment).get("PATH", "").split(":"):
        if folder.startswith("/"):
            yield f"{folder}/{word}"


def _executable(status: os.stat_result, container: Container) -> bool:
    """By its owner, group or others, as the kernel chooses; where owners are not the image's, anybody's will do."""
    mode, user = status.st_mode, container.user
    if os.geteuid() != 0 or user.uid == 0:
        return bool(mode & 0o111)
    if status.st_uid == user.uid:
        return bool(mode & 0o100)
    return bool(mode & (0o010 if status.st_gid in (user.gid, *user.groups) else 0o001))


def _refuse_other(head: bytes) -> None:
    order = "<" if head[5] == 1 else ">"
    (number,) = struct.unpack_from(f"{order}H", head, 18)
    architecture = MACHINES.get(number, "")
    machine = os.uname().machine
    here = "arm" if machine.startswith("armv") else ALIASES.get(machine, machine)
    if (
        architecture
        and not here.startswith(architecture)
        and architecture not in ALSO.get(here, ())
        and not _emulated()
    ):
        raise of_kind("other-processor", architecture, why=f"it is for {architecture}, and this machine is {here}")


def _emulated() -> bool:
    """Whether this machine starts other processors' programs by an emulator."""
    return any(BINFMT.glob("qemu-*"))


def _loader(head: bytes) -> str:
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    offset = struct.unpack_from(f"{order}Q" if wide else f"{order}I", head, 32 if wide else 28)[0]
    size, count = struct.unpack_from(f"{order}HH", head, 54 if wide else 42)
    for number in range(min(count, 64)):
        start = offset + number * size
        if start + size > len(head):
            raise Unknown
        if struct.unpack_from(f"{order}I", head, start)[0] != INTERPRETER:
            continue
        where = struct.unpack_from(f"{order}Q" if wide else f"{order}I", head, start + (8 if wide else 4))[0]
        if where >= len(head):
            raise Unknown
        return head[where:].split(b"\0")[0].decode("utf-8", "replace")
    return ""
