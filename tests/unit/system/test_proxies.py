"""Which requests go through the user's proxy."""

import pytest

from tests.support.answers import say, serving
from wherry.kit.hosts import is_loopback
from wherry.kit.ports import Request
from wherry.system.http import Network
from wherry.system.proxies import proxy_for

PROXY = (("HTTPS_PROXY", "http://proxy:3128"),)


@pytest.mark.parametrize(
    ("rules", "host", "direct"),
    [
        ("", "registry.example", False),
        ("*", "registry.example", True),
        ("example", "registry.example", True),
        (".example", "registry.example", True),
        (".example", "example", False),
        ("*.example", "registry.example", True),
        ("registry.example", "registry.example", True),
        ("registry.example:443", "registry.example", True),
        ("registry.example:5000", "registry.example", False),
        ("ample", "registry.example", False),
        ("other, registry.example ", "REGISTRY.example.", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("fd00::/8", "[fd00::1]", True),
        ("10.0.0.0/8", "registry.example", False),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", False),
        ("[fd00::1]:443", "fd00::1", True),
        ("fd00::1", "fd00::1", True),
        (":443", "registry.example", False),
        ("*ample", "registry.example", False),
        (",, ,", "registry.example", False),
    ],
)
def test_no_proxy(rules: str, host: str, direct: bool) -> None:
    found = proxy_for("https", host, 443, (*PROXY, ("NO_PROXY", rules)))
    assert found == ("" if direct else "http://proxy:3128")


def test_capitals_win_as_in_go_and_a_scheme_is_added() -> None:
    assert proxy_for("https", "a.example", 443, (*PROXY, ("https_proxy", "other:1"))) == "http://proxy:3128"
    assert proxy_for("https", "a.example", 443, (("https_proxy", "other:1"),)) == "http://other:1"
    assert proxy_for("http", "a.example", 80, PROXY) == ""
    assert proxy_for("http", "a.example", 80, (("all_proxy", "http://all:1"),)) == "http://all:1"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback_never_goes_through_a_proxy(host: str) -> None:
    assert is_loopback(host)
    assert proxy_for("https", host, 443, PROXY) == ""


@pytest.mark.parametrize("host", ["localhost.example", "128.0.0.1", "0.0.0.0", "127.0.0.1.example", "::2"])
def test_what_only_looks_like_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_request_goes_through_the_proxy_with_its_user() -> None:
    with serving(say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as proxy:
        variables = (("http_proxy", f"http://me:p%40ss@127.0.0.1:{proxy.port}"),)
        network = Network(variables, plain=("registry.invalid",))
        assert network(Request(method="GET", url="http://registry.invalid/v2/")).read(9) == b"ok"
    assert proxy.seen[0].startswith(b"GET http://registry.invalid/v2/ HTTP/1.1\r\n")
    assert b"proxy-authorization: basic bwu6cebzcw==" in proxy.seen[0].lower()


def test_a_proxy_that_refuses_is_named() -> None:
    with serving(say(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as proxy:
        network = Network((("https_proxy", f"http://127.0.0.1:{proxy.port}"),))
        with pytest.raises(Exception, match=r"the proxy on the way to registry\.invalid did not help") as caught:
            network(Request(method="GET", url="https://registry.invalid/v2/"))
    assert getattr(caught.value, "name", "") == "proxy"
