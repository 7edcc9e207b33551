"""D06, D07, D08, D10: which credentials belong to which host, and what helpers may do wrong."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.accounts import PAIR, PASSWORD, config, helper
from tests.support.ports import ports
from wherry.errors import UnavailableError, UsageError, WherryError
from wherry.kit.ports import Command, Completed
from wherry.store.keeper import Ports
from wherry.store.registry import credential_helper, credentials
from wherry.store.registry.account import Credentials

HUB = "https://index.docker.io/v1/"


def found(host: str, machine: Ports, repository: str = "team/app") -> str:
    """The password that `host` would be told, or empty."""
    account = credentials.find(host, repository, machine)
    return account.secret.reveal() if account else ""


@pytest.mark.parametrize("script", ["", "exit 3", "cat >/dev/null; echo junk", "kill -9 $$", "cat >/dev/null; yes"])
def test_d06_a_helper_that_fails_is_the_end(script: str, tmp_path: Path) -> None:
    """docker CVE-2021-41092: the file's own entries, and those of Docker Hub, are not tried instead."""
    made = config(tmp_path, "reg.example", HUB, credHelpers={"reg.example": "own"}, credsStore="own")
    path = helper(tmp_path, "own" if script else "other", script)
    machine = ports(tmp_path, DOCKER_CONFIG=str(made), PATH=path)
    for host in ("reg.example", "docker.io", "other.example"):
        with pytest.raises(UnavailableError) as caught:
            found(host, machine)
        assert caught.value.name == "credential-helper"
        assert PASSWORD not in f"{caught.value} {caught.value.why} {caught.value.where}"


def test_d06_a_helper_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_helper, "SECONDS", 0.3)
    made = config(tmp_path, "reg.example", credsStore="own")
    machine = ports(tmp_path, DOCKER_CONFIG=str(made), PATH=helper(tmp_path, "own", "sleep 60"))
    began = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        found("reg.example", machine)
    assert (caught.value.name, time.monotonic() - began < 30) == ("credential-helper", True)


def test_d06_podmans_file_is_not_tried_after_dockers_helper(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker/config.json").write_text(json.dumps({"credHelpers": {"reg.example": "none"}}))
    auth_file(home / ".config/containers/auth.json", "reg.example", "podman")
    with pytest.raises(UnavailableError):
        found("reg.example", ports(tmp_path))


HOSTS = (
    "example.com",
    "example.co",
    "www.example.com",
    "example.com:5000",
    "example.com:443",
    "xample.com",
    "EXAMPLE.com",
)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("form", ["{}", "https://{}", "https://{}/v1/", "http://{}/v2/"])
def test_d07_a_host_is_equal_to_the_letter(host: str, form: str, tmp_path: Path) -> None:
    """kubernetes #102472, testcontainers-java #6323."""
    made = config(tmp_path, form.format(host))
    machine = ports(tmp_path, DOCKER_CONFIG=str(made))
    assert [other for other in HOSTS if found(other, machine)] == [host]


@pytest.mark.parametrize("form", ["docker.io", "index.docker.io", HUB, "registry-1.docker.io"])
def test_d07_docker_hub_alone_has_other_names(form: str, tmp_path: Path) -> None:
    machine = ports(tmp_path, DOCKER_CONFIG=str(config(tmp_path, form)))
    known = [
        host for host in ("docker.io", "auth.docker.io", "hub.docker.com", "evil-docker.io") if found(host, machine)
    ]
    assert known == ["docker.io"]


def test_d07_paths_end_at_slashes(tmp_path: Path) -> None:
    machine = ports(tmp_path, DOCKER_CONFIG=str(config(tmp_path, "reg.example/team")))
    repositories = ("team", "team/app", "teams/app", "tea", "x/team/app", "team-b/app")
    assert [one for one in repositories if found("reg.example", machine, one)] == ["team", "team/app"]


@pytest.mark.parametrize(
    "host", ["1.dkr.ecr.eu-west-1.evil.com", "gcr.io.evil.com", "evil.azurecr.io.com", "ghcr.io.evil.example"]
)
def test_d08_look_alikes_of_clouds_get_nothing(host: str, tmp_path: Path) -> None:
    """trivy CVE-2024-35192. No helper is asked but by its host's whole name, and none is built in."""
    said = 'cat >/dev/null; echo \'{"Username":"AWS","Secret":"cloud"}\''
    made = config(tmp_path, credHelpers={"1.dkr.ecr.eu-west-1.amazonaws.com": "ecr", "gcr.io": "ecr", "ghcr.io": "ecr"})
    machine = ports(tmp_path, DOCKER_CONFIG=str(made), PATH=helper(tmp_path, "ecr", said), AWS_SECRET_ACCESS_KEY="x")
    assert found(host, machine) == ""
    assert found("gcr.io", machine) == "cloud"


@pytest.mark.parametrize("name", ["../../evil", "evil/x", "a b", "x\ny", "-x", "", "x" * 100])
def test_d10_a_helpers_name_is_no_path(name: str, tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("#!/bin/sh\ntouch started\n")
    (tmp_path / "evil").chmod(0o755)
    machine = ports(tmp_path, DOCKER_CONFIG=str(config(tmp_path, "other.example", credHelpers={"reg.example": name})))
    if name:
        with pytest.raises(UnavailableError) as caught:
            found("reg.example", machine)
        assert caught.value.name == "credential-helper"
    assert not list(tmp_path.rglob("started"))


@pytest.mark.parametrize("host", ["reg.example\nhost=evil", "reg.example\r", "reg\0", "reg.example\x1b[2J"])
def test_d10_no_control_character_reaches_a_helper(host: str, tmp_path: Path) -> None:
    """CVE-2020-5260, CVE-2024-52006."""
    ran: list[Command] = []

    def run(command: Command) -> Completed:
        ran.append(command)
        return Completed(code=0, stdout=b"{}")

    made = config(tmp_path, credsStore="own")
    machine = ports(tmp_path, DOCKER_CONFIG=str(made), PATH=helper(tmp_path, "own", "exit 1"))
    with pytest.raises(WherryError):
        credentials.find(host, "a", replace(machine, run=run))
    assert ran == []


def auth_file(path: Path, host: str, user: str) -> Path:
    import base64

    path.parent.mkdir(parents=True, exist_ok=True)
    pair = base64.b64encode(f"{user}:{user}-secret".encode()).decode()
    path.write_text(json.dumps({"auths": {host: {"auth": pair}}}))
    return path


def test_the_order_of_files(tmp_path: Path) -> None:
    """The first that knows the host; a file that is named ends the search in the usual places."""
    home, host = tmp_path / "home", "reg.example"
    auth_file(home / ".config/containers/auth.json", host, "config")
    assert user(tmp_path, host) == "config"
    auth_file(tmp_path / "run/containers/auth.json", host, "runtime")
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    assert user(tmp_path, host, **runtime) == "runtime"
    auth_file(home / ".docker/config.json", "other.example", "docker")
    assert user(tmp_path, host, **runtime) == "runtime", "Docker's file does not know it"
    auth_file(home / ".docker/config.json", host, "docker")
    assert user(tmp_path, host, **runtime) == "docker"
    auth_file(tmp_path / "named/config.json", host, "named")
    named = {"DOCKER_CONFIG": str(tmp_path / "named"), **runtime}
    assert user(tmp_path, host, **named) == "named"
    assert user(tmp_path, host, DOCKER_CONFIG=str(tmp_path / "empty"), **runtime) == ""
    podman = str(auth_file(tmp_path / "podman.json", host, "podman"))
    assert user(tmp_path, host, REGISTRY_AUTH_FILE=podman, **named) == "podman"
    assert user(tmp_path, "other.example", REGISTRY_AUTH_FILE=podman, **named) == ""


def user(folder: Path, host: str, **variables: str) -> str:
    account = credentials.find(host, "team/app", ports(folder, **variables))
    return account.user if account else ""


def test_authfile_is_over_all_and_must_be_there(tmp_path: Path) -> None:
    home, host = tmp_path / "home", "reg.example"
    auth_file(home / ".docker/config.json", host, "docker")
    mine = auth_file(tmp_path / "mine.json", host, "mine")
    machine = replace(ports(tmp_path), authfile=str(mine))
    account = credentials.find(host, "a", machine)
    assert account is not None
    assert (account.user, account.source) == ("mine", str(mine))
    with pytest.raises(UsageError) as caught:
        credentials.find(host, "a", replace(ports(tmp_path), authfile=str(tmp_path / "gone")))
    assert caught.value.name == "authfile"


def test_base_and_destination_each_have_their_own(tmp_path: Path) -> None:
    both = {"base.example/lib": "base", "base.example": "all", "dest.example": "dest"}
    made = tmp_path / "docker"
    made.mkdir()
    auths = {key: {"username": name, "password": name} for key, name in both.items()}
    (made / "config.json").write_text(json.dumps({"auths": auths}))
    machine = ports(tmp_path, DOCKER_CONFIG=str(made))
    asked = (
        ("base.example", "lib/go"),
        ("base.example", "team/app"),
        ("dest.example", "team/app"),
        ("docker.io", "x/y"),
    )
    assert [found(*pair[:1], machine, pair[1]) for pair in asked] == ["base", "all", "dest", ""]


def test_a_helper_is_asked_once_a_run(tmp_path: Path) -> None:
    script = 'echo x >> $HOME/asked; cat >/dev/null; echo \'{"Username":"a","Secret":"s"}\''
    (tmp_path / "home").mkdir()
    made = config(tmp_path, credsStore="own")
    machine = ports(tmp_path, DOCKER_CONFIG=str(made), PATH=helper(tmp_path, "own", script))
    assert [found("reg.example", machine) for _ in range(3)] == ["s"] * 3
    assert (tmp_path / "home/asked").read_text() == "x\n"


def test_a_registry_token(tmp_path: Path) -> None:
    made = tmp_path / "docker"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"auths": {"reg.example": {"registrytoken": "t1", "auth": PAIR}}}))
    account = credentials.find("reg.example", "a", ports(tmp_path, DOCKER_CONFIG=str(made)))
    assert isinstance(account, Credentials)
    assert (account.kind, account.secret.reveal()) == ("registry", "t1")
