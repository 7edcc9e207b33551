"""Real applications and the examples, looked at and run by other tools; what they said is written to docs/oracles.md.

Applications are built by module path and from a writable copy of their sources with git; all for amd64 and, where no C is in
them, for arm64.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import containers, examples, opinions, servers
from tests.support.cli import wherry
from tests.support.real import CADDY, HTTPBIN, PODINFO, cloned
from tests.support.tools import crane, need
from wherry.model.image import StoredImage
from wherry.store.layout import Layout
from wherry.store.place import LayoutPlace

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What to build, and how to ask the result; a port of 0: it runs once."""

    name: str
    module: str = ""
    """`module@version`; empty: a folder of examples/."""
    package: str = "."
    """Of the module, or of the example."""
    tag: str = ""
    """In git, of a copy of the module."""
    port: int = 8080
    path: str = "/"
    settings: str = ""
    writable: tuple[str, ...] = ()
    copy: bool = False
    arm64: bool = True

    @property
    def title(self) -> str:
        return f"{self.name}, copy with git" if self.copy else self.name

    @property
    def key(self) -> str:
        return f"{self.name}-copy" if self.copy else self.name


ANSWER = 'image.args=["respond", "--listen", ":8080", "well"]'
REMOTE = tuple(
    App(name=name, module=module, package=f"./cmd/{name}", tag=tag, port=port, path=path, settings=settings, copy=copy)
    for copy in (False, True)
    for name, module, tag, port, path, settings in (
        ("go-httpbin", HTTPBIN, "v2.26.0", 8080, "/get", ""),
        ("podinfo", PODINFO, "v1.8.1", 9898, "/healthz", ""),
        ("caddy", CADDY, "v2.11.9", 8080, "/", ANSWER),
    )
)
LOCAL = (
    App(name="hello"),
    App(name="http-api", path="/healthz"),
    App(name="cli", port=0),
    App(name="api", package="multi-main ./cmd/api", path="/healthz"),
    App(name="worker", package="multi-main ./cmd/worker", port=8081, path="/healthz"),
    App(name="workspace", path="/"),
    App(name="embed-assets", path="/config"),
    App(name="writable-dirs", writable=("--writable", "/var/lib/counter")),
    App(name="cgo-sqlite", arm64=False),
)
APPS = (*REMOTE, *LOCAL)


class Bench:
    """All images in one layout, what serves them, and what was said of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.layout = folder, folder / "layout"
        self.said: dict[tuple[str, str], str] = {}
        self._built: set[str] = set()

    def of(self, app: App, *, platform: str = "linux/amd64") -> str:
        """The tag of the image, built when first asked for."""
        tag = f"{app.key}-{platform.rpartition('/')[2]}"
        if tag not in self._built:
            words, cwd = self._source(app)
            settings = ("--set", app.settings) if app.settings else ()
            place = f"oci:{self.layout}:{tag}"
            words = ("build", *words, "--platform", platform, "-o", place, *settings)
            done = wherry(*words, home=self.folder / "home", cwd=cwd)
            assert done.code == 0, done.stderr
            self._built.add(tag)
        return tag

    def image(self, app: App, platform: str) -> StoredImage:
        return Layout(LayoutPlace(directory=str(self.layout), tag=self.of(app, platform=platform))).open().images[0]

    def _source(self, app: App) -> tuple[tuple[str, ...], Path]:
        """The words behind `wherry build`, and where they are said."""
        folder = self.folder / app.key
        if app.copy:
            return (app.package,), folder if folder.exists() else cloned(app.module, folder, tag=app.tag)
        folder.mkdir(exist_ok=True)
        if app.module:
            path, _, version = app.module.partition("@")
            return (f"{path}/{app.package.removeprefix('./')}@{version}",), folder
        name, _, package = app.package.rpartition(" ")
        name = name or app.name
        root = folder / name
        return ((package,) if package != "." else ()), root if root.exists() else examples.repository(name, folder)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    need("go", "git", "skopeo", "umoci", "runc", "podman", "docker", "gcc")
    servers.need_root()
    with tempfile.TemporaryDirectory(prefix="wherry-oracles-") as folder:
        Path(folder).chmod(0o755)
        made = Bench(Path(folder))
        yield made
        if {key for key, _ in made.said} == {app.title for app in APPS}:
            write(made)


def write(bench: Bench) -> None:
    rows = tuple((app.title, *(bench.said.get((app.title, check), "") for check in CHECKS)) for app in APPS)
    opinions.record(
        "Images",
        "Every server runs as 65532 on a read-only root without capabilities, and answers; `cli` runs once.",
        "",
        *opinions.table(("image", *CHECKS), rows),
        "",
        *opinions.versions(("crane", f"{crane()} version")),
    )


@pytest.fixture(scope="module")
def docker() -> Iterator[containers.Engine]:
    with servers.dockerd() as host:
        yield containers.Engine("docker", {"DOCKER_HOST": host})


@pytest.fixture(scope="module")
def podman() -> Iterator[containers.Engine]:
    with servers.podman() as variables:
        yield containers.Engine("podman", variables)


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with servers.docker_registry() as address:
        yield address


def call(*command: str, **environment: str) -> str:
    """What a program says; its failure is the test's."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


Fixture = Callable[[str], object]


def by_crane(app: App, bench: Bench, fixture: Fixture) -> str:
    target = f"{fixture('registry')}/{app.key}:1"
    call("skopeo", "copy", "--dest-tls-verify=false", f"oci:{bench.layout}:{bench.of(app)}", f"docker://{target}")
    call(crane(), "validate", "--insecure", "--remote", target)
    return "valid"


def by_skopeo(app: App, bench: Bench, fixture: Fixture) -> str:
    seen = json.loads(call("skopeo", "inspect", f"oci:{bench.layout}:{bench.of(app)}"))
    assert (seen["Architecture"], seen["Os"]) == ("amd64", "linux")
    return "read"


def by_umoci(app: App, bench: Bench, fixture: Fixture) -> str:
    bundle = bench.folder / f"bundle-{app.key}"
    call("umoci", "unpack", "--image", f"{bench.layout}:{bench.of(app)}", str(bundle))
    assert {binary.stat().st_mode & 0o7777 for binary in (bundle / "rootfs/app").iterdir()} == {0o555}
    shutil.rmtree(bundle)
    return "unpacked"


def ran(runtime: str, app: App, image: str, engine: containers.Engine | None = None) -> str:
    """The application under a runtime, hardened."""
    if not app.port:
        assert engine
        said = engine("run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none", image, "-name", "you")
        assert said.startswith("good ")
        return "ran"
    environment = engine.variables if engine else None
    rows = containers.hardened(runtime, image, *app.writable, port=app.port, path=app.path, environment=environment)
    containers.check_hardened(rows, app.path)
    return "200"


def by_runc(app: App, bench: Bench, fixture: Fixture) -> str:
    image = f"{bench.layout}:{bench.of(app)}"
    if app.port:
        return ran("runc", app, image)
    assert containers.once_under_runc(image).startswith("good ")
    return "ran"


def by_podman(app: App, bench: Bench, fixture: Fixture) -> str:
    engine = fixture("podman")
    assert isinstance(engine, containers.Engine)
    name = f"localhost/{app.key}:1"
    variables = {key: value for key, value in engine.variables.items() if key.startswith("CONTAINERS_")}
    call("skopeo", "copy", f"oci:{bench.layout}:{bench.of(app)}", f"containers-storage:{name}", **variables)
    return ran("podman", app, name, engine)


def by_docker(app: App, bench: Bench, fixture: Fixture) -> str:
    engine = fixture("docker")
    assert isinstance(engine, containers.Engine)
    host, name = engine.variables["DOCKER_HOST"], f"{app.key}:1"
    call("skopeo", "copy", "--dest-daemon-host", host, f"oci:{bench.layout}:{bench.of(app)}", f"docker-daemon:{name}")
    return ran("docker", app, name, engine)


def by_qemu(app: App, bench: Bench, fixture: Fixture) -> str:
    if not app.arm64:
        return ""
    need("qemu-aarch64-static")
    image = bench.image(app, "linux/arm64")
    root = containers.unpacked(image, bench.layout, bench.folder / f"root-{app.key}")
    for path in app.writable[1::2]:
        (root / path.lstrip("/")).chmod(0o1777)
    config = image.settings.config
    assert config
    words = (*(config.entrypoint or ()), *(config.cmd or ()))
    if not app.port:
        assert call(*containers.isolated(root), *words).startswith("good ")
        return "ran"
    with containers.emulated(root, *words) as pid:
        assert containers.get(pid, app.port, app.path)[0] == 200
    return "200"


Check = Callable[[App, Bench, Fixture], str]
CHECKS: dict[str, Check] = {
    "crane validate": by_crane,
    "skopeo inspect": by_skopeo,
    "umoci unpack": by_umoci,
    "runc": by_runc,
    "podman": by_podman,
    "docker": by_docker,
    "qemu arm64": by_qemu,
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.key)
def test_another_tool_agrees(app: App, check: str, bench: Bench, request: pytest.FixtureRequest) -> None:
    bench.said[app.title, check] = "FAILED"
    bench.said[app.title, check] = CHECKS[check](app, bench, request.getfixturevalue)
