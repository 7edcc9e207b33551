"""`wherry diff --variants`: the story of sizes, told with a real application and measured."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.support.buildkit import DEBIAN, Builder
from tests.support.cli import wherry
from tests.support.examples import repository
from tests.support.programs import path_without
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("buildkit")]


@dataclass(frozen=True, slots=True)
class Told:
    """One run."""

    rungs: dict[tuple[str, str], dict[str, object]]

    def of(self, variant: str, by: str) -> dict[str, object]:
        return self.rungs[variant, by]


@pytest.fixture(scope="module")
def told(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Told:
    need("runc", "go")
    folder = tmp_path_factory.mktemp("variants")
    root = repository("http-api", folder / "repository")
    home = folder / "home"
    settings = home / "config/wherry/registries.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(builder.hub.mirrors)
    programs = folder / "bin"
    programs.mkdir()
    (programs / "docker").symlink_to(DEBIAN)  # another client may lack BuildKit
    environment = {"DOCKER_HOST": builder.variables["DOCKER_HOST"], "PATH": f"{programs}:{path_without('podman')}"}
    done = wherry(
        "diff",
        "--variants",
        "--build-network=host",
        "--json",
        "--html",
        folder / "sizes.html",
        home=home,
        cwd=root,
        **environment,
    )
    assert done.code == 0, done.stderr
    rungs = json.loads(done.stdout)["ladder"]["rungs"]
    assert json.loads(done.stdout)["ladder"]["docker"] == ""
    assert (folder / "sizes.html").read_text().count("<rect") == 2 * len(rungs)
    return Told({(one["variant"], one["by"]): one for one in rungs})


OURS = ("static", "scratch", "distroless", "alpine", "debian", "single-stage")
THEIRS = ("single-stage", "debian", "alpine", "distroless", "scratch", "hardened")


def test_every_variant_was_built_measured_and_started(told: Told) -> None:
    assert set(told.rungs) == {(name, "wherry") for name in OURS} | {(name, "docker") for name in THEIRS}
    for key, rung in told.rungs.items():
        assert rung["why"] == "", key
        assert all(rung[name] for name in ("unpacked", "packed", "layers", "user", "build", "start")), rung


def test_the_story_goes_down(told: Told) -> None:
    """From a toolchain in the image to nothing but the program; both builders tell the same."""
    for by in ("wherry", "docker"):
        sizes = [
            int(str(told.of(name, by)["unpacked"])) for name in ("single-stage", "debian", "distroless", "scratch")
        ]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 20 * sizes[-1]
        shells = {
            name: told.of(name, by)["shell"] for name in ("single-stage", "debian", "alpine", "distroless", "scratch")
        }
        assert shells == {"single-stage": True, "debian": True, "alpine": True, "distroless": False, "scratch": False}
        for name in ("single-stage", "debian", "scratch"):
            assert int(str(told.of(name, by)["packed"])) < 0.6 * int(str(told.of(name, by)["unpacked"]))
    ours, theirs = (int(str(told.of("scratch", by)["unpacked"])) for by in ("wherry", "docker"))
    assert abs(ours - theirs) < 2_000_000, "one program, and zones or certificates at most"


def test_nothing_is_left_in_docker(told: Told, builder: Builder) -> None:
    assert told.rungs
    assert "wherry-variants" not in builder("image", "ls", "--format={{.Repository}}")
