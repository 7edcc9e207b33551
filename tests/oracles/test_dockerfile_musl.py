"""C code on alpine: compiled with musl and started where nothing else is. Alpine's packages cannot be had here, so that musl is
Debian's, and an `apk` that finds everything there stands in for the real one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import debian, dockerfiles
from tests.support.buildkit import Builder
from tests.support.buildkit import builder as dockers
from tests.support.hub import Hub, hub
from tests.support.servers import need_no_chroot
from tests.support.tools import need

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]
PACKAGES = ("musl", "musl-dev", "musl-tools")
LIBRARY = "usr/lib/x86_64-linux-musl/libc.so"
LOADER = "/lib/ld-musl-x86_64.so.1"
COMPILER = """FROM {golang}
COPY . /
RUN printf '#!/bin/sh\\n' >/usr/bin/apk && chmod 0755 /usr/bin/apk
ENV CC=musl-gcc
"""
BASE = """FROM {alpine}
COPY {library} {loader}
"""


@pytest.fixture(scope="module", name="hub")
def world() -> Iterator[Hub]:
    need("go", "git", "docker", "dpkg-deb", "readelf")
    with hub() as made:
        yield made


@pytest.fixture(scope="module")
def builder(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """With images that have musl: go-musl and alpine-musl."""
    musl = tmp_path_factory.mktemp("musl")
    archives = debian.archives(*PACKAGES)
    for name in PACKAGES:
        (archive,) = archives.glob(f"{name}_*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(musl)], check=True)
    with dockers(hub) as made:
        made.put_compiled()
        images = {
            "go-musl": COMPILER.format(golang=hub.image("golang:")),
            "alpine-musl": BASE.format(alpine=hub.image("alpine:"), library=LIBRARY, loader=LOADER),
        }
        for name, text in images.items():
            file = tmp_path_factory.mktemp("files") / "Dockerfile"
            file.write_text(text)
            log = made.build(musl, f"--file={file}", f"--tag={name}")
            assert log.code == 0, log.text
        yield made


@pytest.mark.parametrize("variant", ["alpine", "base", "hardened"])
def test_c_on_alpine(variant: str, builder: Builder, hub: Hub, tmp_path: Path) -> None:
    """Only on such an image.base: what wherry makes itself has no C library, so that programs for it bring their own."""
    need_no_chroot()
    root = dockerfiles.in_c(tmp_path / "root")
    (root / "wherry.toml").write_text('[image]\nbase = "alpine:3"\n')
    source = dockerfiles.repository(root, tmp_path, hub)
    (file,) = source.dockerfiles(variant).values()
    images = ("--build-arg=GO_IMAGE=go-musl", "--build-arg=BASE_IMAGE=alpine-musl")
    log = builder.build(source.root, f"--file={file}", "--tag=on-musl", *images)
    assert log.code == 0, log.text
    program = tmp_path / "program"
    program.write_bytes(builder.file("on-musl", "/app/root"))
    headers = subprocess.run(
        ["readelf", "--wide", "-l", str(program)], capture_output=True, text=True, check=True
    ).stdout
    assert f"[Requesting program interpreter: {LOADER}]" in headers
    with builder.running("on-musl", "--read-only", "--cap-drop=ALL") as container:
        assert builder.get(container, 8080, "/") == (200, "1.4142")
