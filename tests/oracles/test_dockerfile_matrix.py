"""Every variant of every example and of three real applications: built by Docker, run hardened, asked, compared, proved. What
came out is written to docs/oracles.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import containers, dockerfiles, examples, gated, opinions
from tests.support.buildkit import Builder
from tests.support.buildkit import builder as dockers
from tests.support.dockerfiles import VERSION, Repository
from tests.support.hub import Hub, hub
from tests.support.real import CADDY, HTTPBIN, PODINFO, cloned
from tests.support.runbook import until
from tests.support.tools import need
from wherry.generate.dockerfile.variants import NAMES
from wherry.model.image import StoredImage

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What to build, and how to ask the result."""

    name: str
    """Of the image."""
    example: str = ""
    """The folder of examples/ that it is in; empty: its own name."""
    module: str = ""
    """Or `module@version`, and wherry.toml for a copy of it."""
    settings: str = ""
    port: int = 8080
    """Where it answers; 0: it says "good ..." and ends."""
    path: str = "/"
    writable: tuple[str, ...] = ()
    fails: str = ""
    """A test of its own that fails with this Go, so that `full` must make no image."""
    c: bool = False
    """It has C code, linked statically: image.base is wherry's own."""


APPS = (
    App(name="hello"),
    App(name="http-api", path="/healthz"),
    App(name="api", example="multi-main", path="/healthz"),
    App(name="worker", example="multi-main", port=8081, path="/healthz"),
    App(name="app", example="workspace"),
    App(name="embed-assets", path="/config"),
    App(name="writable-dirs", writable=("--writable", "/var/lib/counter")),
    App(name="cgo-sqlite", c=True),
    App(name="greet", example="cli", port=0),
    App(name="go-httpbin", module=HTTPBIN, path="/get"),
    App(name="podinfo", module=PODINFO, port=9898, path="/healthz"),
    App(
        name="caddy",
        module=CADDY,
        settings='[image]\nargs = ["respond", "--listen", ":8080", "well"]\n',
        fails="TestServer_ClosedRequestBodyDoesNotDesyncHTTP1",
    ),
)
#: Without `base`: on image.base, which none of them has, it is distroless again.
VARIANTS = NAMES[1:]
TITLE = "Dockerfiles"
COMPILED = "matrix"
"""The folder with what was compiled for all of them: gigabytes, which everyday builds need not take along."""
CASES = [(app, variant) for app in APPS for variant in VARIANTS]


class Bench:
    """Repositories, what wherry makes of them, and what was seen."""

    def __init__(self, folder: Path, hub: Hub, builder: Builder) -> None:
        self.folder, self.hub, self.builder = folder, hub, builder
        self.seen: dict[tuple[str, str], str] = seen_today()
        self._sources: dict[str, Repository] = {}
        self._images: dict[str, dict[str, StoredImage]] = {}
        self._failed: dict[str, set[str]] = {}

    def source(self, app: App) -> Repository:
        key = app.example or app.name
        if key not in self._sources:
            folder = self.folder / key
            folder.mkdir()
            if app.module:
                toml = f'packages = ["./cmd/{app.name}"]\n{app.settings}'
                root = cloned(app.module, folder / "root", tag=dockerfiles.TAG, files={"wherry.toml": toml})
            else:
                root = examples.repository(key, folder)
            self._sources[key] = dockerfiles.repository(root, folder, self.hub)
        return self._sources[key]

    def ours(self, app: App) -> StoredImage:
        key = app.example or app.name
        if key not in self._images:
            self._images[key] = self.source(app).images()
        return self._images[key][app.name]

    def failed(self, app: App) -> set[str]:
        """The checks that the image of `wherry build` fails: those are the program's."""
        if app.name not in self._failed:
            source, image = self.source(app), self.ours(app)
            verdicts = self.verdicts(app, f"oci:{source.folder}/layout@{image.digest}")
            self._failed[app.name] = {check for check, outcome in verdicts.items() if outcome == "FAIL"}
        return self._failed[app.name]

    def verdicts(self, app: App, image: str) -> dict[str, str]:
        """What `wherry prove` says of the image on Docker, by check."""
        words = ("prove", "--engine=docker", "--json", image)
        done = self.source(app).wherry(*words, DOCKER_HOST=self.builder.variables["DOCKER_HOST"])
        said = json.loads(done.stdout or "{}")
        assert "verdicts" in said, done.stderr
        return {one["check"]: one["outcome"] for one in said["verdicts"]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    need("go", "git", "runc", "docker", "gcc")
    folder = tmp_path_factory.mktemp("matrix")
    with hub() as world, dockers(world) as builder:
        world.modules.published[:] = [gated.write_database(folder / "database", "example.com/leaky")]
        builder.put_compiled(COMPILED)
        made = Bench(folder, world, builder)
        yield made
        builder.keep_compiled(COMPILED)
        if len(made.seen) == len(CASES):
            write(made)


def seen_today() -> dict[tuple[str, str], str]:
    """So that a case that failed need not take all others along when it is tried again."""
    head, *rows = opinions.recorded_today(TITLE) or [[]]
    known = {(row[0], variant): cell for row in rows for variant, cell in zip(head[1:], row[1:], strict=True)}
    return {(app.name, variant): cell for app, variant in CASES if (cell := known.get((app.name, variant), ""))}


def write(bench: Bench) -> None:
    rows = [(app.name, *(bench.seen.get((app.name, variant), "") for variant in VARIANTS)) for app in APPS]
    opinions.record(
        TITLE,
        "Every variant of `wherry generate dockerfile`, built as it is by Docker's BuildKit, started without rights on a",
        "read-only root (`dev`: on a writable one) and asked; `greet` runs once. `=`: its program is byte for byte that of",
        "`wherry build`; the number: checks of `wherry prove` that passed, and which failed. `full` makes no image of what",
        "fails its own tests.",
        "",
        *opinions.table(("application", *VARIANTS), tuple(rows)),
        "",
        *opinions.versions(),
    )


@pytest.mark.parametrize(("app", "variant"), CASES, ids=lambda one: getattr(one, "name", one))
def test_it_is_built_run_compared_and_proved(app: App, variant: str, bench: Bench) -> None:
    bench.seen[app.name, variant] = "FAILED"
    source, image = bench.source(app), f"{app.name}-{variant}:1"
    files = source.dockerfiles(variant)
    file = files[min(files, key=lambda name: (not name.startswith(app.name), name))]
    log = bench.builder.build(source.root, f"--file={file}", f"--tag={image}", f"--build-arg=VERSION={VERSION}")
    if variant == "full" and app.fails:
        assert log.code != 0
        assert f"--- FAIL: {app.fails} " in log.text, log.text[-6000:]
        bench.seen[app.name, variant] = "stopped by a test of its own"
        return
    assert log.code == 0, log.text[-6000:]
    if variant == "dev":
        bench.seen[app.name, variant] = under_the_debugger(app, image, bench)
    else:
        runs(app, image, bench)
        bench.seen[app.name, variant] = f"{compared(app, variant, image, bench)}{proved(app, variant, image, bench)}"


def runs(app: App, image: str, bench: Bench) -> None:
    """Without rights, on a read-only root."""
    if not app.port:
        said = bench.builder("run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none", image)
        assert said.startswith("good ")
        return
    rows = containers.hardened(
        "docker", image, *app.writable, port=app.port, path=app.path, environment=bench.builder.variables
    )
    containers.check_hardened(rows, app.path)


def under_the_debugger(app: App, image: str, bench: Bench) -> str:
    """It is compiled when the container starts, into a volume, as compose.dev.yaml does: the next one finds what is the same."""
    compiled = "--volume=compiled:/root/.cache/go-build"
    with bench.builder.running(image, compiled, "--cap-drop=ALL", "--security-opt=no-new-privileges") as container:
        if not app.port:
            until(lambda: "good " in bench.builder("logs", container), patience=600)
            return "ran"
        until(lambda: bench.builder.get(container, app.port, app.path)[0] == 200, patience=600)
    return "200"


def compared(app: App, variant: str, image: str, bench: Bench) -> str:
    """`hardened` has other flags, and C comes from another compiler."""
    if app.c or variant == "hardened":
        return ""
    for name, data in bench.source(app).programs(bench.ours(app)).items():
        assert bench.builder.file(image, f"/app/{name}") == data, name
    return "= "


def proved(app: App, variant: str, image: str, bench: Bench) -> str:
    """No check fails that the image of `wherry build` passes, but for what the variant is for."""
    verdicts = bench.verdicts(app, image)
    failed = {check for check, outcome in verdicts.items() if outcome == "FAIL"}
    assert failed - bench.failed(app) <= dockerfiles.MORE.get(variant, set()), verdicts
    return " ".join((str(list(verdicts.values()).count("PASS")), *sorted(failed)))
