"""The Go test of the image: what of it is an application's own."""

from __future__ import annotations

import re
import subprocess

import pytest
from msgspec.structs import replace

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.tools import need
from wherry.errors import UsageError
from wherry.formats.gotext import quoted
from wherry.generate.container_test.files import SETTINGS, SOURCES, files
from wherry.model.application import Application, Backing
from wherry.model.file import Choice

CHOICE = Choice(what="container-test")


def settings(*applications: Application) -> dict[str, str]:
    """As the first application's settings have them."""
    text = next(one.text for one in files(applications, CHOICE) if one.path.endswith(SETTINGS))
    return dict(re.findall(r"(?m)^\t(\w+) += (.+)$", text))


@pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (API, JOBS))], ids=["api", "jobs", "both"]
)
def test_golden_of_what_is_an_applications_own(name: str, applications: tuple[Application, ...]) -> None:
    own = tuple(one for one in files(applications, CHOICE) if one.path.endswith(SETTINGS))
    same_as_golden(f"container-test-{name}", own)


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_everything_else_is_what_is_tested_here(application: Application) -> None:
    made = {one.path.rpartition("/")[2]: one.text for one in files((application,), CHOICE)}
    for path in SOURCES.glob("*.go"):
        text = made.pop(path.name)
        assert path.name == SETTINGS or text == f"\n{path.read_text()}"
    assert not made


def test_two_applications_share_no_value_of_their_own() -> None:
    first, second = settings(API), settings(JOBS)
    same = {name for name in first if first[name] == second[name]}
    assert same == {"HTTPS", "Environment", "ReadyPath"}
    assert settings(replace(API, runs=replace(API.runs, backing=())))["ReadyPath"] == '"/readyz"'


def test_where_it_lies_and_what_it_leads_to() -> None:
    (folder,) = {one.path.rpartition("/")[0] for one in files((API,), CHOICE)}
    assert folder == "internal/containertest"
    assert settings(API)["Root"] == '"../.."'
    assert settings(API)["Dockerfile"] == '"Dockerfile"'
    (folder,) = {one.path.rpartition("/")[0] for one in files((JOBS,), CHOICE)}
    assert folder == "internal/containertest", "its home is its module"
    assert settings(JOBS)["Root"] == '"../../../.."'
    assert settings(JOBS)["Dockerfile"] == '"services/jobs/Dockerfile"'


def test_each_of_several_has_a_folder_and_a_name_of_its_own() -> None:
    made = files((API, JOBS), CHOICE)
    folders = {one.path.rpartition("/")[0] for one in made}
    assert folders == {"internal/containertest/shop-api", "services/jobs/internal/containertest/jobs"}
    assert settings(API, JOBS)["Root"] == '"../../.."'
    assert settings(API, JOBS)["Dockerfile"] == '"shop-api.Dockerfile"'
    assert "./internal/containertest/shop-api\n" in next(one.text for one in made if one.path.endswith("doc.go"))
    with pytest.raises(UsageError, match="would be called shop-api"):
        files((API, replace(JOBS, name="Shop_API")), CHOICE)


@pytest.mark.parametrize(
    ("name", "clean"),
    [("team/Shop_API", "shop-api"), ("a..b", "a-b"), ("-", "app"), ("x" * 90, "x" * 40), (HOSTILE, None)],
)
def test_engines_take_the_name(name: str, clean: str | None) -> None:
    made = settings(replace(API, name=name))["Name"].strip('"')
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", made)
    assert clean in (None, made)


def test_a_program_that_listens_nowhere_is_asked_nothing() -> None:
    made = settings(replace(API, runs=replace(API.runs, ports=(), backing=())))
    assert (made["Port"], made["LivePath"], made["ReadyPath"]) == ("0", '""', '""')


@pytest.mark.parametrize(
    ("ports", "asked", "port", "alive"),
    [
        (("9090/tcp", "8080/tcp"), 8080, "8080", "/healthz"),
        (("9090/tcp", "8080/tcp"), 0, "9090", ""),
        (("8080/tcp",), 9000, "8080", ""),
    ],
)
def test_routes_are_asked_where_they_are_answered(ports: tuple[str, ...], asked: int, port: str, alive: str) -> None:
    made = settings(replace(API, runs=replace(API.runs, ports=ports, asked=asked, backing=())))
    ready = "/readyz" if alive else ""
    assert (made["Port"], made["LivePath"], made["ReadyPath"]) == (port, f'"{alive}"', f'"{ready}"')


def test_readiness_that_asks_a_server_is_left_to_others() -> None:
    assert settings(replace(API, runs=replace(API.runs, backing=(Backing(kind="redis"),))))["ReadyPath"] == '""'


def test_texts_are_data() -> None:
    hostile = replace(
        API,
        programs=(replace(API.programs[0], import_path=HOSTILE),),
        runs=replace(API.runs, liveness=HOSTILE, secrets=(HOSTILE, "b")),
    )
    made = settings(hostile)
    assert made["Package"] == made["LivePath"] == quoted(HOSTILE)
    assert made["Secrets"] == f'[]string{{{quoted(HOSTILE)}, "b"}}'


@pytest.mark.parametrize("applications", [(API,), (JOBS,), (API, JOBS)], ids=["api", "jobs", "both"])
def test_gofmt_would_change_nothing(applications: tuple[Application, ...]) -> None:
    need("gofmt")
    for one in files(applications, CHOICE):
        headed = f"// wherry generate container-test\n// Lines that stay.\n{one.text}"
        done = subprocess.run(["gofmt"], input=headed, capture_output=True, text=True, check=True)
        assert done.stdout == headed, one.path
