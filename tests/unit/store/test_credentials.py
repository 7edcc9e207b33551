"""Docker's config file and its helpers: who we are to a registry, and to nobody else (D06, D07)."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.ports import ports
from wherry.errors import UnavailableError
from wherry.kit.secret import Secret
from wherry.store.keeper import Ports
from wherry.store.registry.account import Credentials
from wherry.store.registry.credentials import find as find_with_source


def find(host: str, repository: str, machine: Ports) -> Credentials | None:
    """Without saying where they came from, which is a path of the test."""
    found = find_with_source(host, repository, machine)
    return found and replace(found, source="")


def encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


def machine(folder: Path, config: object, helpers: dict[str, str] | None = None) -> Ports:
    """Ports with this config.json, and these programs (shell scripts) on PATH."""
    (folder / "docker").mkdir()
    (folder / "docker/config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    (folder / "bin").mkdir()
    for name, script in (helpers or {}).items():
        program = folder / "bin" / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return ports(folder, DOCKER_CONFIG=str(folder / "docker"), PATH=f"{folder}/bin:/usr/bin:/bin")


def test_nobody_is_logged_in(tmp_path: Path) -> None:
    assert find("reg.example", "app", ports(tmp_path)) is None
    assert find("reg.example", "app", machine(tmp_path, {})) is None


def test_a_name_and_password(tmp_path: Path) -> None:
    config = {"auths": {"reg.example": {"auth": encoded("ada:pass:word")}}, "HttpHeaders": {"X": "y"}}
    found = find("reg.example", "app", machine(tmp_path, config))
    assert found == Credentials(user="ada", secret=Secret("pass:word"))
    assert found.basic() == "Basic " + encoded("ada:pass:word")


@pytest.mark.parametrize(
    "key", ["reg.example", "https://reg.example", "https://reg.example/v1/", "http://reg.example/v2"]
)
def test_spellings_of_one_host(key: str, tmp_path: Path) -> None:
    assert find("reg.example", "app", machine(tmp_path, {"auths": {key: {"auth": encoded("a:b")}}}))


@pytest.mark.parametrize(
    "key",
    ["example", "reg.example.com", "reg.example:5000", "www.reg.example", "reg.exampl", "reg.example@x", "*.example"],
)
def test_other_hosts_get_nothing(key: str, tmp_path: Path) -> None:
    assert find("reg.example", "app", machine(tmp_path, {"auths": {key: {"auth": encoded("a:b")}}})) is None


def test_docker_hub_has_a_key_of_its_own(tmp_path: Path) -> None:
    config = {"auths": {"https://index.docker.io/v1/": {"auth": encoded("a:b")}}}
    assert find("docker.io", "library/app", machine(tmp_path, config))


def test_the_longest_path_wins_on_segment_borders(tmp_path: Path) -> None:
    auths = {
        "reg.example": {"auth": encoded("all:1")},
        "reg.example/team": {"auth": encoded("team:2")},
        "reg.example/tea": {"auth": encoded("tea:3")},
    }
    machine_ = machine(tmp_path, {"auths": auths})
    users = [
        getattr(find("reg.example", name, machine_), "user", "") for name in ("team/app", "team", "teams/app", "x")
    ]
    assert users == ["team", "team", "all", "all"]


def test_an_identity_token(tmp_path: Path) -> None:
    config = {"auths": {"reg.example": {"auth": encoded("<token>:"), "identitytoken": "id-1"}}}
    assert find("reg.example", "app", machine(tmp_path, config)) == Credentials(secret=Secret("id-1"), kind="identity")


ANSWER = """read server; [ "$server" = reg.example ] || exit 9; [ "$1" = get ] || exit 8
echo '{"ServerURL":"reg.example","Username":"ada","Secret":"s3"}'"""


def test_helpers_are_asked_before_the_file(tmp_path: Path) -> None:
    config = {"auths": {"reg.example": {"auth": encoded("file:1")}}, "credHelpers": {"reg.example": "own"}}
    helped = machine(tmp_path, config, {"own": ANSWER})
    assert find("reg.example", "app", helped) == Credentials(user="ada", secret=Secret("s3"))
    assert not list(Path(helped.scratch).glob("server-*"))


def test_the_general_helper(tmp_path: Path) -> None:
    helped = machine(tmp_path, {"credsStore": "all"}, {"all": ANSWER})
    assert find("reg.example", "app", helped) == Credentials(user="ada", secret=Secret("s3"))


def test_a_helper_that_knows_nothing(tmp_path: Path) -> None:
    script = "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1"
    config = {"auths": {"reg.example": {"auth": encoded("file:1")}}, "credsStore": "all"}
    found = find("reg.example", "app", machine(tmp_path, config, {"all": script}))
    assert found == Credentials(user="file", secret=Secret("1"))


def test_a_helpers_token(tmp_path: Path) -> None:
    script = """cat >/dev/null; echo '{"Username":"<token>","Secret":"id-2"}'"""
    found = find("reg.example", "app", machine(tmp_path, {"credsStore": "all"}, {"all": script}))
    assert found == Credentials(secret=Secret("id-2"), kind="identity")


@pytest.mark.parametrize(
    "script",
    [
        "exit 3",
        "cat >/dev/null; echo not json",
        "cat >/dev/null; echo '[1]'",
        "cat >/dev/null; head -c 2000000 /dev/zero",
    ],
)
def test_a_helper_that_fails_is_an_error(script: str, tmp_path: Path) -> None:
    config = {"auths": {"reg.example": {"auth": encoded("file:1")}}, "credHelpers": {"reg.example": "own"}}
    with pytest.raises(UnavailableError):
        find("reg.example", "app", machine(tmp_path, config, {"own": script}))


@pytest.mark.parametrize("name", ["missing", "../../evil", "a b", "x\n"])
def test_a_helper_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        find("reg.example", "app", machine(tmp_path, {"credHelpers": {"reg.example": name}}))
    assert caught.value.name == "credential-helper"


@pytest.mark.parametrize("config", ["{", "[]", '{"auths": []}', '{"auths": {"reg.example": {"auth": "***"}}}'])
def test_a_broken_config_is_named(config: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        find("reg.example", "app", machine(tmp_path, config))
    assert caught.value.name == "docker-config"
    assert "config.json" in caught.value.where[0]


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hunter2")
    made = Credentials(user="ada", secret=secret)
    shown = f"{secret} {secret!r} {made} {made!r} {[secret]} {secret:>10}"
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("hunter3")
    assert not Secret("")
