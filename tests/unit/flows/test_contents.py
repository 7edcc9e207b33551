"""What is read of layers: what a container shows, where it came from, and what lies hidden below."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.support.odd_apps import private_key
from tests.support.packing import END, archive, directory, member, packed
from wherry.flows.looks.contents import contents
from wherry.flows.looks.scene import Scene
from wherry.flows.subject import Program, Subject
from wherry.model.contents import Contents, Leak
from wherry.oci.config import RunConfig
from wherry.oci.platform import Platform
from wherry.oci.tar import Entry

KEY = private_key()


def seen(tmp_path: Path, *layers: bytes, **fields: Any) -> Contents:
    files = []
    for number, data in enumerate(layers):
        (tmp_path / str(number)).mkdir()
        files.append(packed(tmp_path / str(number), data))
    subject = Subject(
        title="x",
        image="x",
        platform=Platform(architecture="amd64"),
        layers=tuple(files),
        **{"config": RunConfig(), **fields},
    )
    scene = cast("Scene", SimpleNamespace(made=SimpleNamespace(subject=subject)))
    found = contents(scene)["contents"]
    assert isinstance(found, Contents)
    return found


def test_the_layer_of_each_file_is_known(tmp_path: Path) -> None:
    first = archive([directory("a"), Entry(path="a/x", content=b"1"), Entry(path="a/y", content=b"22")])
    second = member(b"a/", kind=b"5") + member(b"a/x", b"333") + member(b"a/.wh.y") + END
    found = seen(tmp_path, first, second)
    assert [(one.path, one.size, one.layer) for one in found.files] == [("/a", 0, 2), ("/a/x", 3, 2)]
    assert found.unpacked == len(first) + len(second), "what is replaced takes its place all the same"
    assert len(found.layers) == 2


def test_keys_below_are_found_and_told_as_hidden(tmp_path: Path) -> None:
    first = archive([directory("a"), Entry(path="a/deleted", content=KEY), Entry(path="a/kept", content=KEY)])
    again = archive([directory("a"), Entry(path="a/replaced", content=KEY)])
    third = member(b"a/", kind=b"5") + member(b"a/.wh.deleted") + member(b"a/replaced", b"nothing") + END
    found = seen(tmp_path, first, again, third)
    assert set(found.leaks) == {
        Leak(what="a private key", place="/a/deleted", layer=1, hidden=True),
        Leak(what="a private key", place="/a/kept", layer=1),
        Leak(what="a private key", place="/a/replaced", layer=2, hidden=True),
    }


def test_a_key_across_two_chunks_of_a_large_binary_is_found(tmp_path: Path) -> None:
    for cut in (-20, 10, len(KEY) - 5):
        folder = tmp_path / str(cut)
        folder.mkdir()
        data = b"\0" * ((1 << 20) - cut) + KEY + b"\0" * (1 << 20)
        found = seen(folder, archive([Entry(path="large", content=data)]))
        assert [leak.what for leak in found.leaks] == ["a private key"], cut


def test_a_hard_link_has_the_mode_of_its_file(tmp_path: Path) -> None:
    data = member(b"a", b"x", mode=b"0004755\0") + member(b"b", b"", b"1", target=b"a") + END
    found = {one.path: one for one in seen(tmp_path, data).files}
    assert (found["/b"].mode, found["/b"].target, found["/b"].kind) == (0o4755, "/a", "hardlink")


def test_settings_arguments_and_history_are_read(tmp_path: Path) -> None:
    config = RunConfig(
        env=("PATH=/app", "API_TOKEN=abc123def"), labels={"db.password": "hunter22"}, cmd=("--secret=0a1b2c3d",)
    )
    found = seen(tmp_path, archive([]), config=config, history=("COPY . .", "RUN NPM_TOKEN=abc123def npm install"))
    assert [(leak.what, leak.place) for leak in found.leaks] == [
        ("a value for API_TOKEN", "ENV API_TOKEN"),
        ("a value for db.password", "LABEL db.password"),
        ("a value for secret", "the arguments"),
        ("a value for NPM_TOKEN", "history, line 2"),
    ]
    assert found.environment[0] == ("PATH", "/app")


def test_a_packages_program_counts_as_it_is(tmp_path: Path) -> None:
    program = tmp_path / "app"
    program.write_bytes(KEY + b"\0" * 5000)
    hollow = archive([directory("app"), Entry(path="app/app", mode=0o555)])
    found = seen(tmp_path, hollow, programs=(Program(file=str(program), path="/app/app"),))
    whole = archive([directory("app"), Entry(path="app/app", mode=0o555, content=program.read_bytes())])
    assert (found.unpacked, found.packed, found.layers) == (len(whole), None, ())
    assert found.leaks == (Leak(what="a private key", place="/app/app"),)


def test_tokens_are_looked_for_in_texts_and_keys_in_all(tmp_path: Path) -> None:
    """A program's tables hold what looks like a token; a key in its armour is one anywhere."""
    token = b"AKIA" + b"Q7Z3K5M2X9R4T6W8"
    found = seen(tmp_path, archive([Entry(path="a", content=token), Entry(path="b", content=b"\0" + token + KEY)]))
    assert {(one.what, one.place) for one in found.leaks} == {("an AWS access key", "/a"), ("a private key", "/b")}
