"""The grammar of -o."""

from __future__ import annotations

import pytest

from wherry.errors import UsageError
from wherry.oci.reference import Reference
from wherry.oci.reference import parse as reference
from wherry.store.place import (
    DockerArchivePlace,
    EnginePlace,
    LayoutPlace,
    OciArchivePlace,
    OwnPlace,
    RegistryPlace,
    parse,
)

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "directory", "tag"),
    [
        ("oci:out", "out", ""),
        ("oci:./out:1.2", "./out", "1.2"),
        ("oci:/srv/images/app:latest", "/srv/images/app", "latest"),
        ("oci:a:b/c", "a:b/c", ""),
        ("oci:a:b/c:1.0", "a:b/c", "1.0"),
        ("oci:a:b:", "a:b", ""),
        ("oci:../x y", "../x y", ""),
        ("oci:out:-no-tag", "out:-no-tag", ""),
        ("oci:./~/x", "./~/x", ""),
    ],
)
def test_layouts(text: str, directory: str, tag: str) -> None:
    assert parse(text) == LayoutPlace(directory=directory, tag=tag)


def test_a_digest_may_follow() -> None:
    assert parse(f"oci:out:1@{DIGEST}") == LayoutPlace(directory="out", tag="1", digest=reference(f"x@{DIGEST}").digest)
    assert parse(f"oci-archive:x.tar@{DIGEST}") == OciArchivePlace(file="x.tar", digest=reference(f"x@{DIGEST}").digest)


@pytest.mark.parametrize(
    ("text", "file", "name"),
    [
        ("docker-archive:x.tar", "x.tar", ""),
        ("docker-archive:x.tar:app:1", "x.tar", "app:1"),
        ("docker-archive:/tmp/x.tar:reg.example:5000/team/app:1", "/tmp/x.tar", "reg.example:5000/team/app:1"),
        ("docker-archive:/A:B/x.tar", "/A:B/x.tar", ""),
        ("docker-archive:/tmp/12:30/x.tar:", "/tmp/12:30/x.tar", ""),
    ],
)
def test_docker_archives(text: str, file: str, name: str) -> None:
    assert parse(text) == DockerArchivePlace(file=file, reference=reference(name) if name else None)


def test_engines_registries_and_the_store() -> None:
    assert parse("docker-daemon:app:1") == EnginePlace(engine="docker-daemon", reference=reference("app:1"))
    assert parse("containers-storage:") == EnginePlace(engine="containers-storage")
    assert parse("containerd:reg.example/a/b:2") == EnginePlace(
        engine="containerd", reference=reference("reg.example/a/b:2")
    )
    assert parse("store:app") == OwnPlace(reference=reference("app"))
    assert parse("docker://reg.example/app") == RegistryPlace(reference=reference("reg.example/app"))
    assert parse(f"docker://reg.example/app@{DIGEST}") == RegistryPlace(
        reference=reference(f"reg.example/app@{DIGEST}")
    )
    hub = Reference(host="docker.io", repository="library/alpine", tag="3")
    assert parse("docker://alpine:3") == RegistryPlace(reference=hub)


@pytest.mark.parametrize(
    "text",
    [
        "oci:out:1",
        "oci:a:b:",
        f"oci:out@{DIGEST}",
        "oci-archive:x.tar:1",
        "docker-archive:x.tar:app:1",
        "docker-archive:a:B.tar:",
        "docker-daemon:app:1",
        "containerd:",
        "docker://reg.example/app:1",
        "store:app:1",
    ],
)
def test_a_place_is_written_as_it_is_read(text: str) -> None:
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("ocl:out", "did you mean oci:DIR"),
        ("docker-deamon:x", "did you mean docker-daemon:"),
        ("dockr://reg.example/x", "docker://REGISTRY/NAME:TAG"),
        ("./out", "for a folder write oci:./out"),
        ("out/app", "for a folder write oci:out/app"),
        ("oci", "write oci:DIR"),
        ("", "for a folder write oci:DIR or oci:DIR:TAG, for a registry docker://REGISTRY/NAME:TAG"),
        ("registry:reg.example/x", "for a registry docker://REGISTRY/NAME:TAG"),
        ("reg.example/x:1", "for a registry write docker://reg.example/x:1"),
        ("127.0.0.1:5000/x", "for a registry write docker://127.0.0.1:5000/x"),
    ],
)
def test_an_unknown_scheme_names_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.name == "bad-place"
    assert hint in caught.value.next[0]


@pytest.mark.parametrize("text", ["oci:", "oci::tag", "oci-archive:", "docker:reg.example/x", "docker://", "oci:a\0b"])
def test_a_place_names_something(text: str) -> None:
    with pytest.raises(UsageError, match="no place") as caught:
        parse(text)
    assert caught.value.next[0].startswith(f"write it like {text.partition(':')[0]}:")


def test_the_home_is_not_guessed() -> None:
    with pytest.raises(UsageError, match=r"\$HOME/images, or \./~/images"):
        parse("oci:~/images:1")


@pytest.mark.parametrize(
    "text", ["docker://reg.example/App:1", "store:a//b", "docker-daemon:a:b:c", "docker://x/y@sha256:12"]
)
def test_names_are_references(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.name == "bad-reference"
