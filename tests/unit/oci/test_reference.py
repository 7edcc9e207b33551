"""Row C12: names are what they look like, or no names. ASCII alone, one spelling, and no registry is guessed."""

from __future__ import annotations

import pytest

from wherry.errors import UsageError
from wherry.oci.reference import Reference, in_registry, is_host, parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag"),
    [
        ("app", "", "app", ""),
        ("app:1.2", "", "app", "1.2"),
        ("team/app", "", "team/app", ""),
        ("localhost/app", "localhost", "app", ""),
        ("localhost:5000/app:1", "localhost:5000", "app", "1"),
        ("reg.example/team/app_x--y.z:V1", "reg.example", "team/app_x--y.z", "V1"),
        ("[::1]:5000/app", "[::1]:5000", "app", ""),
        (f"reg.example/app:1@{DIGEST}", "reg.example", "app", "1"),
    ],
)
def test_a_name_and_its_parts(text: str, host: str, repository: str, tag: str) -> None:
    found = parse(text)
    assert (found.host, found.repository, found.tag) == (host, repository, tag)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":",
            "@",
            "/",
            "app:",
            "app@",
            ":1",
            "/app",
            "app/",
            "a//b",
            "app:1:2",
            "app@sha256:abc",
            f"app@{DIGEST}0",
        ),
        *(
            "App",
            "reg.example/App",
            "app:\u0440\u0430\u0431",
            "\u0430pp",
            "reg.ex\u0430mple/app",
            "b\u00fccher.example/app",
        ),
        *("reg.example./app", ".example/app", "reg..example/app", "-reg.example/app", "reg.example:0/app"),
        *(
            "reg.example:65536/app",
            "reg.example:/app",
            "reg.example:x/app",
            "user@reg.example/app",
            "user:pw@reg.example/app",
        ),
        *(
            "reg.example/app\n",
            " app",
            "app ",
            "a b",
            "app\0",
            "app:1\u202e",
            "reg.example/../app",
            "reg.example/./app",
        ),
        *("app:" + "x" * 129, "a" * 256, "app:-1", "app:.1", f"app@{DIGEST.upper()}", f"app@{DIGEST}@{DIGEST}"),
        *(
            "reg.example?x/app",
            "reg.example#x/app",
            "reg.example%2fapp/x",
            "reg.example\\\\evil/app",
            "http://reg.example/app",
        ),
    ],
)
def test_what_only_looks_like_a_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.name == "bad-reference"
    assert caught.value.next


def test_a_short_name_is_docker_hubs_and_nobody_elses() -> None:
    assert str(in_registry(parse("app:1"))) == "docker.io/library/app:1"
    assert str(in_registry(parse("team/app"))) == "docker.io/team/app"
    assert str(in_registry(parse("docker.io/app:1"))) == "docker.io/library/app:1"
    assert str(in_registry(parse("docker.io/team/app"))) == "docker.io/team/app"
    assert in_registry(parse("reg.example/app")) == parse("reg.example/app")
    assert parse("library/app") != parse("app")


def test_a_digest_belongs_to_the_repository_it_is_written_behind() -> None:
    (one, other) = (parse(f"reg.example/{name}:1@{DIGEST}") for name in ("one", "other"))
    assert one != other
    assert (one.name, one.digest) == ("reg.example/one", DIGEST)
    assert isinstance(one, Reference)


@pytest.mark.parametrize("host", ["reg.example.", "", "a b", "x" * 256, "reg.example:99999", "\u0440eg.example", "a/b"])
def test_what_is_no_host(host: str) -> None:
    assert not is_host(host)
