"""Who may do what at real registries: docker-registry with htpasswd, and with tokens of a server of our own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import servers
from tests.support.accounts import PASSWORD, USER, htpasswd, pulled, push
from tests.support.accounts import logged_in as logged_in_alone
from tests.support.ports import ports
from tests.support.token_server import TokenServer, token_server
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.kit.ports import Request
from wherry.kit.secret import Secret
from wherry.oci import reference as references
from wherry.oci.digest import of_bytes
from wherry.store.keeper import Ports
from wherry.store.registry import login
from wherry.store.registry.account import Credentials
from wherry.store.registry.keeper import repository
from wherry.store.registry.pull import Repository
from wherry.store.registry.session import Session

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.docker_registry(htpasswd(tmp_path_factory.mktemp("basic"))) as host:
        yield host


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    with token_server(tmp_path) as server:
        server.users[USER] = PASSWORD
        yield server


@pytest.fixture
def bearer(tokens: TokenServer) -> Iterator[str]:
    with servers.docker_registry(tokens.configuration()) as host:
        yield host


def logged_in(folder: Path, *hosts: str) -> Ports:
    """With the token server's port trusted, as a user would write it down."""
    return replace(logged_in_alone(folder, *hosts), token_hosts=(("127.0.0.1", "127.0.0.1"),))


def account(password: str = PASSWORD) -> Credentials:
    return Credentials(user=USER, secret=Secret(password))


def test_podmans_tools_read_what_a_login_wrote_and_the_other_way_round(basic: str, tmp_path: Path) -> None:
    need("skopeo")
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    login.keep(basic, account(), replace(ports(tmp_path), authfile=str(ours)))
    words = ("skopeo", "login", "--tls-verify=false", "-u", USER, "--password-stdin", basic, "--authfile", str(theirs))
    subprocess.run(words, input=PASSWORD, text=True, check=True, capture_output=True)
    assert json.loads(ours.read_text()) == json.loads(theirs.read_text())
    machine = replace(ports(tmp_path), authfile=str(theirs))
    digest = push(tmp_path, f"{basic}/team/skopeo:1", machine).digest
    look = ("skopeo", "inspect", "--raw", "--tls-verify=false", "--authfile", str(ours))
    seen = subprocess.run((*look, f"docker://{basic}/team/skopeo:1"), check=True, capture_output=True).stdout
    assert of_bytes(seen) == digest


def test_basic_pushes_and_pulls(basic: str, tmp_path: Path) -> None:
    machine = logged_in(tmp_path, basic)
    assert push(tmp_path, f"{basic}/team/app:1", machine).digest == pulled(f"{basic}/team/app:1", machine)


@pytest.mark.parametrize(("password", "name"), [("wrong", "wrong-password"), ("", "registry-denied")])
def test_basic_refuses(password: str, name: str, basic: str, tmp_path: Path) -> None:
    machine = logged_in(tmp_path)
    machine.kept.credentials((basic, "team/app"), lambda: account(password) if password else None)
    with pytest.raises(WherryError) as caught:
        pulled(f"{basic}/team/app:1", machine)
    assert caught.value.name == name


def test_login_tells_right_from_wrong(basic: str, bearer: str, tmp_path: Path) -> None:
    for host in (basic, bearer):
        assert login.accepted(host, account(), logged_in(tmp_path))
        with pytest.raises(WherryError) as caught:
            login.accepted(host, account("wrong"), logged_in(tmp_path))
        assert caught.value.name == "wrong-password"


def test_a_registry_that_asks_nobody(tmp_path: Path) -> None:
    with servers.docker_registry() as host:
        assert not login.accepted(host, account(), ports(tmp_path))


def test_bearer_pushes_and_pulls_with_a_token_each(bearer: str, tokens: TokenServer, tmp_path: Path) -> None:
    machine = logged_in(tmp_path, bearer)
    assert push(tmp_path, f"{bearer}/team/app:1", machine).digest == pulled(f"{bearer}/team/app:1", machine)
    assert tokens.asked == [("repository:team/app:pull,push",), ("repository:team/app:pull",)]
    pulled(f"{bearer}/team/app:1", machine)
    assert len(tokens.asked) == 2, "the token is kept for the run"
    pulled(f"{bearer}/team/app:1", logged_in(tmp_path, bearer))
    assert len(tokens.asked) == 3, "and for no longer"


def test_each_repository_has_its_own_token_and_each_account_too(
    bearer: str, tokens: TokenServer, tmp_path: Path
) -> None:
    machine = logged_in(tmp_path, bearer)
    for name in ("one", "two"):
        push(tmp_path, f"{bearer}/{name}:1", machine)
    assert [scopes[0] for scopes in tokens.asked] == ["repository:one:pull,push", "repository:two:pull,push"]


def test_nobody_may_pull_what_is_public(bearer: str, tokens: TokenServer, tmp_path: Path) -> None:
    tokens.policy = lambda user, _, actions: actions if user else tuple(one for one in actions if one == "pull")
    push(tmp_path, f"{bearer}/team/app:1", logged_in(tmp_path, bearer))
    assert pulled(f"{bearer}/team/app:1", ports(tmp_path))
    with pytest.raises(WherryError) as caught:
        push(tmp_path, f"{bearer}/team/app:2", ports(tmp_path))
    assert caught.value.name == "registry-denied"


def test_an_account_without_the_right(bearer: str, tokens: TokenServer, tmp_path: Path) -> None:
    tokens.policy = lambda _, name, actions: actions if name == "mine" else ()
    machine = logged_in(tmp_path, bearer)
    push(tmp_path, f"{bearer}/mine:1", machine)
    with pytest.raises(WherryError) as caught:
        push(tmp_path, f"{bearer}/yours:1", machine)
    assert caught.value.name == "registry-denied", "the password is right, so it is not blamed"
    assert "yours" in caught.value.message


def scoped(bearer: str, machine: Ports, scope: str) -> Repository:
    """A repository whose session asks for this scope."""
    made = repository(references.parse(f"{bearer}/mine:1"), machine, actions="pull,push")
    return Repository(Session(replace(made.session.setup, scope=scope)), made.reference)


@pytest.mark.parametrize("harbor", [False, True])
def test_a_mount_from_where_one_may_not_read_is_no_end(
    harbor: bool, bearer: str, tokens: TokenServer, tmp_path: Path
) -> None:
    """ko #151: one of two scopes is refused; Harbor then gives no token at all, others a lesser one."""
    tokens.policy = lambda _, name, actions: actions if name == "mine" else ()
    tokens.refuses_when_denied = harbor
    machine = logged_in(tmp_path, bearer)
    push(tmp_path, f"{bearer}/mine:1", machine)
    tokens.state.calls.clear()
    both = ("repository:mine:pull,push", "repository:theirs:pull")
    assert scoped(bearer, logged_in(tmp_path, bearer), " ".join(both)).head("1")
    assert tokens.asked == ([both, both[:1]] if harbor else [both])


def test_a_delete_asks_for_the_right_to(bearer: str, tokens: TokenServer, tmp_path: Path) -> None:
    machine = logged_in(tmp_path, bearer)
    digest = push(tmp_path, f"{bearer}/mine:1", machine).digest
    own = repository(references.parse(f"{bearer}/mine:1"), machine, actions="pull,delete")
    address = f"{own.base}/v2/mine/manifests/{digest}"
    assert own.session.send(Request(method="DELETE", url=address)).status == 202
    assert "repository:mine:pull,delete" in tokens.asked[-1]


def test_tokens_that_end_are_renewed_before_and_in_the_middle(bearer: str, tokens: TokenServer, tmp_path: Path) -> None:
    """C04: the token server says a second, and every session step a second passes."""
    machine = logged_in(tmp_path, bearer)
    clock = iter(range(100_000))
    tokens.lifetime = 5.0
    slow = replace(machine, elapsed=lambda: next(clock) / 4)
    assert push(tmp_path, f"{bearer}/mine:1", slow, seed=3).sent
    assert len(tokens.asked) > 1


def test_a_token_server_that_says_nothing_of_time(bearer: str, tokens: TokenServer, tmp_path: Path) -> None:
    tokens.says_lifetime = False
    machine = logged_in(tmp_path, bearer)
    now = [0.0]
    slow = replace(machine, elapsed=lambda: now[0])
    push(tmp_path, f"{bearer}/mine:1", slow)
    now[0] = 50.0
    push(tmp_path, f"{bearer}/mine:2", slow)
    assert len(tokens.asked) == 1
    now[0] = 61.0
    push(tmp_path, f"{bearer}/mine:3", slow)
    assert len(tokens.asked) == 2
