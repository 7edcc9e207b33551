"""Each folder of `examples/` is a test: its plan, and what its images hold, as committed in `tests/golden/NAME.json`.

`WHERRY_GOLDEN=update ./test tests/golden` writes them anew; what changed is then read in the diff. What depends on the Go that
compiled is left out: its version and place, the binary's size and digests. The rest is exact, down to the base layer's digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import wherry
from tests.support.examples import NAMES, PLATFORM, Build, Example, repository
from tests.support.programs import path_without
from tests.support.tools import need
from wherry.model.image import Stored, StoredImage
from wherry.oci.layer import Packed, read
from wherry.oci.untar import Content, Member

HERE = Path(__file__).parent
SMALL = 4096
ZONES = "usr/share/zoneinfo/"


@pytest.mark.e2e
@pytest.mark.parametrize("name", NAMES)
def test_plan_and_images_are_as_committed(name: str, example: Build) -> None:
    built = example(name)
    compare(name, {"plan": plan(built), "images": {tag: image(built, tag) for tag in built.tags}})


@pytest.mark.e2e
def test_cgo_without_a_compiler_is_explained_as_committed(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("cgo-sqlite", tmp_path)
    path = path_without("podman", "cc", "gcc", "clang")
    done = wherry("build", home=tmp_path / "home", cwd=root, PATH=path)
    file = HERE / "cgo-sqlite.txt"
    if os.environ.get("WHERRY_GOLDEN") == "update":
        file.write_text(done.stderr)
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr == file.read_text()


def compare(name: str, seen: dict[str, Any]) -> None:
    """`seen` against the committed file, or into it."""
    file = HERE / f"{name}.json"
    text = json.dumps(seen, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("WHERRY_GOLDEN") == "update":
        file.write_text(text)
    assert text == file.read_text()


def plan(built: Example) -> Any:
    """The plan's document without what is this machine's: folders, and Go."""
    done = wherry("plan", "--json", "--platform", PLATFORM, home=built.home, cwd=built.root)
    assert done.code == 0, done.stderr
    document = json.loads(done.stdout)["plan"]
    version = document.pop("toolchain")["version"]
    text = json.dumps(document, ensure_ascii=False).replace(version, "GO").replace(str(built.root), "ROOT")
    return json.loads(text)


def image(built: Example, tag: str) -> dict[str, Any]:
    """Everything about the image with `tag`."""
    stored = built.stored(tag)
    (one,) = stored.images
    config = json.loads(one.config.data)
    manifest = json.loads(one.manifest.data)
    base = manifest["layers"][0]
    return {
        "annotations": manifest["annotations"],
        "config": {key: value for key, value in config.items() if key != "rootfs"},
        "base": {"digest": base["digest"], "diff_id": config["rootfs"]["diff_ids"][0], "size": base["size"]},
        "media types": [manifest["mediaType"], *(layer["mediaType"] for layer in manifest["layers"])],
        "layers": [listing(built, stored, one, number) for number in range(len(one.layers))],
    }


def listing(built: Example, stored: Stored, one: StoredImage, number: int) -> list[str]:
    """A layer's entries in their order, a line each; all time zones are one line."""
    layer = one.layers[number]
    file = built.layout / "blobs" / layer.digest.path
    zones = hashlib.sha256()
    lines, count = [], 0
    for member, content in read(Packed(file=str(file), media_type=layer.media_type, digest=layer.digest)):
        line = entry(member, content)
        if member.path.startswith(ZONES):
            count += 1
            zones.update(line.encode() + b"\n")
        else:
            lines.append(line)
    return [*lines, *([f"{count} time zones, sha256 {zones.hexdigest()}"] if count else [])]


def entry(member: Member, content: Content) -> str:
    """`kind mode uid:gid /path`, then a link's target, a small file's digest, or nothing of a binary."""
    line = f"{member.kind} {member.mode:04o} {member.uid}:{member.gid} /{member.path}"
    if member.target:
        return f"{line} -> {member.target}"
    if member.kind != "file" or (member.path.startswith("app/") and member.size > SMALL):
        return line
    digest = hashlib.sha256()
    while chunk := content.read(1 << 16):
        digest.update(chunk)
    return f"{line} {member.size} bytes {digest.hexdigest()[:16]}"


def test_the_folder_holds_no_golden_without_an_example() -> None:
    assert {file.stem for file in HERE.glob("*.json")} == set(NAMES)


def test_goldens_name_no_machine() -> None:
    for file in HERE.glob("*.json"):
        assert not re.search(r"go1\.\d|/root/|/home/(?!nonroot)|/tmp/\w", file.read_text()), file.name
