"""The client's documentation page: every example is run against a real registry, and prints what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import variables
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.errors import WherryError
from wherry.flows.client import Client
from wherry.model.image import Built
from wherry.oci.reference import parse
from wherry.store import artifact
from wherry.store import place as places
from wherry.store.places import at
from wherry.store.registry import referrers
from wherry.store.registry.keeper import repository

PAGE = (Path(__file__).parents[2] / "docs/registry-client.md").read_text()
EXAMPLES = {
    title.partition("\n")[0] + f" {number}": code
    for title in PAGE.split("\n## ")
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", title, re.MULTILINE | re.DOTALL))
}
SHAPE = Shape(platforms=("linux/amd64", "linux/arm64"))


@pytest.fixture(scope="module")
def images(docker_registry: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, str]:
    """What the page takes for granted: an image with some tags, and an old one."""
    folder = tmp_path_factory.mktemp("client")
    built = random_image(folder / "layers", seed=1, shape=SHAPE)
    for name in ("team/app:1.2", "team/app:1.10", "team/app:1.9", "team/old:1.0"):
        at(places.parse(f"docker://{docker_registry}/{name}"), ports(folder)).publish(built)
    return built, docker_registry


def printed(title: str, host: str, folder: Path) -> str:
    """What the example prints, its registry being the one at `host`."""
    code = EXAMPLES[title].replace("registry.example", host)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=variables(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.replace(host, "registry.example")


def expected(built: Built) -> Iterator[tuple[str, str]]:
    """The examples that print, and a pattern of what."""
    document, layers = built.content.document, [image.layers for image in built.images]
    yield "What does a tag mean? 0", f"{built.digest}\nNone\n"
    yield "Read a manifest 0", f"{document.media_type} {document.size}\n{built.digest}\n".replace("+", r"\+")
    yield "Which platforms", rf"linux/amd64 \d+ 65532:65532\n   {layers[0][0].digest} \d+\n(.*\n)+"
    yield "All tags 0", r"(.*\n)*1\.2\n1\.9\n1\.10\n"
    yield "Copy an image 0", rf"registry.example/other/app:1.2@{built.digest} \d+\n.*/app:latest@{built.digest} 0\n"
    yield "Copy an image 1", "True\n"
    yield "Attach an SBOM, and find it 0", r"application/spdx\+json \d+\n"
    yield "Errors 0", "registry-not-found\n"
    yield "Delete 0", ""
    yield "Download a layer 0", ""


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_does_what_it_says(title: str, images: tuple[Built, str], tmp_path: Path) -> None:
    built, host = images
    shown = printed(title, host, tmp_path)
    (pattern,) = (pattern for known, pattern in expected(built) if title.startswith(known))
    assert re.fullmatch(pattern, shown), shown
    if title.startswith("Download"):
        layer = built.images[0].layers[0]
        assert (tmp_path / "layer.tar.gz").read_bytes() == Path(layer.file).read_bytes()
    if title.startswith("Delete"):
        there = repository(parse(f"{host}/team/old:1.0"), ports(tmp_path))
        assert there.head("1.0") is None


def test_an_artifact_is_equal_for_equal_data(images: tuple[Built, str], tmp_path: Path) -> None:
    built, host = images
    subject = built.images[0].manifest
    one, other = (artifact.made(subject, b"1", kind="text/plain", annotations=(("a", "b"),)) for _ in range(2))
    assert one.digest == other.digest
    assert artifact.made(subject, b"2", kind="text/plain").digest != one.digest
    keeper = at(places.parse(f"docker://{host}/team/app@{one.digest}"), ports(tmp_path))
    keeper.put(one)
    found = referrers.find(repository(parse(f"{host}/team/app"), ports(tmp_path)), subject.digest)
    assert [entry.annotations for entry in found if entry.digest == one.digest] == [{"a": "b"}]


MISTAKES: dict[str, tuple[Callable[[Any, str], object], str]] = {
    "nowhere to": (lambda c, name: c.copy(name), "no-place"),
    "one platform as a text": (lambda c, name: c.copy(name, "oci:x", platforms="linux/amd64"), "bad-option"),
    "a host alone": (lambda c, name: c.digest(name.partition("/")[0]), "bad-reference"),
    "a web address": (lambda c, name: c.digest(f"https://{name}"), "bad-reference"),
    "a blob by tag": (lambda c, name: next(c.blob(name)), "bad-reference"),
    "a text to attach": (lambda c, name: c.attach(name, "text", artifact_type="a/b"), "bad-option"),
    "no media type": (lambda c, name: c.attach(name, b"x", artifact_type="sbom"), "bad-option"),
    "a number as annotation": (
        lambda c, name: c.attach(name, b"x", artifact_type="a/b", annotations={"a": 1}),
        "bad-option",
    ),
    "nothing to delete": (lambda c, name: c.delete(name.rpartition(":")[0]), "bad-reference"),
    "no such tag": (lambda c, name: c.manifest(f"{name}0"), "registry-not-found"),
    "no such platform": (lambda c, name: c.copy(name, "oci:x", platforms=("linux/s390x",)), "no-platform"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_python_is_one_typed_error(mistake: str, images: tuple[Built, str], tmp_path: Path) -> None:
    call, name = MISTAKES[mistake]
    with pytest.raises(WherryError) as caught:
        call(Client(ports(tmp_path)), f"{images[1]}/team/app:1.2")
    assert caught.value.name == name
