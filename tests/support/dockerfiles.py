"""Repositories with generated Dockerfiles. Sources and a hub in, files and images out; starts git, wherry and a builder."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import examples
from tests.support.cli import Done, wherry
from tests.support.containers import unpacked
from tests.support.hub import Hub
from wherry.model.image import StoredImage
from wherry.store.layout import Layout, read_entries
from wherry.store.place import LayoutPlace

TAG = "v1.2.3"
VERSION = "1.2.3"
#: What `wherry prove` finds in a variant's image beside the program's own faults: it has a shell, Debian's programs, Go's sources
#: with the keys of its tests.
MORE = {
    "alpine": {"shell"},
    "debian": {"shell", "setuid"},
    "single-stage": {"shell", "setuid", "size", "sources", "secrets"},
}
#: With the C library, and nothing else.
WITH_C = {
    "go.mod": "module example.com/root\n\ngo 1.24\n",
    "main.go": """package main

// #cgo LDFLAGS: -lm
// #include <math.h>
import "C"

import (
	"fmt"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%.4f", float64(C.sqrt(2))) })
	http.ListenAndServe(":8080", nil)
}
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Sources in git with nothing uncommitted; generated files are taken out again, since all variants want one place."""

    root: Path
    folder: Path
    """Beside it: what is made."""
    environment: Mapping[str, str]
    """Of every wherry here."""
    start: str = "."
    """The folder below `root` where it is started."""

    def dockerfiles(self, variant: str, *packages: str) -> dict[str, Path]:
        """What `wherry generate dockerfile` makes, by the name of the file."""
        done = self.wherry("generate", "dockerfile", f"--variant={variant}", "--json", *packages)
        assert done.code == 0, done.stderr
        folder = self.folder / "files" / variant
        folder.mkdir(parents=True, exist_ok=True)
        paths = [self.root / row["path"] for row in json.loads(done.stdout)["files"]]
        found = {path.name: folder / path.name for path in paths if path.name.endswith("Dockerfile")}
        for path in paths:
            (folder / path.name).write_text(path.read_text())
        git(self.root, "checkout", "-q", "--", ".")
        git(self.root, "clean", "-fdq")
        return found

    def images(self, *words: str) -> dict[str, StoredImage]:
        """What `wherry build WORDS` makes of the same commit, by name."""
        layout = self.folder / "layout"
        shutil.rmtree(layout, ignore_errors=True)
        done = self.wherry("build", *words, "-o", f"oci:{layout}")
        assert done.code == 0, done.stderr
        entries = read_entries(layout).entries
        stored = [Layout(LayoutPlace(directory=str(layout), tag=one.name)).open() for one in entries]
        return {title(image): image for one in stored for image in one.images}

    def programs(self, image: StoredImage, layout: Path | None = None) -> dict[str, bytes]:
        """Those in /app, by name; the image is in `layout`, or what `images` said last."""
        root = self.folder / f"root-{image.digest.hex[:12]}"
        if not root.exists():
            unpacked(image, layout or self.folder / "layout", root)
        return {path.name: path.read_bytes() for path in (root / "app").iterdir()}

    def wherry(self, *words: str, **environment: str) -> Done:
        return wherry(*words, home=self.folder / "home", cwd=self.root / self.start, **self.environment, **environment)


def repository(source: Path, folder: Path, hub: Hub, *, start: str = ".", **environment: str) -> Repository:
    """`source`, a git repository, with the Dockerfile of the usual variant, its ignore file and its lock committed."""
    settings = folder / "home/config/wherry/registries.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(hub.mirrors)
    made = Repository(root=source, folder=folder, environment=environment, start=start)
    done = made.wherry("generate", "dockerfile", "--overwrite")  # some have one by hand
    assert done.code == 0, done.stderr
    commit(source)
    return made


def in_c(root: Path) -> Path:
    """A repository of a program that answers on 8080 with the square root of two, as the C library has it."""
    root.mkdir()
    for name, text in WITH_C.items():
        (root / name).write_text(text)
    return examples.commit(root)


def title(image: StoredImage) -> str:
    """The name that wherry gave it."""
    config = image.settings.config
    return ((config and config.labels) or {})["org.opencontainers.image.title"]


def commit(root: Path) -> None:
    """All that is there, under the same tag."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", "more")
    git(root, "tag", "-f", TAG)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()
