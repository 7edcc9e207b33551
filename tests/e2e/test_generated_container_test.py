"""The generated Go test of the image, run by wherry, docker and podman: what passes, what fails, and that nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.buildkit import Builder
from tests.support.examples import commit, repository
from tests.support.hub import Hub
from tests.support.printed import ALONE
from tests.support.tools import need
from tests.support.wrapped import on_path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("container-test")]

TESTS = {"TestImage", "TestItBecomesHealthy", "TestItMayDoLittle", "TestItsLog", "TestItStopsInPeace"}
WORDS = ("test", "-tags=container", "-count=1", "-json", "./internal/containertest")
DEAF = """package main

import (
	"net/http"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGTERM)
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	panic(http.ListenAndServe(":8080", nil))
}
"""
BROKEN = """package main

import (
	"net/http"
	"os"
)

func main() {
	secret, _ := os.ReadFile("/run/secrets/token")
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	println("the token is", string(secret))
	panic(http.ListenAndServe("no address:8080", nil))
}
"""
CHATTY = BROKEN.replace("no address:8080", ":8080")


class Run:
    """One `go test`: each test's end, and all that was said."""

    def __init__(self, root: Path, variables: Mapping[str, str], *, within: tuple[str, ...] = (), **more: str) -> None:
        done = subprocess.run(
            [*within, "go", *WORDS],
            cwd=root,
            env={**variables, **more},
            capture_output=True,
            text=True,
            timeout=1500,
            check=False,
        )
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.said = "".join(one.get("Output", "") for one in events) + done.stderr
        self.ends = {one["Test"]: one["Action"] for one in events if one["Action"] in ENDS and "Test" in one}

    def all(self, end: str) -> bool:
        return self.ends == dict.fromkeys(TESTS, end)


ENDS = ("pass", "fail", "skip")


def made(folder: Path, main: str = "") -> tuple[Path, dict[str, str]]:
    """A copy of http-api, or of another main, with its container test and Dockerfile; and a wherry on PATH."""
    need("go", "git")
    folder.chmod(0o755)
    root = repository("http-api", folder)
    if main:
        (root / "main.go").write_text(main)
    variables = on_path(folder / "programs", folder / "home", WHERRY_OFFLINE="1", TMPDIR=str(folder / "tmp"))
    (folder / "tmp").mkdir(mode=0o755)
    for words in (("container-test",), ("dockerfile",)):
        done = subprocess.run(["wherry", "generate", *words], cwd=root, env=variables, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    return commit(root, tag="v1.2.4"), variables


def nothing_left(folder: Path, variables: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["wherry", "ps", "--all", "--json"], env=variables, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
    assert [path.name for path in (folder / "tmp").iterdir() if "-test-" in path.name] == []


@pytest.fixture
def by_wherry() -> None:
    need("runc")
    servers.need_root()


@pytest.mark.usefixtures("by_wherry")
def test_wherry_and_two_runs_at_once(tmp_path: Path) -> None:
    root, variables = made(tmp_path)
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda _: Run(root, variables), range(2)))
    assert all(one.all("pass") for one in runs), runs[0].said + runs[1].said
    assert "MB unpacked" in runs[0].said
    nothing_left(tmp_path, variables)


@pytest.mark.usefixtures("by_wherry")
def test_a_program_that_does_not_hear_is_found_out(tmp_path: Path) -> None:
    root, variables = made(tmp_path, DEAF)
    settings = root / "internal/containertest/settings_test.go"
    settings.write_text(re.sub(r"Grace = .*", "Grace = 2 * time.Second", settings.read_text()))
    run = Run(root, variables)
    assert {name for name, end in run.ends.items() if end == "fail"} == {"TestItStopsInPeace"}, run.said
    assert "ended with 137" in run.said
    nothing_left(tmp_path, variables)


@pytest.mark.usefixtures("by_wherry")
def test_a_program_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    root, variables = made(tmp_path, BROKEN)
    run = Run(root, variables)
    assert {name for name, end in run.ends.items() if end == "fail"} == TESTS - {"TestImage"}, run.said
    assert re.search(r"it ended with 2|exit status 2", run.said), "the engine tells at once, or the test sees it later"
    assert "panic: listen tcp" in run.said
    nothing_left(tmp_path, variables)


@pytest.mark.usefixtures("by_wherry")
def test_a_secret_in_the_log_is_found(tmp_path: Path) -> None:
    root, variables = made(tmp_path, CHATTY)
    assert 'Secrets = []string{"token"}' in (root / "internal/containertest/settings_test.go").read_text()
    run = Run(root, variables)
    failed = {name for name, end in run.ends.items() if end == "fail"}
    assert "TestItsLog" in failed, run.said
    assert 'it says "http-api-test-' in run.said
    nothing_left(tmp_path, variables)


def test_without_a_tool_it_is_skipped_aloud_and_fails_in_ci(tmp_path: Path) -> None:
    root, variables = made(tmp_path)
    go = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    bare = {**variables, "PATH": f"{go}/bin"}
    skipped = Run(root, bare)
    assert skipped.all("skip"), skipped.said
    assert "none of wherry, docker, podman works here" in skipped.said
    assert Run(root, bare, CI="true").all("fail")
    unknown = Run(root, bare, CONTAINER_TOOL="nerdctl")
    assert unknown.all("fail")
    assert "CONTAINER_TOOL=nerdctl is none of" in unknown.said


@contextlib.contextmanager
def bridged(hub: Hub) -> Iterator[Builder]:
    """A builder whose containers have a network, so that ports can be published on loopback."""
    need("ip", "docker-proxy")
    number = os.getpid() % 60_000
    bridge = f"wh{number}"
    for words in (
        ("link", "add", bridge, "type", "bridge"),
        ("addr", "add", f"10.{190 + number // 250 % 50}.{number % 250}.1/24", "dev", bridge),
        ("link", "set", bridge, "up"),
    ):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            servers.unavailable(f"no bridge can be made here: {done.stderr}")
    through = {"HTTPS_PROXY": hub.proxy, "SSL_CERT_FILE": str(hub.authority)}
    try:
        with servers.dockerd(f"--bridge={bridge}", storage="overlay2", **through) as host:
            yield Builder(host, hub)
    finally:
        subprocess.run(["ip", "link", "del", bridge], check=False)


def test_docker_builds_the_generated_dockerfile_and_runs_it(tmp_path: Path, hub: Hub) -> None:
    servers.need_root()
    root, variables = made(tmp_path)
    with bridged(hub) as builder:
        builder.put_compiled()
        (tmp_path / "programs/docker").symlink_to(builder.program)
        asked = {name: builder.variables[name] for name in ("DOCKER_HOST", "DOCKER_BUILDKIT")}
        before = builder("images", "--quiet")
        run = Run(root, {**variables, **asked}, CONTAINER_TOOL="docker")
        assert run.all("pass"), run.said
        assert builder("ps", "--all", "--quiet") == ""
        assert builder("images", "--quiet") == before, "the image is gone, too"
        assert builder("volume", "ls", "--quiet") == ""


def test_podman_tests_an_image_that_is_there_already(tmp_path: Path) -> None:
    """In a network of its own, with which everything goes that podman adds there."""
    need("podman", "unshare", "ip")
    servers.need_root()
    root, variables = made(tmp_path)
    archive = tmp_path / "image.tar"
    words = ["build", "--quiet", "--output", f"docker-archive:{archive}"]
    subprocess.run(["wherry", *words], cwd=root, env=variables, capture_output=True, check=True)
    with servers.podman() as storage:
        asked = {**variables, **storage, "PATH": os.environ["PATH"]}
        loaded = subprocess.run(
            ["podman", "load", "--input", archive], env=asked, capture_output=True, text=True, check=True
        )
        image = loaded.stdout.strip().rpartition(" ")[2]
        run = Run(root, asked, within=ALONE, CONTAINER_TOOL="podman", CONTAINER_IMAGE=image)
        assert run.all("pass"), run.said
        left = subprocess.run(
            ["podman", "ps", "--all", "--quiet"], env=asked, capture_output=True, text=True, check=True
        )
        assert left.stdout == ""
        subprocess.run(["podman", "image", "exists", image], env=asked, check=True)
