"""Versions from tags, and web addresses of remotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.analyze.version import Head, Tagged, best_tag, parse, version_of
from wherry.analyze.weburl import web_address

HEAD = Head(revision="abcdef1234567890abcdef1234567890abcdef12")
TIME = 1767323045


def tags(*names: str) -> tuple[Tagged, ...]:
    return tuple(Tagged(name=name, revision="0" * 40) for name in names)


@pytest.mark.parametrize(
    ("names", "module", "best"),
    [
        (("v1.2.3", "v1.10.0", "v1.9.9"), "a.b/c", "v1.10.0"),
        (("v1.2.3", "v2.0.0"), "a.b/c", "v1.2.3"),
        (("v1.2.3", "v2.0.0"), "a.b/c/v2", "v2.0.0"),
        (("6.9.0", "6.9.1", "5.0.0"), "a.b/c", "6.9.1"),
        (("v3.0.0",), "a.b/c", "v3.0.0"),
        (("v1.0.0-rc.1", "v1.0.0"), "a.b/c", "v1.0.0"),
        (("v1.0.0-rc.2", "v1.0.0-rc.10"), "a.b/c", "v1.0.0-rc.10"),
        (("release-1", "nightly", "v1", "chart/v1.2.3"), "a.b/c", ""),
        (("v1.2",), "a.b/c", "v1.2"),
    ],
)
def test_the_tag_that_counts(names: tuple[str, ...], module: str, best: str) -> None:
    found = best_tag(tags(*names), HEAD.revision, module=module)
    assert (found.name if found else "") == best


def test_a_tag_on_the_commit_goes_before_a_higher_one() -> None:
    here = Tagged(name="v1.5.1", revision=HEAD.revision)
    found = best_tag((*tags("v1.9.0"), here, Tagged(name="v1.5.1-rc.1", revision=HEAD.revision)), HEAD.revision)
    assert found == here


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.2.3", "1.2.4-0.20260102030405-abcdef123456"),
        ("v1.2.3-rc.1", "1.2.3-rc.1.0.20260102030405-abcdef123456"),
        ("sub/v0.1.0", "0.1.1-0.20260102030405-abcdef123456"),
        ("", "0.0.0-20260102030405-abcdef123456"),
    ],
)
def test_pseudo_versions(tag: str, version: str) -> None:
    found = tags(tag)[0] if tag else None
    assert version_of(found, HEAD, TIME) == version
    assert version_of(found, Head(revision=HEAD.revision, changed=2), TIME) == f"{version}+dirty"


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_none(text: str) -> None:
    known = parse(text)
    assert known is None or parse(str(known)) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from(["", "-a", "-1", "-rc.2", "-rc.10"])),
        min_size=2,
    )
)
def test_order_is_total(parts: list[tuple[int, int, str]]) -> None:
    versions = [one for major, minor, rest in parts if (one := parse(f"v{major}.{minor}.0{rest}")) is not None]
    backwards = list(reversed(versions))
    assert sorted(versions, key=lambda one: one.order) == sorted(backwards, key=lambda one: one.order)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r"),
        ("https://user:token@github.com/o/r.git", "https://github.com/o/r"),
        ("http://git.example:3000/o/r", "https://git.example:3000/o/r"),
        ("git@github.com:o/r.git", "https://github.com/o/r"),
        ("ssh://git@git.example:2222/o/r.git", "https://git.example/o/r"),
        ("git://git.example/o/r", "https://git.example/o/r"),
        ("/srv/git/r.git", ""),
        ("../r", ""),
        ("file:///srv/r", ""),
        ("ext::sh -c x", ""),
        ("https://[bad/x", ""),
        ("https://git.example/a/../b", ""),
        ("https://git.example/o/r\x1b[31m", ""),
        ("", ""),
    ],
)
def test_web_addresses(remote: str, address: str) -> None:
    assert web_address(remote) == address


@given(st.text(max_size=60))
def test_an_address_never_carries_what_may_be_a_secret(text: str) -> None:
    found = web_address(f"https://user:{text}@git.example/o/r")
    assert found in ("", "https://git.example/o/r") or "@" not in found.removeprefix("https://").partition("/")[0]
