"""What a generated Dockerfile does not do again, and what it never leaves out: downloads and gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import dockerfiles
from tests.support.buildkit import Builder, Log
from tests.support.dockerfiles import Repository
from tests.support.gated import FAULTS, gated, spoil
from tests.support.hub import Hub
from tests.support.tools import need

Make = Callable[[str], Repository]
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("buildkit")]


@pytest.fixture
def repository(hub: Hub, tmp_path: Path) -> Iterator[Make]:
    """Makes sources with one module, which the hub has during the test."""
    need("go", "git")

    def make(module: str) -> Repository:
        what = gated(tmp_path, module)
        hub.modules.published[:] = what.published
        return dockerfiles.repository(what.root, tmp_path, hub, **what.environment)

    yield make
    hub.modules.published.clear()


def step(log: Log, part: str) -> str:
    """How the one step with `part` came out."""
    (found,) = (end for name, end in log.steps.items() if part in name)
    return found


def test_an_edit_downloads_nothing(builder: Builder, hub: Hub, repository: Make) -> None:
    """Of a module that no build of this engine has seen before."""
    source = repository("example.com/once")
    (file,) = source.dockerfiles("distroless").values()
    hub.modules.downloads()
    first = builder.build(source.root, f"--file={file}", "--tag=once")
    assert first.code == 0, first.text
    assert hub.modules.downloads() == ["example.com/once/@v/v1.0.0.zip"]
    main = source.root / "main.go"
    main.write_text(main.read_text().replace("leaky.Fine()", '"edited", leaky.Fine()'))
    second = builder.build(source.root, f"--file={file}", "--tag=once", "--build-arg=VERSION=2.0.0")
    assert second.code == 0, second.text
    assert hub.modules.asked == []
    assert step(second, "go mod download") == "CACHED"
    assert step(second, "go build") == "DONE"
    assert builder("run", "--rm", "--network=none", "once") == "edited fine 1"


@pytest.mark.parametrize("target", ["", "--target=test"])
def test_full_builds_what_passes_every_gate(target: str, builder: Builder, repository: Make) -> None:
    source = repository("example.com/leaky")
    (file,) = source.dockerfiles("full").values()
    log = builder.build(source.root, f"--file={file}", "--tag=gated-full", *filter(None, [target]))
    assert log.code == 0, log.text
    assert not target or step(log, "go test") in ("DONE", "CACHED")


@pytest.mark.parametrize("gate", FAULTS)
def test_full_makes_no_image_of_what_a_gate_stops(gate: str, builder: Builder, repository: Make) -> None:
    source = repository("example.com/leaky")
    (file,) = source.dockerfiles("full").values()
    said = spoil(source.root, gate)
    log = builder.build(source.root, f"--file={file}", f"--tag=spoilt-{gate}")
    assert log.code != 0
    assert said in log.text
    assert not builder("images", "--quiet", f"spoilt-{gate}")


@pytest.mark.parametrize("gate", ["test", "race"])
def test_the_target_test_runs_the_tests(gate: str, builder: Builder, repository: Make) -> None:
    source = repository("example.com/leaky")
    (file,) = source.dockerfiles("full").values()
    said = spoil(source.root, gate)
    log = builder.build(source.root, f"--file={file}", "--target=test")
    assert log.code != 0
    assert said in log.text


def test_without_an_answer_about_vulnerabilities_there_is_no_image(
    builder: Builder, hub: Hub, repository: Make
) -> None:
    source = repository("example.com/leaky")
    hub.modules.published[:] = hub.modules.published[:1]
    (file,) = source.dockerfiles("full").values()
    (source.root / "main.go").write_text((source.root / "main.go").read_text() + "\n// Another.\n")
    log = builder.build(source.root, f"--file={file}", "--tag=unknown")
    assert log.code != 0
    assert "fetching vulnerabilities" in log.text
    assert not builder("images", "--quiet", "unknown")
