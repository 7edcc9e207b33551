"""One application by wherry and by ko, file by file: writes docs/comparison-with-ko.md, and holds to what it says.

WHERRY_ORACLES=1 .venv/bin/pytest tests/oracles/test_comparison.py
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import servers
from tests.support.examples import Build
from tests.support.tools import crane, go_tool, need

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

PAGE = Path(__file__).parents[2] / "docs/comparison-with-ko.md"
KO = "github.com/google/ko"
VERSION = "v0.19.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A layout with one image for one platform, as its files say."""

    layout: Path
    entry: dict[str, Any]
    manifest: dict[str, Any]
    config: dict[str, Any]

    @property
    def run(self) -> dict[str, Any]:
        return dict(self.config["config"])

    def blob(self, descriptor: dict[str, Any]) -> Path:
        return self.layout / "blobs" / str(descriptor["digest"]).replace(":", "/")

    def listing(self, number: int) -> list[str]:
        """A layer as GNU tar lists it: mode, owner, size, time, name as it stands."""
        words = ["tar", "-tvPf", str(self.blob(self.manifest["layers"][number])), "--numeric-owner", "--utc", "-z"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


def read(layout: Path) -> Image:
    def blob(descriptor: dict[str, Any]) -> dict[str, Any]:
        return dict(json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()))

    (entry,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    top = blob(entry)
    manifest = blob(top["manifests"][0]) if "manifests" in top else top
    return Image(layout=layout, entry=entry, manifest=manifest, config=blob(manifest["config"]))


def kind(document: dict[str, Any]) -> str:
    return str(document["mediaType"]).removeprefix("application/vnd.")


def kilobytes(size: int) -> str:
    return f"{size / 1000:,.0f} kB"


def layer(number: int) -> Callable[[Image], str]:
    """Packed size, entries and, of a layer with one file, that file."""

    def look(image: Image) -> str:
        at = number if number >= 0 else len(image.manifest["layers"]) + number
        entries = image.listing(at)
        size = kilobytes(image.manifest["layers"][at]["size"])
        files = [line.split() for line in entries if line.startswith("-")]
        if len(files) != 1:
            return f"{size} packed, {len(entries)} entries"
        mode, owner, bytes_, *_, name = files[0]
        return f"{size} packed: `{name}`, {kilobytes(int(bytes_))}, {mode}, {owner}"

    return look


def times(image: Image) -> str:
    every = {line.split()[3] for number in range(len(image.manifest["layers"])) for line in image.listing(number)}
    return ", ".join(sorted(every))


def names(image: Image) -> str:
    every = [line.split()[5] for number in range(len(image.manifest["layers"])) for line in image.listing(number)]
    return "some absolute" if any(name.startswith("/") for name in every) else "relative"


def blobs(image: Image) -> str:
    files = list((image.layout / "blobs/sha256").iterdir())
    return f"{len(files)}, {kilobytes(sum(file.stat().st_size for file in files))}"


def labelled(image: Image) -> str:
    return shortened(image.run.get("Labels") or {})


def annotated(image: Image) -> str:
    return shortened(image.manifest.get("annotations") or {})


def shortened(pairs: dict[str, str]) -> str:
    return ", ".join(sorted(key.removeprefix("org.opencontainers.image.") for key in pairs)) or "none"


def environment(image: Image) -> str:
    return ", ".join(f"`{one}`" for one in image.run.get("Env") or () if not one.startswith("PATH=")) or "none"


def path(image: Image) -> str:
    return next((f"`{one[5:]}`" for one in image.run.get("Env") or () if one.startswith("PATH=")), "none")


Fact = tuple[str, Callable[[Image], str], str]
FACTS: tuple[Fact, ...] = (
    (
        "`index.json`, name",
        lambda one: (one.entry.get("annotations") or {}).get("org.opencontainers.image.ref.name", "none"),
        "without a name others cannot find the image in the layout (ko#844)",
    ),
    (
        "`index.json`, kind",
        lambda one: kind(one.entry),
        "a single platform needs no index",
    ),
    ("blobs", blobs, "ko's index and data layer, and debug data: see below"),
    ("layers", lambda one: str(len(one.manifest["layers"])), "ko always adds its `kodata` layer, empty here"),
    ("base layer", layer(0), "the very same; ko cannot make one"),
    (
        "application layer",
        layer(-1),
        "wherry leaves debug data out (`-w`) and keeps the symbols that vulnerability scanners read; ko keeps both unless told",
    ),
    ("names in the tars", names, "both unpack alike; strict readers prefer relative ones"),
    ("dates in the tars", times, "equal from any machine"),
    ("entrypoint", lambda one: f"`{json.dumps(one.run.get('Entrypoint'))}`", "both in exec form"),
    ("user", lambda one: one.run.get("User") or "the base's: root", "wherry decides it; ko has `--image-user`"),
    (
        "ports",
        lambda one: ", ".join(one.run.get("ExposedPorts") or ()) or "none",
        "wherry found it in the sources (ko#472)",
    ),
    ("PATH", path, "the program can be called by its name"),
    ("other environment", environment, "where ko's applications find their data"),
    (
        "created",
        lambda one: one.config.get("created", "none"),
        "wherry takes the commit's; registries that delete by age take ko's for the oldest; SOURCE_DATE_EPOCH changes both",
    ),
    ("platform in the config", lambda one: f"{one.config['os']}/{one.config['architecture']}", "ko copies the base's"),
    ("labels", labelled, "ko has `--image-label`"),
    ("annotations", annotated, "wherry names a base where there is one to name"),
    ("history", lambda one: str(len(one.config.get("history") or ())), "a line a layer"),
    ("media types", lambda one: kind(one.manifest), "both follow the base or the OCI specification"),
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, example: Build) -> tuple[Image, Image]:
    """examples/hello by wherry, and by ko on the base that wherry made."""
    need("go", "git", "tar")
    folder = tmp_path_factory.mktemp("ko")
    ours = read(example("hello").layout)
    with servers.docker_registry() as host:
        base = f"{host}/base:1"
        packed = folder / "base.tar.gz"
        packed.write_bytes(ours.blob(ours.manifest["layers"][0]).read_bytes())
        run(crane(), "append", "--insecure", "--oci-empty-base", "-f", str(packed), "-t", base)
        run(crane(), "mutate", "--insecure", "--set-platform=linux/amd64", "-t", base, base)
        settings = {"KO_DOCKER_REPO": "registry.example/team", "KO_DEFAULTBASEIMAGE": base}
        words = (
            "build",
            f"--oci-layout-path={folder}/ko",
            "--push=false",
            "-B",
            "--sbom=none",
            "--platform=linux/amd64",
        )
        run(go_tool(f"{KO}@{VERSION}", KO), *words, "--insecure-registry", ".", cwd=example("hello").root, **settings)
    return ours, read(folder / "ko")


def run(*command: str, cwd: Path | None = None, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


HEAD = """\
# A layout by wherry and one by ko, file by file

`examples/hello`, one commit, tag v1.2.3, linux/amd64, on {date}. ko {version} stands on the very static base that wherry makes,
pushed to a registry on this machine (ko cannot make one, nor read it from a folder):

    wherry build -o oci:w
    ko build --oci-layout-path=k --push=false -B --sbom=none --platform=linux/amd64 .

Written by `tests/oracles/test_comparison.py`.

"""


def test_the_page_is_written_anew(pair: tuple[Image, Image]) -> None:
    rows = [f"| {what} | {look(pair[0])} | {look(pair[1])} | {why} |" for what, look, why in FACTS]
    table = "\n".join(("| | wherry | ko | why |", "|---|---|---|---|", *rows))
    PAGE.write_text(HEAD.format(date=dt.datetime.now(dt.UTC).date(), version=VERSION) + table + "\n")
    assert len(re.findall(r"^\| ", table, re.MULTILINE)) == len(FACTS) + 1


def test_what_the_page_rests_on(pair: tuple[Image, Image]) -> None:
    ours, theirs = pair
    assert ours.config["rootfs"]["diff_ids"][0] == theirs.config["rootfs"]["diff_ids"][0], "one and the same base"
    assert ours.run["User"] == "65532:65532"
    assert sum(ours.blob(one).stat().st_size for one in ours.manifest["layers"]) < sum(
        theirs.blob(one).stat().st_size for one in theirs.manifest["layers"]
    )
    assert times(ours) == "1970-01-01"
