"""docker-bake.hcl as HCL's own parser reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import foreign
from tests.support.applications import API, JOBS
from tests.support.generated import same_as_golden
from wherry.errors import UsageError
from wherry.generate.bake import files
from wherry.model.application import Application
from wherry.model.file import Choice

CHOICE = Choice(what="bake")
CASES = pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (JOBS, API))], ids=["api", "jobs", "both"]
)


def text(*applications: Application) -> str:
    (made,) = files(applications, CHOICE)
    return made.text


@CASES
def test_golden(name: str, applications: tuple[Application, ...]) -> None:
    same_as_golden(f"bake-{name}", files(applications, CHOICE))


@CASES
def test_it_is_formatted_as_hclfmt_does(name: str, applications: tuple[Application, ...]) -> None:
    assert foreign.formatted(text(*applications)) == text(*applications)


def test_paths_begin_at_the_root(tmp_path: Path) -> None:
    """Where a context is: Bake asks for a permission before it reads above the folder that it is started in."""
    made = foreign.bake(text(JOBS, API), tmp_path)["target"]
    assert (made["jobs"]["context"], made["jobs"]["dockerfile"]) == (".", "services/jobs/jobs.Dockerfile")
    assert made["shop-api"]["dockerfile"] == "services/jobs/shop-api.Dockerfile"
    assert foreign.bake(text(JOBS), tmp_path)["target"]["jobs"]["dockerfile"] == "services/jobs/Dockerfile"


def test_the_version_comes_from_outside(tmp_path: Path) -> None:
    made = foreign.bake(text(API), tmp_path, version="1.2.3")["target"]["shop-api"]
    assert made["args"] == {"VERSION": "1.2.3", "REVISION": "unknown"}
    assert made["tags"] == ["registry.example.com/shop/shop-api:1.2.3"]
    declared = foreign.bake(text(API), tmp_path)["variable"]
    assert declared == {"VERSION": {"default": "dev"}, "REVISION": {"default": "unknown"}}


def test_the_version_is_what_wherry_calls_it() -> None:
    """Of each module, which may have tags of its own; from the root, where Bake is started."""
    assert text(JOBS).startswith("# In the repository's root:")
    assert "# VERSION=$(wherry plan --only version ./services/jobs | tr + -)\n" in text(JOBS)
    both = text(JOBS, API)
    assert "# VERSION=$(wherry plan --only version ./services/jobs | tr + -) for jobs\n" in both
    assert "# VERSION=$(wherry plan --only version ./cmd/api | tr + -) for shop-api\n" in both
    assert text(API, replace(API, name="other")).count("# VERSION=") == 1


def test_a_release_is_for_every_platform_and_says_what_it_is(tmp_path: Path) -> None:
    made = foreign.bake(text(API), tmp_path)
    release = made["target"]["shop-api-release"]
    assert made["group"]["release"]["targets"] == ["shop-api-release"]
    assert release["inherits"] == ["shop-api"]
    assert release["platforms"] == ["linux/amd64", "linux/arm64"]
    assert release["attest"] == ["type=provenance,mode=max", "type=sbom"]
    (cache,) = release["cache-from"]
    assert release["cache-to"][0].startswith(f"{cache},mode=max")
    assert made["target"]["shop-api"]["output"] == ["type=docker"]


def test_nothing_is_pushed_to_nowhere(tmp_path: Path) -> None:
    """Without a registry in its name an image would go to Docker Hub's own."""
    made = foreign.bake(text(JOBS), tmp_path)
    assert made["target"].keys() == {"jobs"}
    assert made["group"].keys() == {"default"}


def test_credentials_are_no_file_above_the_root(tmp_path: Path) -> None:
    made = foreign.bake(text(JOBS), tmp_path)["target"]["jobs"]
    assert made["secret"] == ["id=netrc,env=NETRC"]
    assert "secret" not in foreign.bake(text(API), tmp_path)["target"]["shop-api"]


@pytest.mark.parametrize("others", [(API, API), (replace(API, name="a.b"), replace(API, name="x/a-b"))])
def test_two_targets_of_one_name_are_refused(others: tuple[Application, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        text(*others)
    assert caught.value.name == "same-name"


@pytest.mark.parametrize("order", [1, -1])
def test_a_target_is_never_the_release_of_another(order: int) -> None:
    with pytest.raises(UsageError):
        text(*(API, replace(API, name="shop-api-release"))[::order])
