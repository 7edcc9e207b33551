"""Generated Dockerfiles before today's BuildKit: its checks as errors, several platforms at once, its cache in a registry."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import dockerfiles, examples, servers
from tests.support.buildkit import Log
from tests.support.buildkit import builder as dockers
from tests.support.buildkitd import Daemon, buildkitd
from tests.support.dockerfiles import VERSION, Repository
from tests.support.gated import gated
from tests.support.hub import Hub, hub
from tests.support.tools import need
from wherry.generate.dockerfile.variants import NAMES
from wherry.store.layout import Layout
from wherry.store.place import LayoutPlace

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]
Make = Callable[[str], Repository]
LINT = "--opt=requestid=frontend.lint"
CASES = [(name, one) for name in (*examples.NAMES, "cgo-sqlite") for one in NAMES]


@pytest.fixture(scope="module", name="hub")
def world() -> Iterator[Hub]:
    need("go", "git", "runc", "docker")
    with hub() as made:
        yield made


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with servers.docker_registry() as host:
        yield host


@pytest.fixture(scope="module")
def daemon(hub: Hub, registry: str) -> Iterator[Daemon]:
    with buildkitd(hub, registry) as made:
        yield made


@pytest.fixture(scope="module")
def example(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Make:
    def made(name: str) -> Repository:
        folder = tmp_path_factory.mktemp(name)
        return dockerfiles.repository(examples.repository(name, folder), folder, hub)

    return functools.cache(made)


@pytest.fixture
def module(hub: Hub, tmp_path: Path) -> Iterator[Repository]:
    """Sources with a module that only the hub has."""
    what = gated(tmp_path)
    hub.modules.published[:] = what.published
    yield dockerfiles.repository(what.root, tmp_path, hub, **what.environment)
    hub.modules.published.clear()


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_buildkits_own_checks_find_nothing(name: str, variant: str, daemon: Daemon, example: Make) -> None:
    source = example(name)
    for file in source.dockerfiles(variant).values():
        log = daemon.build(source.root, file, LINT)
        assert log.code == 0, log.text
        assert "WARNING" not in log.text, log.text


def test_a_check_that_finds_something_is_heard(daemon: Daemon, example: Make, tmp_path: Path) -> None:
    """Or the test before would say nothing."""
    file = tmp_path / "Dockerfile"
    file.write_text("from scratch AS final\nCOPY . /\nENTRYPOINT /app\n")
    assert "WARNING: JSONArgsRecommended" in daemon.build(example("http-api").root, file, LINT).text
    log = daemon.build(example("http-api").root, file)
    assert log.code != 0
    assert "lint violation found for rules: " in log.text


@pytest.mark.parametrize("variant", ["distroless", "scratch"])
def test_two_platforms_are_one_image(variant: str, daemon: Daemon, registry: str, example: Make) -> None:
    """Of the program that `wherry build` makes for each."""
    source = example("http-api")
    (file,) = source.dockerfiles(variant).values()
    name = f"{registry}/{variant}:1"
    words = ("--opt=platform=linux/amd64,linux/arm64", f"--output=type=image,name={name},push=true")
    log = daemon.build(source.root, file, *words, VERSION=VERSION)
    assert log.code == 0, log.text
    for platform in ("linux/amd64", "linux/arm64"):
        (ours,) = source.images(f"--platform={platform}").values()
        layout = source.folder / f"{variant}-{platform.rpartition('/')[2]}"
        done = source.wherry("copy", f"--platform={platform}", f"docker://{name}", f"oci:{layout}:1")
        assert done.code == 0, done.stderr
        (theirs,) = Layout(LayoutPlace(directory=str(layout), tag="1")).open().images
        assert source.programs(theirs, layout) == source.programs(ours)


@pytest.mark.parametrize("variant", [one for one in NAMES if one not in ("dev", "full")])
def test_what_it_builds_is_run_and_proved(variant: str, daemon: Daemon, example: Make, tmp_path: Path) -> None:
    """`dev` is a workbench, and `full` ends as distroless does; Docker builds both: test_dockerfile_matrix.py."""
    source = example("http-api")
    (file,) = source.dockerfiles(variant).values()
    image = tmp_path / "image.tar"
    log = daemon.build(source.root, file, f"--output=type=oci,dest={image}", VERSION=VERSION)
    assert log.code == 0, log.text
    done = source.wherry("prove", "--json", f"oci-archive:{image}")
    verdicts = {one["check"]: one["outcome"] for one in json.loads(done.stdout)["verdicts"]}
    assert {verdicts[check] for check in ("start", "health", "user", "rootfs")} == {"PASS"}, verdicts
    assert {check for check, outcome in verdicts.items() if outcome == "FAIL"} <= dockerfiles.MORE.get(variant, set())


def test_a_cache_in_a_registry_serves_an_engine_that_has_nothing(
    daemon: Daemon, registry: str, hub: Hub, module: Repository
) -> None:
    """`--cache-to type=registry,mode=max`: no module is downloaded, no step is run."""
    (file,) = module.dockerfiles("distroless").values()
    ref = f"ref={registry}/cache:1"
    first = daemon.build(module.root, file, f"--export-cache=type=registry,{ref},mode=max")
    assert first.code == 0, first.text
    assert hub.modules.downloads() != []
    with buildkitd(hub, registry) as second:
        words = (f"--import-cache=type=registry,{ref}", f"--output=type=image,name={registry}/gated:1,push=true")
        again = second.build(module.root, file, *words)
    assert again.code == 0, again.text
    assert hub.modules.asked == []
    assert steps(again) == {"CACHED"}


def test_a_cache_in_an_image_serves_an_engine_that_has_nothing(registry: str, hub: Hub, module: Repository) -> None:
    """BUILDKIT_INLINE_CACHE, which Docker's own BuildKit has: it tells of what it executed itself, so it had nothing before."""
    (file,) = module.dockerfiles("distroless").values()
    image = f"{registry}/gated:inline"
    with dockers(hub) as first:
        log = first.build(module.root, f"--file={file}", f"--tag={image}", "--build-arg=BUILDKIT_INLINE_CACHE=1")
        assert log.code == 0, log.text
        first("push", image)
    hub.modules.downloads()
    with dockers(hub) as second:
        again = second.build(module.root, f"--file={file}", "--tag=gated", f"--cache-from={image}")
    assert again.code == 0, again.text
    assert hub.modules.asked == []
    assert steps(again) == {"CACHED"}


def steps(log: Log) -> set[str]:
    """How the steps of the Dockerfile came out, but for bases."""
    return {end for name, end in log.steps.items() if not name.startswith("[internal]") and " FROM " not in name}
