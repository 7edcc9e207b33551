"""Generated Dockerfiles, built by a real BuildKit as they are: each image runs hardened, and its program is the one that `wherry
build` makes, byte for byte."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import containers, dockerfiles, examples
from tests.support.buildkit import Builder
from tests.support.dockerfiles import VERSION, Repository, git
from tests.support.hub import Hub
from tests.support.runbook import until
from tests.support.servers import need_no_chroot
from tests.support.tools import need
from wherry.model.image import StoredImage

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("buildkit")]

#: Variant → whether the program's bytes are those of `wherry build`: `hardened` has other flags.
VARIANTS = {
    "distroless": True,
    "scratch": True,
    "alpine": True,
    "debian": True,
    "single-stage": True,
    "hardened": False,
}
#: Example → port and path by image, and the writable folders of a run.
OTHERS: dict[str, dict[str, tuple[int, str, tuple[str, ...]]]] = {
    "hello": {"hello": (8080, "/", ())},
    "multi-main": {"api": (8080, "/healthz", ()), "worker": (8081, "/healthz", ())},
    "workspace": {"app": (8080, "/", ())},
    "embed-assets": {"embed-assets": (8080, "/config", ())},
    "writable-dirs": {"writable-dirs": (8080, "/", ("--writable", "/var/lib/counter"))},
}
SAME = ("User", "WorkingDir", "Entrypoint", "Cmd", "ExposedPorts", "Volumes", "StopSignal")
Example = Callable[[str], Repository]


@pytest.fixture(scope="module")
def example(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """A folder of examples/ with its files committed, each made once."""
    need("go", "git", "runc", "docker")

    def made(name: str) -> Repository:
        folder = tmp_path_factory.mktemp(name)
        return dockerfiles.repository(examples.repository(name, folder), folder, hub)

    return functools.cache(made)


def build(builder: Builder, source: Repository, file: Path, image: str, *words: str) -> None:
    """As the file's first lines say: the repository is the context, the version is told."""
    revision = git(source.root, "rev-parse", "HEAD")
    told = (f"--build-arg=VERSION={VERSION}", f"--build-arg=REVISION={revision}")
    log = builder.build(source.root, f"--file={file}", f"--tag={image}", *told, *words)
    assert log.code == 0, log.text
    assert "WARN" not in log.text, log.text


def config(builder: Builder, image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(builder("image", "inspect", "--format={{json .Config}}", image))
    return found


def same_programs(builder: Builder, image: str, source: Repository, ours: StoredImage) -> None:
    for name, data in source.programs(ours).items():
        assert builder.file(image, f"/app/{name}") == data, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_runs_and_holds_the_same_program(variant: str, builder: Builder, example: Example) -> None:
    source = example("http-api")
    ours = source.images()["http-api"]
    (file,) = source.dockerfiles(variant).values()
    image = f"api-{variant}"
    build(builder, source, file, image)
    if VARIANTS[variant]:
        same_programs(builder, image, source, ours)
    users = builder.file(image, "/etc/passwd").decode().splitlines()
    assert [one.split(":")[0] for one in users if one.split(":")[2] == "65532"] == ["nonroot"]
    assert variant == "scratch" or users[0].startswith("root:"), "those of the base stay"
    rows = containers.hardened("docker", image, port=8080, path="/healthz", environment=builder.variables)
    containers.check_hardened(rows, "/healthz")
    theirs, own = config(builder, image), json.loads(ours.config.data)["config"]
    assert {key: theirs.get(key) or None for key in SAME} == {key: own.get(key) or None for key in SAME}
    labels = theirs["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.revision"] == git(source.root, "rev-parse", "HEAD")
    assert labels["org.opencontainers.image.title"] == own["Labels"]["org.opencontainers.image.title"]


def test_hardened_is_position_independent_and_needs_no_library(
    builder: Builder, example: Example, tmp_path: Path
) -> None:
    need("readelf")
    source = example("http-api")
    (file,) = source.dockerfiles("hardened").values()
    build(builder, source, file, "api-hardened")
    program = tmp_path / "program"
    program.write_bytes(builder.file("api-hardened", "/app/http-api"))
    headers = said("readelf", "--wide", "--file-header", "--program-headers", str(program))
    assert "DYN (Position-Independent Executable file)" in headers
    assert "INTERP" not in headers
    facts = said("go", "version", "-m", str(program))
    assert f"vcs.revision={git(source.root, 'rev-parse', 'HEAD')}" in facts
    assert "vcs.modified=false" in facts


def test_the_health_check_inside_asks_the_program(builder: Builder, example: Example) -> None:
    """Docker runs it as the file has it, but for the time between: 30 seconds are too long for a test."""
    need_no_chroot()
    source = example("http-api")
    (file,) = source.dockerfiles("scratch").values()
    build(builder, source, file, "api-scratch")
    with builder.running("api-scratch", "--health-interval=200ms", "--health-retries=1") as container:
        until(lambda: builder("inspect", "--format={{.State.Health.Status}}", container) == "healthy")
        os.kill(int(builder("inspect", "--format={{.State.Pid}}", container)), signal.SIGSTOP)
        until(lambda: builder("inspect", "--format={{.State.Health.Status}}", container) == "unhealthy")


@pytest.mark.parametrize("name", OTHERS)
def test_every_example_runs_and_holds_the_same_programs(name: str, builder: Builder, example: Example) -> None:
    """Workspaces, embedded files, assets, volumes, several images of one repository."""
    source = example(name)
    images = source.images()
    files = source.dockerfiles("distroless")
    assert images.keys() == OTHERS[name].keys()
    assert len(files) == len(images)
    for image, (port, path, writable) in OTHERS[name].items():
        file = files["Dockerfile" if len(files) == 1 else f"{image}.Dockerfile"]
        build(builder, source, file, image)
        same_programs(builder, image, source, images[image])
        rows = containers.hardened("docker", image, *writable, port=port, path=path, environment=builder.variables)
        containers.check_hardened(rows, path)


def test_a_program_that_ends_finds_its_time_zone(builder: Builder, example: Example) -> None:
    source = example("cli")
    (file,) = source.dockerfiles("scratch").values()
    build(builder, source, file, "greet")
    same_programs(builder, "greet", source, source.images()["greet"])
    words = ("run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none", "greet", "-name=you", "-zone=Asia/Tokyo")
    assert builder(*words).endswith(", you")


@pytest.mark.parametrize("variant", ["distroless", "debian"])
def test_c_inside_finds_its_library(variant: str, builder: Builder, hub: Hub, tmp_path: Path) -> None:
    """Not compared with `wherry build`: the image's C compiler is another than this machine's."""
    root = tmp_path / "root"
    source = dockerfiles.repository(dockerfiles.in_c(root), tmp_path, hub)
    (file,) = source.dockerfiles(variant).values()
    build(builder, source, file, f"root-{variant}")
    with builder.running(f"root-{variant}", "--read-only", "--cap-drop=ALL") as container:
        assert builder.get(container, 8080, "/") == (200, "1.4142")


def test_another_platform_is_compiled_not_emulated(builder: Builder, example: Example) -> None:
    source = example("http-api")
    (file,) = source.dockerfiles("distroless").values()
    build(builder, source, file, "api-arm64", "--platform=linux/arm64")
    assert builder("image", "inspect", "--format={{.Architecture}}", "api-arm64") == "arm64"
    (ours,) = source.images("--platform=linux/arm64").values()
    same_programs(builder, "api-arm64", source, ours)


def test_its_images_may_be_copies_in_another_registry(builder: Builder, hub: Hub, example: Example) -> None:
    """As its first lines say, for who may reach only one's own."""
    source = example("http-api")
    (file,) = source.dockerfiles("distroless").values()
    copies = {"GO_IMAGE": hub.image("golang:"), "BASE_IMAGE": hub.image("static-debian13")}
    words = [f"--build-arg={name}={hub.registry}/{image.partition('/')[2]}" for name, image in copies.items()]
    build(builder, source, file, "api-copied", *words)
    same_programs(builder, "api-copied", source, source.images()["http-api"])


def test_wherry_proves_an_image_that_docker_built(builder: Builder, example: Example) -> None:
    """As its own: only what this program has no route for is not known."""
    need_no_chroot()
    source = example("http-api")
    (file,) = source.dockerfiles("distroless").values()
    build(builder, source, file, "api-proved:1.2.3")
    words = ("prove", "--engine=docker", "--json", "api-proved:1.2.3")
    done = source.wherry(*words, DOCKER_HOST=builder.variables["DOCKER_HOST"])
    verdicts = json.loads(done.stdout)["verdicts"]
    assert {one["check"] for one in verdicts if one["outcome"] == "FAIL"} == set()
    assert {one["check"] for one in verdicts if one["outcome"] == "UNKNOWN" and not one["host"]} == {"ready", "drain"}
    assert {"start", "user", "health", "shell"} <= {one["check"] for one in verdicts if one["outcome"] == "PASS"}


def said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
