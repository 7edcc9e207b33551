"""What the short way does not answer: the long way is asked, which says what is the matter, or knows what to make of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.images import random_image
from tests.support.ports import ports
from tests.support.registry import FakeRegistry, fake_registry
from wherry.cache.noop import wire
from wherry.cli.present import present
from wherry.store import place as places
from wherry.store.places import at


class Yard:
    """A layout and wherry's own store with an image that the registry has as team/app:1."""

    def __init__(self, folder: Path, registry: FakeRegistry) -> None:
        self.folder, self.registry = folder, registry
        self.digest = ""
        for place in (f"oci:{folder}/images:1", "store:app:1", f"docker://{registry.host}/team/app:1"):
            published = at(places.parse(place), ports(folder)).publish(random_image(folder / "layers"))
            self.digest = str(published.digest)
        registry.calls.clear()

    def push(self, source: str = "oci:{}/images:1", name: str = "{}/team/app:1", **environment: str) -> int | None:
        words = ["push", source.format(self.folder), "-t", name.format(self.registry.host)]
        return present(words, {"HOME": f"{self.folder}/home", "WHERRY_DATA_DIR": f"{self.folder}/data"} | environment)


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    monkeypatch.setattr(wire, "TIMEOUT", 60.0)  # a busy machine is no answer
    with fake_registry() as registry:
        yield Yard(tmp_path, registry)


@pytest.mark.parametrize("source", ["oci:{}/images:1", "oci:{}/images", "app", "app:1", "store:app", "store:app:1"])
@pytest.mark.parametrize("name", ["{}/team/app:1", "docker://{}/team/app:1"])
def test_what_is_there(source: str, name: str, yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    assert yard.push(source, name) == 0
    assert capsys.readouterr().out == f"{yard.registry.host}/team/app:1@{yard.digest}\n"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("oci:{}/images:1", "127.0.0.1:99999/team/app:1"),
        ("oci:{}/images:1", "127.0.0.1:0/team/app:1"),
        ("oci:{}/images:1", "127.0.0.1:\u0665\u0660/team/app:1"),
        ("oci:{}/images:1", "registry.example:5000/team/app:1"),
        ("oci:{}/images:1", "{}/team/app"),
        ("oci:{}/images:1", "{}/Team/app:1"),
        ("oci:{}/images:1", "{}/team//app:1"),
        ("oci:{}/images:1", "{}/team/app:-1"),
        ("oci:{}/images:1", "{}/team/app:1:2"),
        ("oci:{}/images:1", "{}/team/app:" + "1" * 129),
        ("oci:{}/images:1", "{}/" + "a" * 256 + ":1"),
        ("oci:{}/images:1", "{}/team/app@sha256:" + "0" * 64),
        ("oci:{}/images:1:", "{}/team/app:1"),
        ("oci:{}/images:2", "{}/team/app:1"),
        ("oci:", "{}/team/app:1"),
        ("oci:~/images:1", "{}/team/app:1"),
        ("oci-archive:{}/images:1", "{}/team/app:1"),
        ("store:", "{}/team/app:1"),
        ("localhost/app:1", "{}/team/app:1"),
        ("app:", "{}/team/app:1"),
        ("docker:1", "{}/team/app:1"),
    ],
)
def test_words_that_are_not_plain(source: str, name: str, yard: Yard) -> None:
    assert yard.push(source, name) is None
    assert yard.registry.calls == []


FOLDERS: dict[str, Callable[[Path], object]] = {
    "no marker": lambda images: (images / "oci-layout").unlink(),
    "another version": lambda images: (images / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}'),
    "a marker that is none": lambda images: (images / "oci-layout").write_text("{}"),
    "no index": lambda images: (images / "index.json").unlink(),
    "a pipe": lambda images: piped(images / "index.json"),
    "a byte order mark": lambda images: changed(images, lambda data: b"\xef\xbb\xbf" + data),
    "more behind it": lambda images: changed(images, lambda data: data + b"{}"),
    "a name twice": lambda images: changed(images, lambda data: data.replace(b'"size"', b'"size":1,"size"')),
    "a number as annotation": lambda images: changed(images, lambda data: data.replace(b':"1"', b":1")),
    "a size that is none": lambda images: changed(images, lambda data: data.replace(b'"size":', b'"size":1.5,"x":')),
}


def changed(images: Path, change: Callable[[bytes], bytes]) -> None:
    data = (images / "index.json").read_bytes()
    assert change(data) != data
    (images / "index.json").write_bytes(change(data))


def piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("how", FOLDERS)
def test_a_layout_that_is_not_plain(how: str, yard: Yard) -> None:
    FOLDERS[how](yard.folder / "images")
    assert yard.push() is None
    assert yard.registry.calls == []


@pytest.mark.parametrize("text", ["", "no toml at all", 'timeout = "1s"\n'])
def test_who_has_a_registries_toml_is_heard(text: str, yard: Yard) -> None:
    """Whatever it says; the long way reads it, and says what is wrong with it."""
    for home in (yard.folder / "home/.config/wherry", yard.folder / "other/wherry"):
        home.mkdir(parents=True)
    assert yard.push() == 0
    (yard.folder / "home/.config/wherry/registries.toml").write_text(text)
    assert yard.push() is None
    assert yard.push(XDG_CONFIG_HOME=f"{yard.folder}/other") == 0
    (yard.folder / "other/wherry/registries.toml").write_text(text)
    assert yard.push(XDG_CONFIG_HOME=f"{yard.folder}/other") is None


def test_where_no_home_is_said_the_user_database_is_asked(yard: Yard) -> None:
    assert yard.push(HOME="") is None
    assert yard.push(HOME="", XDG_CONFIG_HOME=f"{yard.folder}/other") == 0
    assert yard.push("app", HOME="", XDG_CONFIG_HOME=f"{yard.folder}/other", WHERRY_DATA_DIR="") is None
