"""How a registry learns who asks: Basic, tokens, and answers that are neither. Those that steer are in
reliability/test_credentials.py."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import random_image
from tests.support.ports import ports
from tests.support.registry import Answer, Call, FakeRegistry, Fault, fake_registry
from wherry.errors import WherryError
from wherry.model.image import Published
from wherry.oci.digest import Digest
from wherry.store import place as places
from wherry.store.keeper import Ports
from wherry.store.places import at

PASSWORD = "canary-password"
TOKEN = "canary-token"
PAIR = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


@pytest.fixture
def stranger() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def logged_in(folder: Path, registry: FakeRegistry) -> Ports:
    docker = folder / "docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": PAIR}}}))
    return ports(folder, DOCKER_CONFIG=str(docker))


def push(folder: Path, registry: FakeRegistry, machine: Ports | None = None) -> Published:
    keeper = at(places.parse(f"docker://{registry.host}/team/app:1"), machine or logged_in(folder, registry))
    return keeper.publish(random_image(folder / "layers", seed=1))


def wants_basic(call: Call) -> Answer | None:
    if call.headers.get("authorization") == f"Basic {PAIR}":
        return None
    return Answer(401, {"WWW-Authenticate": 'Basic realm="somewhere"'})


def wants_token(realm: str) -> Callable[[Call], Answer | None]:
    challenge = f'Bearer realm="{realm}",service="reg",scope="repository:team/app:pull"'

    def authorize(call: Call) -> Answer | None:
        if call.headers.get("authorization", "").startswith(f"Bearer {TOKEN}"):
            return None
        return Answer(401, {"WWW-Authenticate": challenge})

    return authorize


def gives_token(call: Call) -> Answer | None:
    if not call.path.startswith("/token"):
        return None
    if call.headers.get("authorization") != f"Basic {PAIR}":
        return Answer(401)
    return Answer(200, {}, json.dumps({"token": TOKEN, "expires_in": 60}).encode())


def test_basic(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize = wants_basic
    assert push(tmp_path, registry).sent
    assert "authorization" not in registry.calls[0].headers


def test_bearer_with_the_scope_of_a_push(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize, registry.extra = wants_token(f"{registry.base}/token"), gives_token
    assert push(tmp_path, registry).sent
    asked = [call for call in registry.calls if call.path.startswith("/token")]
    assert len(asked) == 1
    assert "scope=repository:team%2Fapp:pull%2Cpush" in asked[0].path
    assert "service=reg" in asked[0].path
    assert all(call.path.startswith("/token") for call in registry.sent(PAIR))


def test_an_identity_token_is_changed_for_an_access_token(registry: FakeRegistry, tmp_path: Path) -> None:
    machine = logged_in(tmp_path, registry)
    config = {"auths": {registry.host: {"identitytoken": "identity-canary"}}}
    (tmp_path / "docker/config.json").write_text(json.dumps(config))
    given = Answer(200, {}, json.dumps({"access_token": TOKEN}).encode())
    registry.authorize = wants_token(f"{registry.base}/token")
    registry.extra = lambda call: given if (call.method, call.path) == ("POST", "/token") else None
    assert push(tmp_path, registry, machine).sent
    assert not registry.sent("identity-canary")


def test_a_token_that_dies_on_the_way_is_renewed(registry: FakeRegistry, tmp_path: Path) -> None:
    """C04: from the fifth request on the first token is no longer good."""
    tokens = iter(range(100))
    registry.extra = lambda call: (
        Answer(200, {}, json.dumps({"token": f"{TOKEN}-{next(tokens)}"}).encode())
        if call.path.startswith("/token")
        else None
    )
    challenge = Answer(401, {"WWW-Authenticate": f'Bearer realm="{registry.base}/token"'})

    def authorize(call: Call) -> Answer | None:
        old = call.headers.get("authorization") == f"Bearer {TOKEN}-0" and len(registry.calls) > 5
        return challenge if old or "authorization" not in call.headers else None

    registry.authorize = authorize
    assert push(tmp_path, registry).sent
    assert next(tokens) == 2


def test_a_wrong_password_is_said_once(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize = lambda _: Answer(401, {"WWW-Authenticate": "Basic realm=x"})
    with pytest.raises(WherryError) as caught:
        push(tmp_path, registry)
    assert caught.value.name == "wrong-password"
    assert len(registry.calls) == 2


@pytest.mark.parametrize("status", [503, 429, 0])
def test_a_token_server_may_be_busy(status: int, registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize, registry.extra = wants_token(f"{registry.base}/token"), gives_token
    registry.faults = [Fault(path="^/token", status=status, cut=not status, times=2)]
    assert push(tmp_path, registry).sent
    assert len([call for call in registry.calls if call.path.startswith("/token")]) == 3


def foreign_realm(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    registry.authorize = wants_token(f"{stranger.base}/token")
    stranger.extra = gives_token


def test_a_foreign_realm_is_named(registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path) -> None:
    foreign_realm(registry, stranger)
    with pytest.raises(WherryError) as caught:
        push(tmp_path, registry)
    assert caught.value.name == "foreign-realm"
    assert stranger.calls == []


def test_a_listed_token_host_is_trusted(registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path) -> None:
    """Only when the user says so. Both are 127.0.0.1 here, so the pair is that one host."""
    foreign_realm(registry, stranger)
    machine = replace(logged_in(tmp_path, registry), token_hosts=(("127.0.0.1", "127.0.0.1"),))
    assert push(tmp_path, registry, machine).sent
    assert stranger.sent(PAIR)


def test_nobody_logged_in_gets_an_anonymous_token(
    registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path
) -> None:
    registry.authorize = wants_token(f"{stranger.base}/token")
    stranger.extra = lambda _: Answer(200, {}, json.dumps({"token": TOKEN}).encode())
    assert push(tmp_path, registry, ports(tmp_path)).sent
    assert not [call for call in stranger.calls if "authorization" in call.headers]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"token": 5}', b'{"token": "a\\r\\nX: y"}', b'{"token": ""}', b"x" * 100_000]
)
def test_a_token_server_that_talks_nonsense(body: bytes, registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize = wants_token(f"{registry.base}/token")
    registry.extra = lambda call: Answer(200, {}, body) if call.path.startswith("/token") else None
    with pytest.raises(WherryError) as caught:
        push(tmp_path, registry)
    assert caught.value.name == "registry-answer"


@pytest.mark.parametrize(
    "header", ["", "Negotiate", "Bearer", 'Bearer service="x"', "Digest realm=x", "Bearer realm", "\x01"]
)
def test_challenges_that_cannot_be_met(header: str, registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize = lambda _: Answer(401, {"WWW-Authenticate": header} if header else {})
    with pytest.raises(WherryError) as caught:
        push(tmp_path, registry)
    assert caught.value.name == "registry-denied"


def test_several_challenges_prefer_the_token(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.extra = gives_token
    wanted = f'Basic realm="a, Bearer b", Bearer realm="{registry.base}/token",service=reg'
    registry.authorize = lambda call: (
        None if call.headers.get("authorization") == f"Bearer {TOKEN}" else Answer(401, {"WWW-Authenticate": wanted})
    )
    digest: Digest = push(tmp_path, registry).digest
    assert registry.manifests[f"team/app@{digest}"]
