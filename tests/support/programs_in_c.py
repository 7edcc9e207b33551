"""Programs and libraries in C, compiled by this machine's compiler, and bases with libraries. Folders in, ELF files and a Base
out; starts the compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.packing import archive, directory, file, packed
from tests.support.tools import need
from wherry.formats import elf
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.model.image import Layer
from wherry.oci import media
from wherry.oci.digest import Digest
from wherry.oci.platform import Platform
from wherry.oci.tar import Entry

HOST = Platform(architecture={"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine])
MAIN = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'


def compiled(path: Path, source: str = MAIN, *flags: str) -> Path:
    """`source` compiled and linked to `path`."""
    need("gcc")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.with_suffix(".c")
    text.write_text(source)
    subprocess.run(["gcc", "-o", str(path), str(text), *flags], check=True, capture_output=True)
    return path


def library(path: Path, version: str, *, soname: str = "", uses: tuple[str, ...] = ()) -> Path:
    """A shared library that defines one function under the symbol version `version`, like an older C library would."""
    script = file(path.with_suffix(".map"), f"{version} {{ global: answer; local: *; }};\n".encode())
    flags = ("-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{soname or path.name}", f"-Wl,--version-script,{script}")
    return compiled(path, "int answer(void) { return 42; }\n", *flags, *uses)


def binary(path: Path, platform: Platform = HOST) -> Binary:
    return Binary(
        import_path="example.com/x", name=path.name, platform=platform, file=str(path), size=path.stat().st_size
    )


def loader(program: Path) -> str:
    """The loader that a program of this machine asks for."""
    return elf.parse(program.read_bytes(), name=program.name).interpreter


def of_this_machine(program: Path) -> dict[str, Path]:
    """Where a base has the loader and the libraries of `program`, and those files here."""
    parsed = elf.parse(program.read_bytes(), name=program.name)
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    paths = {word for line in said.splitlines() for word in line.split() if word.startswith("/")}
    return {parsed.interpreter.lstrip("/"): Path(parsed.interpreter)} | {
        f"usr/lib/{Path(path).name}": Path(path) for path in paths if Path(path).name in parsed.needed
    }


def base(
    folder: Path,
    files: dict[str, Path],
    links: dict[str, str] | None = None,
    *,
    name: str = "docker://reg.example/base:1",
) -> Base:
    """A base of one layer with these files and links."""
    folders = {str(parent) for path in (*files, *(links or {})) for parent in Path(path).parents} - {"."}
    entries = [directory(path) for path in sorted(folders - set(links or {}))]
    entries += [Entry(path=path, mode=0o755, content=real.read_bytes()) for path, real in files.items()]
    entries += [Entry(path=path, kind="link", target=target) for path, target in (links or {}).items()]
    made = packed(folder, archive(entries))
    assert made.digest
    assert made.diff_id
    layer = Layer(
        media_type=media.OCI_LAYER_GZIP, digest=made.digest, size=Path(made.file).stat().st_size, diff_id=made.diff_id,
        unpacked_size=0, file=made.file, role="base",
    )  # fmt: skip
    return Base(name=name, platform=HOST, digest=Digest("sha256:" + "a" * 64), layers=(layer,))


def readelf(path: Path, flag: str) -> str:
    """What binutils say of a file."""
    need("readelf")
    program = shutil.which("readelf") or ""
    return subprocess.run([program, flag, "-W", str(path)], capture_output=True, text=True, check=True).stdout
