"""Variables and secrets of a program in a cluster: which stand in files, and for which it waits."""

from __future__ import annotations

import pytest

from tests.support.applications import API
from tests.support.manifests import FORMS, container, kinds, pod, running, texts, the
from wherry.model.application import Application, Backing


def test_no_secret_is_in_any_file() -> None:
    (secret,) = (one["secret"] for one in pod(API)["volumes"] if "secret" in one)
    assert secret["items"] == [{"key": "database-password", "path": "database-password"}]
    assert secret["defaultMode"] == 0o440
    assert pod(API)["securityContext"]["fsGroup"] == API.runs.group
    assert {"secretRef": {"name": "shop-api-environment"}} in container(API)["envFrom"]
    assert all(kind != "Secret" for form in FORMS for kind in _kinds_named(texts(form, API)))


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        (API, True),
        (running(API, backing=()), False),
        (running(API, variables=("LOG_LEVEL",)), False),
        (running(API, variables=("STORE",), backing=(Backing(kind="postgres", urls=("STORE",)),)), True),
        (running(API, environment=(("DATABASE_URL", "postgres://db/shop"),)), False),
        (running(API, variables=("DATABASE_HOST", "JWT_SECRET")), False),
        (running(API, variables=("DATABASE_HOST", "SHOP_DB_PASSWORD")), True),
        (running(API, variables=("REDIS_PASSWORD",)), False),
        (running(API, variables=("REDIS_PASSWORD",), backing=(Backing(kind="redis"),)), True),
    ],
    ids=[
        *("server", "no server", "no variable", "whatever it is called", "set already"),
        *("its own secret", "password", "password of another server", "password of redis"),
    ],
)
def test_pods_wait_for_what_leads_to_a_server(changed: Application, needed: bool) -> None:
    (secret,) = (one["secretRef"] for one in container(changed)["envFrom"] if "secretRef" in one)
    assert secret.get("optional", False) is not needed
    assert ("CreateContainerConfigError" in texts("plain", changed)["deploy/deployment.yaml"]) is needed
    notes = texts("helm", changed)["deploy/chart/templates/NOTES.txt"]
    assert ("for which it waits" in notes) is needed


def test_what_holds_a_password_is_asked_for_whole() -> None:
    application = running(API, variables=("API_TOKEN", "DATABASE_URL", "TLS_KEY_FILE"))
    written = " ".join(texts("plain", application)["deploy/deployment.yaml"].replace("# ", "").split())
    assert "For API_TOKEN, DATABASE_URL. Until it is there, pods stay in" in written
    assert "kubectl create secret generic shop-api-environment" in written
    assert "--from-literal=API_TOKEN=... --from-literal=DATABASE_URL=..." in written
    assert "TLS_KEY_FILE" not in written, "a path is no secret"
    told = running(application, secrets=("tls-key",))
    assert the("ConfigMap", told)["data"] == {"TLS_KEY_FILE": "/run/secrets/tls-key"}


def _kinds_named(made: dict[str, str]) -> list[str]:
    lines = [line for text in made.values() for line in text.splitlines()]
    return [line.removeprefix("kind: ") for line in lines if line.startswith("kind: ")]


def test_variables_are_in_the_config_map_and_known_ones_have_a_value() -> None:
    assert the("ConfigMap", API)["data"] == {"LOG_LEVEL": "info"}
    gin = running(API, usual=(("TZ", "UTC"),), environment=(("GIN_MODE", "release"),))
    assert the("ConfigMap", gin)["data"] == {"GIN_MODE": "release", "TZ": "UTC"}
    none = running(API, variables=("PORT",), usual=(), environment=(), backing=())
    assert "ConfigMap" not in kinds(none)
    assert "envFrom" not in container(none)
    assert "envFrom" in container(running(none, variables=("API_KEY",)))
    store = running(none, variables=("PORT", "STORE"), backing=(Backing(kind="postgres", urls=("STORE",)),))
    assert "--from-literal=STORE=..." in "".join(texts("plain", store).values()), (
        "the address of a server holds its password"
    )
