"""The Go package health: what of it is an application's own, and what it refuses."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.tools import need
from wherry.errors import UsageError
from wherry.generate.health.files import FOLDER, MODULE, files
from wherry.model.application import Application
from wherry.model.file import Choice, File
from wherry.model.plan import Health

CHOICE = Choice(what="health")
OWN = ("settings.go", "example_test.go")
"""Files that differ from application to application."""


def runs(application: Application, **more: Any) -> Application:
    return replace(application, runs=replace(application.runs, **more))


def sources(application: Application, **more: Any) -> Application:
    return replace(application, sources=replace(application.sources, **more))


def named(made: tuple[File, ...]) -> dict[str, str]:
    """Texts by the last part of their paths."""
    return {one.path.rpartition("/")[2]: one.text for one in made}


def constants(application: Application) -> dict[str, str]:
    """As settings.go has them."""
    text = named(files((application,), CHOICE))["settings.go"]
    return dict(re.findall(r"(?m)^\t(\w+) = (.+)$", text))


def refused(*applications: Application) -> UsageError:
    with pytest.raises(UsageError) as caught:
        files(applications, CHOICE)
    return caught.value


@pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (API, JOBS))], ids=["api", "jobs", "both"]
)
def test_golden_of_what_is_an_applications_own(name: str, applications: tuple[Application, ...]) -> None:
    own = tuple(one for one in files(applications, CHOICE) if one.path.rpartition("/")[2] in OWN)
    same_as_golden(f"health-{name}", own)


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_everything_else_is_the_package_that_is_tested_here(application: Application) -> None:
    made = named(files((application,), CHOICE))
    for path in (MODULE / FOLDER).glob("*.go"):
        assert path.name in OWN or made.pop(path.name) == f"\n{path.read_text()}"
    assert set(made) == set(OWN)


def test_two_applications_share_no_line_of_their_own() -> None:
    first, second = constants(API), constants(runs(JOBS, liveness="/alive", readiness="/ready", drain=7.0))
    fixed = {"StartPath", "VersionPath", "CommandTimeout", "DrainPause"}
    assert {name for name in first if first[name] == second[name]} == fixed
    for application, other in ((API, JOBS), (JOBS, API)):
        made = named(files((application,), CHOICE))
        text = "".join(made[name] for name in made if name in OWN or not name.endswith("_test.go"))
        assert f":{application.port}" in text
        assert application.sources.module in text
        assert f":{other.port}" not in text
        assert other.sources.module not in text


def test_it_lies_in_the_module_of_the_main() -> None:
    assert {one.path.rpartition("/")[0] for one in files((API,), CHOICE)} == {"internal/health"}
    assert {one.path.rpartition("/")[0] for one in files((JOBS,), CHOICE)} == {"internal/health"}, (
        "its home is its module"
    )
    below = sources(API, module_directory="services/api")
    assert {one.path.rpartition("/")[0] for one in files((below,), CHOICE)} == {"services/api/internal/health"}


def test_one_package_for_each_module() -> None:
    together = files((API, JOBS), CHOICE)
    assert {one.path.rpartition("/")[0] for one in together} == {"internal/health", "services/jobs/internal/health"}
    twice = files((API, replace(API, name="other")), CHOICE)
    assert [one.path for one in twice] == [one.path for one in files((API,), CHOICE)]
    error = refused(API, runs(replace(API, name="other"), readiness="/ready"))
    assert error.name == "health-differs"
    assert 'ReadyPath would be "/readyz" or "/ready"' in str(error)
    assert error.next[0] == "wherry generate health ./cmd/api"
    idle = runs(replace(API, name="migrate"), readiness="/ready", ports=())
    for programs in ((API, idle), (idle, API)):
        assert files(programs, CHOICE) == files((API,), CHOICE), "what listens nowhere has no say"


@pytest.mark.parametrize(
    ("more", "live", "ready"),
    [
        ({}, "/livez", "/readyz"),
        ({"liveness": "/healthz"}, "/healthz", "/readyz"),
        ({"health": Health(command=("api", "health")), "liveness": "/up"}, "/up", "/readyz"),
        ({"liveness": "/"}, "/livez", "/readyz"),
        ({"liveness": "/ping", "readiness": "/ping"}, "/ping", "/readyz"),
        ({"readiness": "/-/ready"}, "/livez", "/-/ready"),
    ],
)
def test_paths(more: dict[str, Any], live: str, ready: str) -> None:
    made = constants(runs(API, **{"health": None, "liveness": "", "readiness": "", **more}))
    assert (made["LivePath"], made["ReadyPath"]) == (f'"{live}"', f'"{ready}"')


@pytest.mark.parametrize(
    "path",
    [HOSTILE, "/a b", "/{id}", "/health?deep=1", "/a/../b", "/./a", "health", "/%2e", "/startupz", "/version", "/a/"],
)
def test_paths_that_it_cannot_answer(path: str) -> None:
    for key in ("liveness", "readiness"):
        error = refused(runs(API, **{key: path}))
        assert error.name == "health-path"
        assert error.next


@pytest.mark.parametrize(
    ("drain", "grace", "pause", "limit"),
    [
        (10.0, 30.0, "2 * time.Second", "10 * time.Second"),
        (0.0, 30.0, "2 * time.Second", "10 * time.Second"),
        (25.0, 27.0, "1 * time.Second", "25 * time.Second"),
        (10.0, 10.0, "0 * time.Second", "10 * time.Second"),
        (1.5, 30.0, "2 * time.Second", "1500 * time.Millisecond"),
    ],
)
def test_it_has_ended_before_it_is_killed(drain: float, grace: float, pause: str, limit: str) -> None:
    made = constants(runs(API, drain=drain, grace=grace))
    assert (made["DrainPause"], made["DrainLimit"]) == (pause, limit)


def test_the_command_ends_before_the_engine_ends_it() -> None:
    assert constants(runs(API, health=Health(port=1, path="/a", timeout=5.0)))["CommandTimeout"] == "4 * time.Second"
    assert constants(runs(API, health=None))["CommandTimeout"] == "2 * time.Second"


@pytest.mark.parametrize("line", ["", "1.20", "1.9.7", "1.20.14", "2"])
def test_older_go_is_refused(line: str) -> None:
    error = refused(sources(API, go_line=line))
    assert error.name == "health-go"
    assert error.where == ("go.mod",)


@pytest.mark.parametrize("line", ["1.21", "1.21.0", "1.25rc1", "1.100", "2.0"])
def test_newer_go_is_not(line: str) -> None:
    assert files((sources(API, go_line=line),), CHOICE)


@pytest.mark.parametrize("module", [HOSTILE, 'a"b', "a b", "", "a\nb"])
def test_a_module_that_nobody_can_import(module: str) -> None:
    assert refused(sources(API, module=module)).name == "bad-text"


def test_a_program_that_listens_nowhere_gets_a_proposal() -> None:
    assert 'const address = ":8080"' in named(files((runs(JOBS, ports=()),), CHOICE))["example_test.go"]


def test_tls_is_served_and_asked_for() -> None:
    plain, tls = (named(files((runs(API, tls=one),), CHOICE)) for one in (False, True))
    assert "ListenAndServeTLS" not in "".join(plain.values())
    assert "ListenAndServe()" not in "".join(tls.values())
    assert set(plain) == set(tls)


@pytest.mark.parametrize("application", [API, JOBS, runs(API, tls=True)], ids=["api", "jobs", "tls"])
def test_gofmt_would_change_nothing(application: Application) -> None:
    need("gofmt")
    for one in files((application,), CHOICE):
        headed = f"// wherry generate health\n// Lines that stay.\n{one.text}"
        done = subprocess.run(["gofmt"], input=headed, capture_output=True, text=True, check=True)
        assert done.stdout == headed, one.path


def test_the_first_line_is_no_documentation() -> None:
    assert all(one.text.startswith("\n") and one.comment == "//" for one in files((API,), CHOICE))
