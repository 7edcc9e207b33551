"""How compose files lead a program to its servers: by what its code reads, with one password for both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support import foreign
from tests.support.applications import API, DIGEST
from wherry.generate.compose.files import PURPOSES, files
from wherry.model.application import Application, Backing
from wherry.model.file import Choice


def text(purpose: str, application: Application) -> str:
    (made,) = files((application,), Choice(what="compose", variant=purpose))
    return made.text


def read(folder: Path, purpose: str, application: Application) -> dict[str, Any]:
    return foreign.compose(text(purpose, replace(application, digest=DIGEST)), folder)


def service(folder: Path, purpose: str, application: Application) -> dict[str, Any]:
    made: dict[str, Any] = read(folder, purpose, application)["services"][application.name]
    return made


def led(*backing: Backing, variables: tuple[str, ...] = (), **more: object) -> Application:
    """API with these servers beside it."""
    named = {name for one in backing for name in (*one.urls, *one.addresses)}
    known = tuple(sorted({*variables, *named}))
    return replace(API, runs=replace(API.runs, **{"backing": backing, "variables": known, "secrets": (), **more}))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_the_client_is_handed_counts_before_any_name(purpose: str, tmp_path: Path) -> None:
    """DATABASE_URL may lead to Redis, and STORE to Postgres: the code says so."""
    redis = Backing(kind="redis", urls=("DATABASE_URL",), addresses=("CACHE",))
    alone = service(tmp_path, purpose, led(redis, variables=("REDIS_HOST",)))
    assert {"DATABASE_URL": "redis://redis:6379/0", "CACHE": "redis:6379", "REDIS_HOST": "redis"}.items() <= alone[
        "environment"
    ].items()
    both = text(purpose, led(Backing(kind="postgres", urls=("STORE",)), redis))
    assert "# printf 'STORE=postgres://shop_api:%s@postgres:5432/shop_api?sslmode=disable\\n' \\" in both
    assert "DATABASE_URL=postgres" not in both
    assert 'DATABASE_URL: "redis://redis:6379/0"' in both
    assert "no variable is known" not in both


@pytest.mark.parametrize(
    ("variables", "set_to"),
    [
        (("SHOP_DB_HOST",), {"SHOP_DB_HOST": "postgres"}),
        (("DB_HOST", "SHOP_DB_HOST"), {"DB_HOST": "postgres"}),
        (("REDIS_DB_HOST", "TEST_DB_HOST", "XDB_HOST"), {}),
    ],
)
def test_a_name_with_the_programs_before_it(variables: tuple[str, ...], set_to: dict[str, str], tmp_path: Path) -> None:
    """Where the plain one is not read, and nothing else is named."""
    made = service(tmp_path, "secure", led(Backing(kind="postgres"), variables=variables))
    assert {name: one for name, one in made["environment"].items() if name.endswith("_HOST")} == set_to


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_programs_own_file_with_the_password_is_the_servers(purpose: str, tmp_path: Path) -> None:
    """Two files would have to be the same, and nobody would know."""
    secrets = ("db_password", "shop-redis-password", "tls.key")
    application = led(Backing(kind="postgres"), Backing(kind="redis"), secrets=secrets)
    made = read(tmp_path, purpose, application)
    listed = made["services"]["shop-api"]["secrets"]
    own = {one["target"].removeprefix("/run/secrets/"): one["source"] for one in listed}
    assert own == {"db_password": "postgres-password", "shop-redis-password": "redis-password", "tls.key": "tls.key"}
    assert set(made["secrets"]) == {"postgres-password", "redis-password", "tls.key"}
    redis = made["services"]["redis"]
    assert [one["source"] for one in redis["secrets"]] == ["redis-password"]
    script = redis["command"][2].replace("$$", "$")
    assert script == "exec redis-server - <<END\nrequirepass $(cat /run/secrets/redis-password)\nEND\n"
    assert "REDISCLI_AUTH" in redis["healthcheck"]["test"][1]
    written = text(purpose, application)
    assert "# openssl rand -hex 24 | install -m 644 /dev/stdin secrets/redis-password" in written
    assert "asks for no password" not in written
    open_to_all = read(tmp_path, purpose, led(Backing(kind="redis"), secrets=("tls.key",)))["services"]["redis"]
    assert not {"command", "secrets"} & open_to_all.keys()
