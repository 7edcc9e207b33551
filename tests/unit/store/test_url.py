"""Which addresses a registry's answers may send us to, and with what."""

from __future__ import annotations

import pytest

from wherry.errors import RefusedError
from wherry.oci.reference import parse
from wherry.store.registry import url

ASKED = "https://reg.example/v2/app/blobs/uploads/"


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("reg.example", "https://reg.example"),
        ("reg.example:5000", "https://reg.example:5000"),
        ("docker.io", "https://registry-1.docker.io"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("127.1.2.3", "http://127.1.2.3"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("registry.localhost", "http://registry.localhost"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
        ("localhost.example", "https://localhost.example"),
        ("old.example:80", "http://old.example:80"),
        ("older.example:81", "http://older.example:81"),
    ],
)
def test_plain_http_is_for_loopback_and_named_hosts(host: str, base: str) -> None:
    assert url.base(host, ("old.example:80", "older.example")) == base


def test_tls_is_spoken_to_loopback_where_it_is_named() -> None:
    assert url.base("Localhost:5000", (), ("localhost:5000",)) == "https://Localhost:5000"
    assert url.base("localhost:5001", (), ("localhost:5000",)) == "http://localhost:5001"


def test_addresses() -> None:
    reference = parse("reg.example/team/app:1")
    root = url.base("reg.example", ())
    assert url.manifest(root, reference, "1") == "https://reg.example/v2/team/app/manifests/1"
    assert url.blob(root, reference, "sha256:00") == "https://reg.example/v2/team/app/blobs/sha256:00"
    assert url.uploads(root, reference) == "https://reg.example/v2/team/app/blobs/uploads/"
    assert url.with_query("https://x/y?state=a%2Fb", digest="sha256:00") == "https://x/y?state=a%2Fb&digest=sha256:00"
    assert url.with_query("https://x/y", digest="sha256:00") == "https://x/y?digest=sha256:00"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v2/app/blobs/uploads/1", "https://reg.example/v2/app/blobs/uploads/1"),
        ("1?state=x", "https://reg.example/v2/app/blobs/uploads/1?state=x"),
        ("https://reg.example/up/1", "https://reg.example/up/1"),
        ("//cdn.example/up/1", "https://cdn.example/up/1"),
        ("https://cdn.example/up/1", "https://cdn.example/up/1"),
    ],
)
def test_locations(location: str, target: str) -> None:
    assert url.joined(ASKED, location) == target


@pytest.mark.parametrize(
    "target",
    [
        "http://reg.example/x",
        "ftp://cdn.example/x",
        "file:///etc/passwd",
        "unix:///var/run/docker.sock:/x",
        "https://user@cdn.example/x",
        "https://user:pw@cdn.example/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://2130706433/x",
        "https://0x7f.0.0.1/x",
        "https://127.1/x",
        "https://cdn.example:99999/x",
        "https://cdn.example\\@evil.example/x",
        "https://cdn.examplé/x",
        "https:///x",
    ],
)
def test_where_nobody_may_send_us(target: str) -> None:
    with pytest.raises(RefusedError) as caught:
        url.allowed(target, ASKED)
    assert caught.value.name == "steered"


def test_a_registry_inside_may_send_us_inside() -> None:
    url.allowed("http://127.0.0.1:5001/token", "http://127.0.0.1:5000/v2/")
    url.allowed("https://10.0.0.5/x", "https://10.0.0.5/v2/")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://reg.example/a", "https://reg.example:443/b", True),
        ("https://REG.example/a", "https://reg.example/b", True),
        ("https://reg.example/a", "http://reg.example/a", False),
        ("https://reg.example/a", "https://reg.example:444/a", False),
        ("https://reg.example/a", "https://www.reg.example/a", False),
        ("https://reg.example/a", "https://reg.example.evil.example/a", False),
    ],
)
def test_origins(one: str, other: str, *, same: bool) -> None:
    assert url.same_origin(one, other) is same
