"""Built images do what they are built for: they start, answer, stay well and stop, without rights and under each engine."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest

from tests.support import examples, looks
from tests.support.cli import wherry
from tests.support.containers import PATIENCE, Engine, check_hardened, emulated, get, hardened, isolated, unpacked
from tests.support.examples import Build, Example
from tests.support.servers import need_no_chroot, need_root
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

#: Example, tag of its image, port, path that answers 2xx.
SERVERS = (
    ("hello", "1.2.3", 8080, "/"),
    ("http-api", "1.2.3", 8080, "/readyz"),
    ("multi-main", "api-1.2.3", 8080, "/healthz"),
    ("multi-main", "worker-1.2.3", 8081, "/healthz"),
    ("workspace", "1.2.3", 8080, "/"),
    ("embed-assets", "1.2.3", 8080, "/config"),
)


@pytest.mark.parametrize(("name", "tag", "port", "path"), SERVERS, ids=[f"{row[0]} {row[1]}" for row in SERVERS])
def test_under_runc_alone(name: str, tag: str, port: int, path: str, example: Build) -> None:
    need_root()
    rows = hardened("runc", f"{example(name).layout}:{tag}", port=port, path=path)
    check_hardened(rows, path)
    if name == "http-api":
        assert rows["status"] == "0", "a graceful stop"


def loaded(built: Example, place: str, engine: Engine, *words: str) -> str:
    """The name under which the engine has the image."""
    host = engine.variables.get("DOCKER_HOST", "")
    kept = {name: engine.variables[name] for name in engine.variables if name.startswith("CONTAINERS_")}
    variables = {**kept, "DOCKER_HOST": host, "PATH": os.environ["PATH"]}
    done = wherry(
        "build", "-o", place, "--platform", examples.PLATFORM, *words, home=built.home, cwd=built.root, **variables
    )
    assert done.code == 0, done.stderr
    return done.stdout.strip().partition("@")[0]


@pytest.mark.parametrize("name", ["hello", "http-api"])
@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_under_an_engine(kind: str, name: str, example: Build, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(kind)
    place = "docker-daemon:" if kind == "docker" else "containers-storage:"
    image = loaded(example(name), f"{place}{name}:run", engine)
    path = "/" if name == "hello" else "/healthz"
    check_hardened(hardened(kind, image, port=8080, path=path, environment=engine.variables), path)


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_a_program_that_runs_once(kind: str, example: Build, request: pytest.FixtureRequest) -> None:
    """It finds its time zone in the base."""
    engine: Engine = request.getfixturevalue(kind)
    place = "docker-daemon:" if kind == "docker" else "containers-storage:"
    image = loaded(example("cli"), f"{place}greet:run", engine)
    said = engine("run", "--rm", "--read-only", "--network=none", image, "-name", "you")
    assert said.startswith("good ")
    assert said.endswith(", you")


def test_the_probe_finds_it_healthy(docker: Engine, example: Build) -> None:
    need_no_chroot()
    image = loaded(example("http-api"), "docker-daemon:http-api:docker", docker, "--set", "image.format=docker")
    health = ("--health-interval=1s", "--health-timeout=2s")
    with docker.running(image, "--read-only", *health) as name:
        end = time.monotonic() + PATIENCE
        status = ""
        while status != "healthy" and time.monotonic() < end:
            status = docker("inspect", "--format={{.State.Health.Status}}", name)
            time.sleep(0.2)
        assert status == "healthy", docker("inspect", name)


def test_the_probe_finds_it_unwell(docker: Engine, example: Build) -> None:
    need_no_chroot()
    words = ("--set", "image.format=docker", "--set", "image.health.path=/gone", "--set", "image.health.port=8080")
    image = loaded(example("http-api"), "docker-daemon:http-api:unwell", docker, *words)
    with docker.running(
        image, "--read-only", "--health-interval=1s", "--health-retries=1", "--health-start-period=0s"
    ) as name:
        end = time.monotonic() + PATIENCE
        status = ""
        while status != "unhealthy" and time.monotonic() < end:
            status = docker("inspect", "--format={{.State.Health.Status}}", name)
            time.sleep(0.2)
        assert status == "unhealthy", docker("inspect", name)


def test_podman_asks_the_same_probe(podman: Engine, example: Build) -> None:
    need_no_chroot()
    image = loaded(example("http-api"), "containers-storage:http-api:docker", podman, "--set", "image.format=docker")
    with podman.running(image, "--read-only", "--health-interval=disable") as name:
        assert podman.get(name, 8080, "/healthz")[0] == 200
        podman("healthcheck", "run", name)


def test_a_writable_directory_is_the_users(docker: Engine, example: Build) -> None:
    image = loaded(example("writable-dirs"), "docker-daemon:counter:run", docker)
    with docker.running(image, "--cap-drop=ALL", "--security-opt=no-new-privileges") as name:
        assert [docker.get(name, 8080, "/")[1].strip() for _ in range(3)] == ["1", "2", "3"]


def test_assets_and_embedded_files(docker: Engine, example: Build) -> None:
    image = loaded(example("embed-assets"), "docker-daemon:assets:run", docker)
    with docker.running(image, "--read-only") as name:
        assert docker.get(name, 8080, "/static/")[0] == 200
        assert docker.get(name, 8080, "/config") == (200, "greeting: from a file in the image\n")


def test_a_second_binary_in_the_image(docker: Engine, example: Build) -> None:
    built = example("multi-main")
    done = wherry(
        *("build", "./cmd/api", "-o", "docker-daemon:api:run"), home=built.home, cwd=built.root,
        DOCKER_HOST=docker.variables["DOCKER_HOST"],
    )  # fmt: skip
    assert done.code == 0, done.stderr
    image = done.stdout.strip().partition("@")[0]
    assert docker("run", "--rm", "--network=none", "--entrypoint=/app/migrate", image) == "nothing to migrate"
    assert docker("run", "--rm", "--network=none", "--entrypoint=migrate", image) == "nothing to migrate"


def test_the_version_from_git_is_in_the_program(docker: Engine, example: Build) -> None:
    image = loaded(example("http-api"), "docker-daemon:http-api:version", docker)
    with docker.running(image, "--read-only") as name:
        assert json.loads(docker.get(name, 8080, "/version")[1]) == {"version": "1.2.3"}


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_next_lines_of_an_engine_work(kind: str, example: Build, request: pytest.FixtureRequest) -> None:
    """Nobody said where: the engine gets it, and the command that is named runs it."""
    engine: Engine = request.getfixturevalue(kind)
    built = example("cli")
    kept = {name: engine.variables[name] for name in engine.variables if name.startswith("CONTAINERS_")}
    if kind == "docker":
        kept["DOCKER_HOST"] = engine.variables["DOCKER_HOST"]
    else:
        kept["PATH"] = os.environ["PATH"]
    done = wherry("build", "--no-cache", home=built.home, cwd=built.root, **kept)
    assert done.code == 0, done.stderr
    assert f"loaded into {kind}".lower() in done.stderr.lower()
    if kind == "docker":  # its store knows images by another digest, and wherry says which
        (digest, identity) = re.findall(r"sha256:[0-9a-f]{64}", done.stderr)
        assert engine("inspect", "--format={{.Id}}", done.stdout.strip()) == identity != digest
    commands = looks.commands(done.stderr)
    assert len(commands) == 2
    ran = wherry(*commands[0].split()[1:], home=built.home, cwd=built.root, **kept)
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith("good ")
    proved = wherry(*commands[1].split()[1:], home=built.home, cwd=built.root, **kept)
    assert proved.code in looks.PROVED, proved.stderr


def test_arm64_under_qemu(example: Build, tmp_path: Path) -> None:
    need_root()
    built = example("http-api")
    layout = tmp_path / "layout"
    words = ("build", "--platform", "linux/arm64", "-o", f"oci:{layout}")
    done = wherry(*words, home=built.home, cwd=built.root)
    assert done.code == 0, done.stderr
    tmp_path.chmod(0o755)
    (image,) = Example(name="x", root=built.root, home=built.home, layout=layout, references=()).stored("1.2.3").images
    assert str(image.platform) == "linux/arm64"
    root = unpacked(image, layout, tmp_path / "root")
    with emulated(root, "/app/http-api") as pid:
        assert get(pid, 8080, "/healthz")[0] == 200
        assert json.loads(get(pid, 8080, "/version")[1]) == {"version": "1.2.3"}
    assert isolated(root)


@pytest.mark.slow
def test_cgo_with_the_users_own_compiler(tmp_path: Path) -> None:
    need("go", "git", "gcc")
    need_root()
    root = examples.repository("cgo-sqlite", tmp_path)
    done = wherry("build", "-o", f"oci:{tmp_path}/layout", home=tmp_path / "home", cwd=root)
    assert done.code == 0, done.stderr
    assert "cgo-runs-code" in done.stderr
    check_hardened(hardened("runc", f"{tmp_path}/layout:1.2.3", port=8080))
