"""What Kubernetes would refuse is one clear error, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.manifests import FORMS, made, plain, running
from wherry.errors import UsageError
from wherry.generate.kubernetes import words
from wherry.model.application import Application
from wherry.model.plan import WritableDirectory

HOSTED = replace(API, gateway="infra/public")


def refused(application: Application, *extras: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        made("plain", application, extras=tuple(extras))
    return caught.value


BAD_NAMES = ("Shop", "shop_api", "shop.api", "-shop", "shop-", "1shop", "", "x" * 54, "shop\n", "shöp", HOSTILE)


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
@pytest.mark.parametrize("form", FORMS)
def test_names_of_applications(form: str, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(form, replace(API, name=name))
    error = caught.value
    assert error.name == "kubernetes-name"
    assert error.where == ("image.name",)
    assert "small letters" in error.why
    assert "image.name" in error.next[0]
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("application", "key"),
    [
        (replace(API, namespace="My_Team"), "generate.namespace"),
        (replace(API, namespace="x" * 64), "generate.namespace"),
        (running(API, secrets=("a/b",)), "generate.secrets"),
        (running(API, secrets=("..",)), "generate.secrets"),
        (running(API, environment=(("A B", "x"),)), "image.env"),
        (running(API, environment=(("1A", "x"),)), "image.env"),
        (running(API, volumes=("/a:b",)), "image.volumes"),
        (running(API, writable=(WritableDirectory(path="/a\nb"),)), "image.writable"),
    ],
    ids=str,
)
def test_other_names(application: Application, key: str) -> None:
    error = refused(application)
    assert (error.name, error.where) == ("kubernetes-name", (key,))


@pytest.mark.parametrize("host", ["shop_api.example.com", f"{'x' * 64}.com", "a..b", "*", "https://a", ".a", "x" * 254])
def test_hosts(host: str) -> None:
    assert refused(replace(API, host=host), "ingress").where == ("generate.host",)


def test_wild_hosts_are_fine() -> None:
    made("plain", replace(API, host="*.example.com"), extras=("ingress",))


def test_a_path_of_several_parts_is_called_by_its_last() -> None:
    assert plain(replace(API, name="team/shop-api")) == plain(API)


def test_two_of_one_name_would_be_one() -> None:
    other = replace(JOBS, name="team/shop-api", namespace="shop")
    with pytest.raises(UsageError, match="shop-api and team/shop-api"):
        made("plain", API, other)
    with pytest.raises(UsageError, match="both be called `shop-api`"):
        made("plain", API, replace(other, namespace="other"))


def test_root_is_refused_by_the_level() -> None:
    assert refused(running(API, user=0)).name == "kubernetes-root"


@pytest.mark.parametrize(
    ("application", "extra", "words"),
    [
        (replace(HOSTED, host=""), "ingress", "public name"),
        (replace(HOSTED, host=""), "gateway", "public name"),
        (API, "gateway", "which Gateway"),
        (running(HOSTED, ports=("53/udp",), health=None, readiness=""), "ingress", "no TCP port"),
        (running(HOSTED, ports=(), health=None, readiness=""), "gateway", "no TCP port"),
    ],
    ids=str,
)
def test_entrances_need_something_to_lead_to(application: Application, extra: str, words: str) -> None:
    error = refused(application, extra)
    assert error.name == "kubernetes-no-entrance"
    assert words in error.message
    assert error.next


@pytest.mark.parametrize("gateway", ["Public", "infra/Public", "a/b/c", "infra/"])
def test_gateways(gateway: str) -> None:
    assert refused(replace(API, gateway=gateway), "gateway").where == ("generate.gateway",)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (words.quantity(256 << 20), "256Mi"),
        (words.quantity(3 << 30), "3Gi"),
        (words.quantity(1000), "1000"),
        (words.quantity(0), "0"),
        (words.memory(2047), "1KiB"),
        (words.memory(230 << 20), "235520KiB"),
        (words.processors(0.1), "100m"),
        (words.processors(2.0), "2"),
        (words.processors(0.0001), "1m"),
        (words.processors(0.29), "290m"),
        (words.label("6.9.1+dirty"), "6.9.1_dirty"),
        (words.label("-" + "x" * 70), "x" * 62),
        (words.tag("6.9.1+dirty"), "6.9.1-dirty"),
        (words.tag(""), "latest"),
        (words.slug("/var/cache"), "var-cache"),
    ],
    ids=str,
)
def test_words(made: Any, expected: str) -> None:
    assert made == expected


@pytest.mark.parametrize("path", ["/", "/ä", "/A", "/a-b", "/a/", "/" + "x" * 99, "/-", "/a//b"])
def test_slugs_are_names_and_their_own(path: str) -> None:
    slug = words.slug(path)
    assert words.slug("/a/b") != slug
    assert 1 <= len(slug) <= 63
    assert slug == slug.strip("-")
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
