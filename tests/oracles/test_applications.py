"""Real applications and the examples, looked at and run by other tools; what they said is written to docs/oracles.md.

Each is built once, for amd64 by the words a user would say, into one layout.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import examples, servers
from tests.support.cli import wherry
from tests.support.tools import need

pytestmark = [pytest.mark.oracle, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/oracles.md"
#: What to build, the port to ask and the path that answers 200; a path of none: it serves nothing by itself.
REMOTE = {
    "go-httpbin": ("github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0", 8080, "/get"),
    "podinfo": ("github.com/stefanprodan/podinfo/cmd/podinfo@v1.8.1-0.20250910200901-e86405a8674e", 9898, "/healthz"),
    "caddy": ("github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9", 0, ""),
}
LOCAL = {
    "hello": ("hello", 8080, "/"),
    "http-api": ("http-api", 8080, "/healthz"),
    "workspace": ("workspace", 8080, "/"),
    "embed-assets": ("embed-assets", 8080, "/config"),
    "writable-dirs": ("writable-dirs", 0, ""),
}
NAMES = (*REMOTE, *LOCAL)
CHECKS = ("crane validate", "skopeo inspect", "umoci unpack", "runc", "podman", "docker", "qemu arm64")


class Bench:
    """All images in one layout, and what was said of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.layout = folder, folder / "layout"
        self.said: dict[tuple[str, str], str] = {}

    def build(self, name: str, *words: str, cwd: Path) -> None:
        done = wherry("build", *words, "-o", f"oci:{self.layout}:{name}", home=self.folder, cwd=cwd, GOFLAGS="")
        assert done.code == 0, done.stderr

    def of(self, name: str, *, platform: str = "linux/amd64") -> str:
        """The tag of `name`, built when first asked for."""
        tag = f"{name}-{platform.rpartition('/')[2]}"
        if not (self.folder / tag).exists():
            (self.folder / tag).mkdir()
            remote = name in REMOTE
            cwd = self.folder / tag if remote else examples.repository(name, self.folder / tag)
            words = (REMOTE[name][0],) if remote else ("./app",) if name == "workspace" else ()
            self.build(tag, *words, "--platform", platform, cwd=cwd)
        return tag

    def root_of(self, tag: str) -> Path:
        """The image's files, unpacked by umoci."""
        bundle = self.folder / f"bundle-{tag}"
        if not bundle.exists():
            call("umoci", "unpack", "--image", f"{self.layout}:{tag}", str(bundle))
        return bundle / "rootfs"


def call(*command: str, env: dict[str, str] | None = None) -> str:
    """What a program says; its failure is the test's."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    need("go", "git", "skopeo", "umoci", "runc", "crane")
    made = Bench(tmp_path_factory.mktemp("oracles"))
    yield made
    if len({name for name, _ in made.said}) == len(NAMES):
        PAGE.write_text(page(made.said))


@pytest.fixture(scope="module")
def docker() -> Iterator[str]:
    with servers.dockerd() as host:
        yield host


@pytest.fixture(scope="module")
def podman() -> Iterator[dict[str, str]]:
    with servers.podman() as variables:
        yield variables


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with servers.docker_registry() as address:
        yield address


def port_and_path(name: str) -> tuple[int, str]:
    return {**REMOTE, **LOCAL}[name][1:]


@pytest.mark.parametrize("name", NAMES)
def test_crane_validates(name: str, bench: Bench, registry: str) -> None:
    target = f"{registry}/{name}:1"
    call("skopeo", "copy", "--dest-tls-verify=false", f"oci:{bench.layout}:{bench.of(name)}", f"docker://{target}")
    call("crane", "validate", "--insecure", "--remote", target)
    bench.said[name, "crane validate"] = "valid"


@pytest.mark.parametrize("name", NAMES)
def test_skopeo_and_umoci_read(name: str, bench: Bench) -> None:
    call("skopeo", "inspect", f"oci:{bench.layout}:{bench.of(name)}")
    bench.said[name, "skopeo inspect"] = "read"
    binary = {"workspace": "app"}.get(name, name)
    assert (bench.root_of(bench.of(name)) / "app" / binary).stat().st_mode & 0o777 == 0o555
    bench.said[name, "umoci unpack"] = "unpacked"


def hardened(*words: str, env: dict[str, str] | None = None) -> None:
    """Runs the image and looks at what was observed; how it ends is the application's own matter."""
    command = (sys.executable, str(ROOT / "scripts/run-hardened"), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})
    seen = [word for word in (" 200, ", "uid 65532, gid 65532", "read-only") if word not in done.stdout]
    assert not seen, f"{words}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("name", [name for name in NAMES if port_and_path(name)[0]])
@pytest.mark.parametrize("runtime", ["runc", "podman", "docker"])
def test_runs_hardened_and_answers(name: str, runtime: str, bench: Bench, request: pytest.FixtureRequest) -> None:
    port, path = port_and_path(name)
    place, tag = f"oci:{bench.layout}:{bench.of(name)}", f"localhost/{name}:1"
    ask = ("--port", str(port), "--get", path)
    if runtime == "runc":
        hardened("runc", f"{bench.layout}:{bench.of(name)}", *ask)
    elif runtime == "podman":
        variables = request.getfixturevalue("podman")
        call("skopeo", "copy", place, f"containers-storage:{tag}", env=variables)
        hardened("podman", tag, *ask, env=variables)
    else:
        variables = {"DOCKER_HOST": request.getfixturevalue("docker")}
        call("skopeo", "copy", "--dest-daemon-host", variables["DOCKER_HOST"], place, f"docker-daemon:{tag}")
        hardened("docker", tag, *ask, env=variables)
    bench.said[name, runtime] = f"200 on {path}, as 65532, root read-only"


@pytest.mark.parametrize("name", ["hello", "http-api", "go-httpbin"])
def test_arm64_runs_under_qemu(name: str, bench: Bench) -> None:
    need("qemu-aarch64-static")
    root = bench.root_of(bench.of(name, platform="linux/arm64"))
    port = servers.free_port()
    command = ["qemu-aarch64-static", str(root / "app" / name)]
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    asked = port if name == "go-httpbin" else port_and_path(name)[0]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{asked}{port_and_path(name)[1]}")
    finally:
        server.terminate()
        server.wait(30)
    bench.said[name, "qemu arm64"] = "200"


def wait_for(url: str) -> None:
    import time
    import urllib.request

    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < end, f"{url} did not answer"
            time.sleep(0.2)


def page(said: dict[tuple[str, str], str]) -> str:
    """The dated page of what was said."""
    rows = [f"| {name} | " + " | ".join(said.get((name, check), "") for check in CHECKS) + " |" for name in NAMES]
    versions = [f"* {name} {version(*words)}" for name, *words in VERSIONS if shutil.which(words[0])]
    return "\n".join(
        (
            "# Second opinions",
            "",
            f"Written by `./test --oracles` on {dt.datetime.now(dt.UTC).date()}. An empty field: not asked.",
            "",
            "| image | " + " | ".join(CHECKS) + " |",
            "|---" * (len(CHECKS) + 1) + "|",
            *rows,
            "",
            "caddy and writable-dirs serve nothing without more settings, so they are read and not asked. With:",
            "",
            *versions,
            "",
        )
    )


VERSIONS = (
    ("skopeo", "skopeo", "--version"),
    ("umoci", "umoci", "--version"),
    ("runc", "runc", "--version"),
    ("podman", "podman", "--version"),
    ("Docker", "dockerd", "--version"),
    ("crane", "crane", "version"),
    ("qemu", "qemu-aarch64-static", "--version"),
    ("Go", "go", "version"),
)


def version(*command: str) -> str:
    words = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return next(
        (word.strip(",v") for word in words.replace("go1", "1").split() if word.strip(",v")[:1].isdigit()), words
    )
