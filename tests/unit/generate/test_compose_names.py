"""What compose files call things, in every clone and after every edit, and what they tell of secrets; and yamllint."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from yamllint import linter  # type: ignore[import-untyped]
from yamllint.config import YamlLintConfig  # type: ignore[import-untyped]

from tests.support.applications import API, JOBS
from tests.support.manifests import running
from wherry.generate.compose.files import PURPOSES, files
from wherry.model.application import Application, Backing
from wherry.model.file import Choice
from wherry.model.place import Place

Applications = tuple[Application, ...]
LINES = YamlLintConfig("{extends: default, rules: {line-length: {max: 130}, document-start: disable}}")
"""As for Kubernetes: a sentence may end a little later, and `---` parts documents alone."""


def text(purpose: str, *applications: Application) -> str:
    (made,) = files(applications, Choice(what="compose", variant=purpose))
    return made.text


def environment(application: Application) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(text("secure", application))["services"][application.name]["environment"]
    return made


def of_module(module: str, folder: str, name: str = API.name) -> Application:
    return replace(API, name=name, sources=replace(API.sources, module=module, module_directory=folder))


def at_root(application: Application) -> Application:
    return replace(application, home=".")


@pytest.mark.parametrize(
    ("applications", "name"),
    [
        ((replace(API, name="team/Shop.Api"),), "shop-api"),
        ((API, JOBS), "shop"),
        ((replace(API, source="https://example.com/me/fork.git"), JOBS), "shop"),
        ((of_module("example.com/shop/v2", "."), JOBS), "shop"),
        ((of_module("example.com/mono/services/api", "services/api"), at_root(JOBS)), "mono"),
        ((of_module("example.com/mono/api/v3", "api"), at_root(JOBS)), "mono"),
        ((of_module("example.com/mono/api/v3", "api/v3"), at_root(JOBS)), "mono"),
        ((of_module("example.com/mono/api", "api"), of_module("example.com/root", ".", "other")), "root"),
        ((of_module("example.com/elsewhere", "api"), at_root(JOBS)), "shop-api"),
        ((replace(JOBS, home="services/all jobs"), API), "all-jobs"),
    ],
    ids=["one", "module", "fork", "v2", "below", "below-v3", "in-v3", "root-first", "unlike", "folder"],
)
def test_the_project_has_a_name_that_compose_takes(applications: Applications, name: str) -> None:
    made = yaml.safe_load(text("secure", *applications))
    assert made["name"] == name
    assert made["services"]["postgres"]["environment"]["POSTGRES_DB"] == name.replace("-", "_")


def test_an_edit_above_an_import_makes_no_file_stale() -> None:
    def at(line: int) -> str:
        place = Place(file="internal/store/db.go", line=line, column=2)
        return text("secure", running(API, variables=(), backing=(Backing(kind="postgres", place=place),)))

    assert at(9) == at(10)


def test_who_asks_where_a_secret_lies_is_told() -> None:
    variables = ("DATABASE_PASSWORD_FILE", "TLS_KEY_FILE", "OTHER_FILE")
    application = running(API, variables=variables, secrets=("tls.key", "database-password"))
    alone = environment(running(application, backing=()))
    assert alone["TLS_KEY_FILE"] == "/run/secrets/tls.key"
    assert alone["DATABASE_PASSWORD_FILE"] == "/run/secrets/database-password"
    assert "OTHER_FILE" not in alone
    assert environment(application)["DATABASE_PASSWORD_FILE"] == "/run/secrets/database-password"
    assert environment(running(application, secrets=()))["DATABASE_PASSWORD_FILE"] == "/run/secrets/postgres-password"
    known = running(application, backing=(), environment=(("TLS_KEY_FILE", "/etc/tls.key"),))
    assert "TLS_KEY_FILE" not in environment(known)


def test_a_secret_comes_from_a_file_and_is_not_typed() -> None:
    """A key in PEM has lines, and a shell's history remembers what is typed."""
    lines = text("secure", running(API, secrets=("tls.key",))).splitlines()
    assert "# install -m 644 path/to/tls.key secrets/tls.key" in lines


def test_the_version_is_what_wherry_calls_it() -> None:
    """It ends up in a tag, too."""
    assert "# VERSION=$(wherry plan --only version ./cmd/api | tr + -)\n" in text("secure", API)
    assert "# VERSION=$(wherry plan --only version . | tr + -)\n" in text("secure", JOBS)
    assert "# VERSION=$(wherry plan --only version ../../cmd/api | tr + -)\n" in text("secure", JOBS, API)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("applications", [(API,), (JOBS,), (API, JOBS)], ids=["api", "jobs", "both"])
def test_yamllint_finds_nothing(purpose: str, applications: Applications) -> None:
    assert list(linter.run(text(purpose, *applications), LINES)) == []
