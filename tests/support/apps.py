"""The programs of `tests/apps` in images, each with its one fault. Names in, places out; builds with wherry, once a session.

`place("good")` is `oci:...`, as every command of wherry takes it. What else it knows: the programs, the VARIANTS here, whose
fault is in the image's settings, and those of `tests.support.odd_apps`, which no `wherry build` would make.
"""

from __future__ import annotations

import atexit
import functools
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

import wherry
from tests.support.examples import commit
from tests.support.packing import content_of
from tests.support.ports import HOST
from tests.support.tools import need
from wherry.model.image import Built, Image

FOLDER = Path(__file__).parents[1] / "apps"
PROGRAMS = tuple(sorted(path.name for path in (FOLDER / "cmd").iterdir()))
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+?) \| ?([a-z0-9, -]*?) ?\|$", re.MULTILINE)

#: Image → its program, and what its settings say otherwise than tests/apps/wherry.toml.
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "as-root": ("good", ("image.user=root",)),
    **{f"{name}-static": (name, ("image.base=static",)) for name in ("needsca", "needsdns", "needsuser", "needszones")},
    "good-both": ("good", ('platforms=["linux/amd64", "linux/arm64"]',)),
    "good-arm64": ("good", ('platforms=["linux/arm64"]',)),
    "hello-arm64": ("hello", ('platforms=["linux/arm64"]',)),
    "hello-v4": ("hello", ('platforms=["linux/amd64/v4"]',)),
    "never-ready": ("unready", ("image.env.READY_DELAY=1h",)),
    "no-health": ("good", ("image.health=false",)),
    "rootonly-as-root": ("rootonly", ("image.user=root",)),
    "secret-env": ("good", ("image.env.DB_PASSWORD=not-a-real-one-4711",)),
    "zones-inside": ("needszones", ('build.tags=["timetzdata"]',)),
    "writes-declared": ("writesneeded", ('image.writable=["/var/lib/app"]',)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A row of tests/apps/README.md."""

    app: str
    fault: str
    fails: tuple[str, ...]
    """The checks of `wherry prove` that must fail; no other may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An image that wherry built of a program."""

    place: str
    built: Built

    @property
    def image(self) -> Image:
        (image,) = self.built.images
        return image


_made: dict[str, Made] = {}


@functools.cache
def verdicts() -> dict[str, Verdict]:
    """What each image deserves, by its name."""
    rows = ROW.findall((FOLDER / "README.md").read_text())
    found = {
        name: Verdict(app=name, fault=fault, fails=tuple(re.findall(r"[a-z0-9-]+", fails)))
        for name, fault, fails in rows
    }
    assert len(found) == len(rows), "a name twice"
    return found


def place(name: str) -> str:
    """The place of the image `name`, built now if it is not there."""
    if name not in VARIANTS and name not in PROGRAMS:
        from tests.support import odd_apps

        return odd_apps.place(name)
    return made(name).place


def made(name: str) -> Made:
    """The image of a program or a variant, built now if it is not there."""
    if name not in _made:
        if name in VARIANTS:
            program, assignments = VARIANTS[name]
            (_made[name],) = _built((program,), assignments).values()
        else:
            build((name,))
    return _made[name]


def build(names: Iterable[str] = PROGRAMS) -> None:
    """Builds programs all at once, which takes a fraction of the time of one by one."""
    missing = tuple(name for name in names if name not in _made)
    if missing:
        _made.update(_built(missing))


def _built(names: tuple[str, ...], assignments: tuple[str, ...] = ()) -> dict[str, Made]:
    need("go", "git")
    layout = session_folder() / f"layout-{len(_made)}"  # a single image is called by its version alone
    given = assignments if any(one.startswith("platforms=") for one in assignments) else (*assignments, _platform())
    report = wherry.build(
        *(f"./cmd/{name}" for name in names), directory=repository(), places=(f"oci:{layout}",), assignments=given
    )
    return {
        one.built.name: Made(place=one.published[0].place, built=_lasting(one.built, layout)) for one in report.images
    }


def _lasting(built: Built, layout: Path) -> Built:
    """Its layers as they lie in the layout: wherry's cache may be that of the one test in which this is called."""

    def image(one: Image) -> Image:
        files = (layout / "blobs" / layer.digest.path for layer in one.layers)
        return replace(
            one, layers=tuple(replace(layer, file=str(file)) for layer, file in zip(one.layers, files, strict=True))
        )

    content = built.content
    whole = image(content) if isinstance(content, Image) else replace(content, images=tuple(map(image, content.images)))
    return replace(built, content=whole)


def _platform() -> str:
    return f'platforms=["{HOST}"]'


@functools.cache
def program(name: str) -> Path:
    """The executable of a program of this machine, as it is in its image."""
    folder = session_folder() / "programs"
    folder.mkdir(exist_ok=True, mode=0o755)
    path = folder / name
    path.write_bytes(content_of(made(name).image.layers[-1], f"app/{VARIANTS.get(name, (name,))[0]}"))
    path.chmod(0o755)
    return path


@functools.cache
def repository() -> Path:
    """A copy of tests/apps as a git repository, equal on each machine."""
    return commit(Path(shutil.copytree(FOLDER, session_folder() / "apps")))


@functools.cache
def session_folder() -> Path:
    """Where all of it lies; other users may look in, since programs are started as such."""
    folder = Path(tempfile.mkdtemp(prefix="wherry-apps-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
