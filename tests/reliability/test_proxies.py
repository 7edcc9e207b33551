"""The way through a proxy: a tunnel, with the proxy's own password for the proxy alone; and each way it may fail, in words."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.support.answers import Server, say, serving
from tests.support.certificates import Authority
from tests.support.forward import Forward, forward
from wherry.errors import UnavailableError
from wherry.kit.ports import Request, Trust
from wherry.system.http import Network

NAME, SECRET = "registry.internal", "canary-proxy"
BASIC = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def registry(authority: Authority) -> Iterator[Server]:
    with serving(say(OK), context=authority.server(names=f"DNS:{NAME}")) as server:
        yield server


@pytest.fixture
def proxy(registry: Server) -> Iterator[Forward]:
    with forward() as state:
        state.places = {f"{NAME}:443": registry.port}
        yield state


def ask(authority: Authority, *variables: tuple[str, str]) -> bytes:
    headers = (("Authorization", "Bearer canary-token"),)
    trust = Trust(authorities=(str(authority.ca),))
    request = Request(method="GET", url=f"https://{NAME}/v2/", headers=headers, trust=trust, timeout=5)
    return Network(variables)(request).read(9)


def refused(authority: Authority, *variables: tuple[str, str]) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        ask(authority, *variables)
    error = caught.value
    assert SECRET not in f"{error} {error.where} {error.why} {error.next}"
    return error


def test_each_password_reaches_its_own_side_only(authority: Authority, registry: Server, proxy: Forward) -> None:
    proxy.authorization = BASIC
    assert ask(authority, ("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:{proxy.port}")) == b"ok"
    (connect,) = proxy.heads
    assert b"canary-token" not in connect
    assert BASIC.encode() in connect
    (inside,) = registry.seen
    assert b"canary-token" in inside
    assert b"proxy-authorization" not in inside.lower()


@pytest.mark.parametrize("refusal", [b"407 Proxy Authentication Required", b"403 Forbidden", b"502 Bad Gateway"])
def test_a_proxy_that_refuses(refusal: bytes, authority: Authority, registry: Server, proxy: Forward) -> None:
    proxy.refusal = refusal
    error = refused(authority, ("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:{proxy.port}"))
    assert error.name == "proxy"
    assert NAME in error.message
    assert refusal[:3].decode() in error.message
    assert registry.seen == []


def test_a_proxy_that_is_not_there(authority: Authority) -> None:
    error = refused(authority, ("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:9"))
    assert (error.name, "connection refused" in error.message) == ("proxy", True)


@pytest.mark.parametrize(
    "address",
    [
        f"socks5://me:{SECRET}@127.0.0.1:1080",
        f"http://me:{SECRET}@[::1",
        f"http://me:{SECRET}@host:99999",
        f"http://me:{SECRET}@",
        f"ftp://{SECRET}",
        f"http://a b:{SECRET}@c",
    ],
)
def test_an_address_that_is_none(address: str, authority: Authority) -> None:
    error = refused(authority, ("HTTPS_PROXY", address))
    assert error.name == "proxy"
    assert error.next


def test_no_proxy_goes_straight(authority: Authority, proxy: Forward) -> None:
    """The name has no address, so straight means nowhere."""
    variables = (("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}"), ("NO_PROXY", ".internal"))
    assert refused(authority, *variables).name == "no-such-host"
    assert proxy.heads == []


def test_what_a_tunnel_leads_to_is_checked(authority: Authority, registry: Server, proxy: Forward) -> None:
    """A proxy in the middle that answers itself is another server."""
    proxy.places["other.internal:443"] = registry.port
    request = Request(method="GET", url="https://other.internal/", trust=Trust(authorities=(str(authority.ca),)))
    with pytest.raises(UnavailableError) as caught:
        Network((("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}"),))(request)
    assert caught.value.name == "certificate-name"
