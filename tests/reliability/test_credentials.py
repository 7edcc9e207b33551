"""D01 to D05: nothing secret reaches a stranger, wherever a registry steers.

One table of hostile answers, and one question about each: did the canary leave for another origin? The stranger is
another port of this machine, or another name of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.accounts import PAIR, PASSWORD, logged_in, pulled, push
from tests.support.ports import ports
from tests.support.registry import Answer, Call, FakeRegistry, Fault, fake_registry
from wherry.errors import WherryError
from wherry.kit.secret import Secret
from wherry.store.registry import auth
from wherry.store.registry.account import Credentials

TOKEN = "canary-token"
Steer = Callable[[FakeRegistry, FakeRegistry], None]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


@pytest.fixture
def stranger() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def wants_basic(call: Call) -> Answer | None:
    known = call.headers.get("authorization") == f"Basic {PAIR}"
    return None if known else Answer(401, {"WWW-Authenticate": 'Basic realm="somewhere"'})


def wants_token(realm: str) -> Callable[[Call], Answer | None]:
    asked = Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="reg"'})
    return lambda call: None if call.headers.get("authorization", "").startswith(f"Bearer {TOKEN}") else asked


def gives_token(call: Call) -> Answer | None:
    given = Answer(200, {}, json.dumps({"token": TOKEN, "expires_in": 60}).encode())
    return given if call.path.startswith("/token") else None


def d01_realm(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    registry.authorize, stranger.extra = wants_token(f"{stranger.base}/token"), gives_token


def d01_realm_by_another_name(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    port = stranger.host.rpartition(":")[2]
    registry.authorize, stranger.extra = wants_token(f"http://localhost:{port}/token"), gives_token


def d01_realm_that_redirects(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    registry.authorize = wants_token(f"{registry.base}/token")
    away = Answer(307, {"Location": f"{stranger.base}/token"})
    registry.extra = lambda call: away if call.path.startswith("/token") else None
    stranger.extra = gives_token


def away_from(registry: FakeRegistry, location: str, status: int = 307) -> None:
    registry.authorize = wants_basic
    found = {"Location": location}
    registry.faults.append(Fault(path="/manifests/1", method="HEAD", status=status, headers=found, times=9, skip=1))


def d02_redirect(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    away_from(registry, f"{stranger.base}/v2/team/app/manifests/1")


def d02_redirect_301(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    away_from(registry, f"{stranger.base}/v2/team/app/manifests/1", 301)


def d02_redirect_without_scheme(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    away_from(registry, f"//{stranger.host}/v2/team/app/manifests/1", 308)


def d02_redirect_with_a_user(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    away_from(registry, f"http://ada:{PASSWORD}@{stranger.host}/v2/team/app/manifests/1", 302)


def d02_redirect_there_and_back(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    d02_redirect(registry, stranger)
    stranger.faults.append(Fault(status=302, headers={"Location": f"{registry.base}/v2/"}, times=9))


def d03_location(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    registry.authorize, registry.location = wants_basic, f"{stranger.base}{{path}}"


def d03_location_without_scheme(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    registry.authorize, registry.location = wants_basic, f"//{stranger.host}{{path}}"


def d03_location_with_a_token(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    registry.authorize, registry.extra = wants_token(f"{registry.base}/token"), gives_token
    registry.location = f"{stranger.base}{{path}}"


def d05_location_that_challenges(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    d03_location(registry, stranger)
    stranger.authorize = wants_basic


def d05_redirect_that_challenges(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    d02_redirect(registry, stranger)
    stranger.authorize = wants_basic


def d05_redirect_that_wants_our_token(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    d02_redirect(registry, stranger)
    stranger.authorize, registry.extra = wants_token(f"{registry.base}/token"), gives_token


def d05_redirect_after_a_renewal(registry: FakeRegistry, stranger: FakeRegistry) -> None:
    """The first token dies; the renewed one must not go along either."""
    registry.extra = gives_token
    refused = Answer(401, {"WWW-Authenticate": f'Bearer realm="{registry.base}/token"'})
    dead = iter([True, True])
    registry.authorize = lambda call: refused if next(dead, "authorization" not in call.headers) else None
    d03 = f"{stranger.base}{{path}}"
    registry.location = d03
    stranger.authorize = wants_token(f"{registry.base}/token")


HOSTILE: tuple[Steer, ...] = tuple(value for name, value in sorted(globals().items()) if name.startswith("d0"))


@pytest.mark.parametrize("steer", HOSTILE, ids=lambda steer: steer.__name__)
def test_nothing_secret_reaches_a_stranger(
    steer: Steer, registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path
) -> None:
    steer(registry, stranger)
    stranger.faults += [Fault(path="/blobs/uploads/", method="PUT", status=201, times=99)]
    try:
        push(tmp_path, f"{registry.host}/team/app:1", logged_in(tmp_path, registry.host))
    except WherryError as error:
        said = f"{error} {error.where} {error.why} {error.next} {error.output}"
        assert PASSWORD not in said
        assert PAIR not in said
    for secret in (PAIR, PASSWORD, TOKEN):
        assert not stranger.sent(secret)
    assert registry.calls


def test_d01_an_identity_token_is_kept_from_strangers_too(
    registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path
) -> None:
    d01_realm(registry, stranger)
    machine = logged_in(tmp_path)
    account = Credentials(secret=Secret("identity-canary"), kind="identity")
    machine.kept.credentials((registry.host, "team/app"), lambda: account)
    with pytest.raises(WherryError) as caught:
        push(tmp_path, f"{registry.host}/team/app:1", machine)
    assert (caught.value.name, stranger.calls) == ("foreign-realm", [])


def test_d03_a_registry_token_goes_to_its_registry_alone(
    registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path
) -> None:
    registry.authorize = wants_token(f"{stranger.base}/token")
    registry.location = f"{stranger.base}{{path}}"
    machine = logged_in(tmp_path)
    account = Credentials(secret=Secret(TOKEN), kind="registry")
    machine.kept.credentials((registry.host, "team/app"), lambda: account)
    with pytest.raises(WherryError):
        push(tmp_path, f"{registry.host}/team/app:1", machine)
    assert registry.sent(TOKEN)
    assert not stranger.sent(TOKEN)


@pytest.mark.parametrize(
    ("realm", "told"),
    [
        ("https://registry.example/token", True),
        ("https://registry.example:8443/token", True),
        ("https://auth.registry.example/token", False),
        ("https://registry.example.evil/token", False),
        ("https://evil/registry.example", False),
        ("https://registry.example@evil/token", False),
        ("https://REGISTRY.example./token", True),
        ("http://registry.example/token", False),
        ("https://listed.example/token", True),
        ("http://listed.example/token", False),
    ],
)
def test_d01_who_may_be_told_the_password(realm: str, told: bool) -> None:
    """At a registry that is no loopback."""
    asked = []

    def http(request: object) -> Answer:
        asked.append(request)
        raise ConnectionError

    wanted = auth.TokenRequest(
        registry="https://registry.example",
        challenge=auth.Challenge(scheme="bearer", realm=realm),
        scopes=("repository:a:pull",),
        credentials=Credentials(user="ada", secret=Secret(PASSWORD)),
        token_hosts=(("registry.example", "listed.example"), ("other.example", "evil")),
    )
    with pytest.raises((WherryError, ConnectionError)):
        auth.bearer(http, wanted)  # type: ignore[arg-type]  # it never answers
    assert bool(asked) == told


def test_d04_addresses_in_a_layer_are_not_asked(registry: FakeRegistry, stranger: FakeRegistry, tmp_path: Path) -> None:
    """containerd CVE-2020-15157: a layer's `urls` led to a server that asked for the password."""
    registry.authorize = stranger.authorize = wants_basic
    machine = logged_in(tmp_path, registry.host)
    reference = f"{registry.host}/team/app:1"
    push(tmp_path, reference, machine)
    data, media_type = registry.manifests["team/app:1"]
    document = json.loads(data)
    document["layers"][0]["urls"] = [f"{stranger.base}/layer"]
    registry.manifests["team/app:1"] = (json.dumps(document).encode(), media_type)
    assert pulled(reference, machine)
    del registry.blobs[document["layers"][0]["digest"]]
    with pytest.raises(WherryError):
        pulled(reference, machine)
    assert stranger.calls == []


def test_d08_no_netrc_and_no_user_in_an_address(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize = wants_basic
    machine = ports(tmp_path, NETRC=str(tmp_path / "home/.netrc"))
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home/.netrc").write_text(
        f"machine 127.0.0.1 login ada password {PASSWORD}\ndefault login ada password {PASSWORD}\n"
    )
    with pytest.raises(WherryError) as caught:
        pulled(f"{registry.host}/team/app:1", replace(machine))
    assert caught.value.name == "registry-denied"
    assert not [call for call in registry.calls if "authorization" in call.headers]
