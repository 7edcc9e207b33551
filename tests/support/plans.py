"""Plans, bases and binaries for tests of assembling. A folder in, ready values out; writes small files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.packing import file
from wherry.assemble import static
from wherry.assemble.image import assemble_all, prepare
from wherry.assemble.pack import Packer
from wherry.model.base import Base
from wherry.model.binary import Binary
from wherry.model.image import Built
from wherry.model.plan import BaseChoice, ImagePlan, Target
from wherry.oci.platform import Platform, parse

AMD64, ARM64 = parse("linux/amd64"), parse("linux/arm64")


def plan(**fields: Any) -> ImagePlan:
    """An image plan for one small program, with what the test is about."""
    target = Target(import_path="example.com/app/cmd/hello", name="hello", file="hello")
    usual: dict[str, Any] = {"name": "hello", "version": "1.2.3", "full_version": "1.2.3", "platforms": (AMD64,)}
    return ImagePlan(**{**usual, "targets": (target,), "base": BaseChoice(name="static"), **fields})


def binaries(folder: Path, image: ImagePlan) -> tuple[Binary, ...]:
    """One file for each target and platform, its name as its content."""
    return tuple(_binary(folder, target, platform) for platform in image.platforms for target in image.targets)


def _binary(folder: Path, target: Target, platform: Platform) -> Binary:
    path = folder / "bin" / str(platform) / target.file
    if not path.exists():
        file(path, f"ELF of {target.name} for {platform}\n".encode() * 50_000, 0o755)
    return Binary(
        import_path=target.import_path, name=target.name, platform=platform, file=str(path), size=path.stat().st_size
    )


def build(image: ImagePlan, folder: Path, use: Packer, bases: tuple[Base, ...] = ()) -> Built:
    """The whole way from a plan to an image, with built-in bases unless given."""
    stood_on = bases or static.built_in(image.base, image.platforms, image.packing, folder, use)
    return assemble_all(image, prepare(image, stood_on, folder, use), binaries(folder, image), use)
