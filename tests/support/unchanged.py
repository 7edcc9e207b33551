"""A small Go repository for the no-op index: a folder in, real files, a real git repository and a layout out; starts git.

repo/ (.git, go.mod, Go and C files, static/ embedded, assets/, ignored/, out/ the result)  lib/ (replaced)  home/  goroot/
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from tests.support.caches import cache
from wherry.cache.noop.check import unchanged
from wherry.cache.noop.engines import engine_inputs
from wherry.cache.noop.git import Git, git_inputs
from wherry.cache.noop.inputs import Inputs, LayoutOutput, Output, Tree, joined
from wherry.cache.noop.record import Began, begin, draft, finish
from wherry.cache.noop.request import Request
from wherry.cache.noop.sources import source_inputs
from wherry.formats.golisting import Module as ListedModule
from wherry.formats.golisting import Package
from wherry.kit.gitsafe import git_environment
from wherry.model.project import Module, Project
from wherry.model.toolchain import Toolchain
from wherry.oci.digest import of_bytes
from wherry.system.processes import Processes

FILES = {
    "repo/go.mod": "module example.com/app\n\ngo 1.24\n\nreplace example.com/lib => ../lib\n",
    "repo/go.sum": "",
    "repo/main.go": "package main\n",
    "repo/native.c": "int x;\n",
    "repo/internal/deep/deep.go": "package deep\n",
    "repo/static/a.txt": "a",
    "repo/static/css/b.css": "b",
    "repo/assets/logo.svg": "<svg/>",
    "repo/README.md": "read me",
    "repo/docs/guide.md": "guide",
    "repo/.gitignore": "ignored/\nout/\n*.log\n/odd/*.txt\n",
    "repo/ignored/notes.txt": "notes",
    "repo/odd/inside.txt": "all of this folder is ignored, the folder is not",
    "lib/go.mod": "module example.com/lib\n",
    "lib/lib.go": "package lib\n",
    "home/.gitconfig": "[user]\n\tname = Ada\n",
    "goroot/VERSION": "go1.26.8",
    "goroot/go.env": "",
    "goroot/bin/go": "#!/bin/sh\n",
    "goroot/pkg/tool/linux_amd64/compile": "compiler",
    "goroot/pkg/tool/linux_amd64/link": "linker",
    "goroot/src/fmt/print.go": "package fmt\n",
    "goroot/src/fmt/print_windows.go": "package fmt\n",
}
BLOBS = (b'{"manifest":1}', b'{"config":1}', b"layer")
MANIFEST = of_bytes(BLOBS[0])


class Example:
    """The repository with one build recorded or to be recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repo = folder, folder / "repo"
        self.folders = cache(folder)
        self.variables = {
            "HOME": str(folder / "home"),
            "PATH": f"{folder}/first:{folder}/goroot/bin:/usr/bin:/bin",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for name, text in FILES.items():
            self.write(name, text)
        (self.repo / "static/empty").mkdir()
        (folder / "first").mkdir()
        for words in ("init -q -b main", "add -A", "commit -q -m one", "tag v1.0.0"):
            self.git(*words.split())
        self.layout()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def git(self, *words: str) -> None:
        environment = {**os.environ, **self.variables, "GIT_CONFIG_GLOBAL": str(self.folder / "home/.gitconfig")}
        subprocess.run(["git", *words], cwd=self.repo, env=environment, check=True, capture_output=True)

    def layout(self) -> Path:
        """Writes the build's result: an OCI layout inside the repository, ignored by git."""
        for data in BLOBS:
            path = self.repo / "out/blobs" / of_bytes(data).path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        entry = {"digest": MANIFEST, "annotations": {"org.opencontainers.image.ref.name": "1.0.0"}}
        index = self.repo / "out/index.json"
        index.write_text(json.dumps({"schemaVersion": 2, "manifests": [entry, {"digest": "sha256:other"}]}))
        return index

    def request(self, *arguments: str) -> Request:
        return Request(("build", *arguments), str(self.repo), self.variables)

    def project(self) -> Project:
        return Project(
            root=str(self.repo),
            working_directory=str(self.repo),
            modules=(Module(path="example.com/app", directory=".", local_replaces=("../lib",)),),
            mains=(),
        )

    def toolchain(self) -> Toolchain:
        root = str(self.folder / "goroot")
        return Toolchain(go=f"{root}/bin/go", version="go1.26.8", root=root, origin="path", host_architecture="amd64")

    def packages(self) -> tuple[Package, ...]:
        app = ListedModule(path="example.com/app", main=True, dir=str(self.repo))
        lib = ListedModule(path="example.com/lib", replace=ListedModule(path="../lib"), dir=str(self.folder / "lib"))
        embeds = ("static/a.txt", "static/css/b.css")
        return (
            Package(import_path="fmt", dir=str(self.folder / "goroot/src/fmt"), standard=True),
            Package(import_path="example.com/lib", dir=str(self.folder / "lib"), module=lib),
            Package(import_path="example.com/app/internal/deep", dir=f"{self.repo}/internal/deep", module=app),
            Package(import_path="example.com/app", dir=str(self.repo), module=app, embed_files=embeds),
        )

    def inputs(self) -> Inputs:
        environment = (
            ("HOME", self.variables["HOME"]),
            ("PATH", self.variables["PATH"]),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            *git_environment(str(self.repo)),
        )
        return joined(
            source_inputs(self.project(), self.packages(), self.toolchain(), self.variables),
            git_inputs(str(self.repo), Git(program="/usr/bin/git", environment=environment), Processes()),
            engine_inputs(self.variables, ""),
            Inputs(trees=(Tree(root=str(self.repo / "assets")),), variables=("TEAM",), written=(f"{self.repo}/out",)),
        )

    def outputs(self) -> tuple[Output, ...]:
        blobs = tuple(map(of_bytes, BLOBS))
        return (LayoutOutput(directory=f"{self.repo}/out", name="1.0.0", digest=MANIFEST, blobs=blobs),)

    def record(self, began: Began | None = None, *, result: str = "the result") -> str:
        """Records a build that began just now, or then; returns why not."""
        began = began or self.began()
        return self.remember(self.inputs(), *self.outputs(), began=began, result=result)

    def remember(self, inputs: Inputs, *outputs: Output, began: Began | None = None, result: str = "r") -> str:
        """The same with other inputs and outputs."""
        known = draft(self.folders, self.request(), began or self.began(), inputs)
        return finish(self.folders, known, outputs, result)

    def began(self) -> Began:
        tick()
        return begin()

    def check(self) -> str | None:
        return unchanged(self.request(), self.folders)


def tick() -> None:
    """Until the kernel stamps files with a later time than now, and a little more."""
    before = begin()[0]
    while begin()[0] < before + 10_000_000:
        time.sleep(0.001)
