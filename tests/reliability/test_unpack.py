"""Rows B02, B03, B04, B05, B06, B08: layers that try to leave the folder they are unpacked into."""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path

import pytest

from tests.support.packing import END, member, packed, pax
from wherry.errors import CorruptError, RefusedError, UnavailableError
from wherry.oci.layer import Packed
from wherry.oci.unpack import Unpacked, extract, flatten


class Lab:
    """A folder with a victim beside the root that layers are unpacked into."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.outside = folder, folder / "root", folder / "outside"
        self.outside.mkdir()
        (self.outside / "victim").write_bytes(b"precious")
        (self.outside / "victim").chmod(0o640)
        self.before = self.state()

    def state(self) -> list[tuple[str, int, bytes]]:
        found = sorted(self.outside.rglob("*"))
        return [(str(path), path.lstat().st_mode, path.read_bytes()) for path in found if path.is_file()]

    def layer(self, *members: bytes) -> Packed:
        return packed(self.folder, b"".join(members) + END)

    def extract(self, *layers: Packed) -> Unpacked:
        try:
            return extract(layers, self.root)
        finally:
            assert self.state() == self.before

    def tree(self) -> dict[str, str]:
        found = sorted(self.root.rglob("*"))
        return {
            str(path.relative_to(self.root)): f"-> {path.readlink()}"
            if path.is_symlink()
            else ""
            if path.is_dir()
            else path.read_text()
            for path in found
        }


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def links(lab: Lab) -> dict[str, tuple[bytes, ...]]:
    """Ways to lay a link `d` that leads to the victim's folder."""
    outside = str(lab.outside).encode()
    return {
        "absolute": (pax(linkpath=outside) + member(b"d", kind=b"2"),),
        "relative": (member(b"d", kind=b"2", target=b"../outside"),),
        "chain": (
            member(b"a", kind=b"2", target=b".."),
            member(b"b", kind=b"2", target=b"a/outside"),
            member(b"d", kind=b"2", target=b"b"),
        ),
    }


ATTACKS = {
    "write": (member(b"d/victim", b"owned"),),
    "new file": (member(b"d/new", b"owned"),),
    "directory": (member(b"d/sub", kind=b"5"),),
    "deeper": (member(b"d/sub/new", b"owned"),),
    "link": (member(b"d/victim", kind=b"2", target=b"x"),),
    "hard link onto it": (member(b"mine", b"1"), member(b"d/victim", kind=b"1", target=b"mine")),
    "hard link to it": (member(b"mine", kind=b"1", target=b"d/victim"),),
    "whiteout": (member(b"d/.wh.victim"),),
    "opaque": (member(b"d/.wh..wh..opq"),),
}


@pytest.mark.parametrize("way", ["absolute", "relative", "chain"])
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("split", [True, False])
def test_b02_nothing_goes_through_a_link(lab: Lab, way: str, attack: str, split: bool) -> None:
    laying, attacking = links(lab)[way], ATTACKS[attack]
    split = split or attack in ("whiteout", "opaque")  # which mean nothing in the layer that lays the link
    layers = (lab.layer(*laying), lab.layer(*attacking)) if split else (lab.layer(*laying, *attacking),)
    with pytest.raises(CorruptError) as caught:
        lab.extract(*layers)
    assert caught.value.name in ("through-link", "bad-tar")


def test_b02_the_root_itself_cannot_be_a_link(lab: Lab) -> None:
    lab.root.symlink_to(lab.outside)
    with pytest.raises(UnavailableError):
        lab.extract(lab.layer(member(b"x")))


def test_b02_only_an_empty_folder_is_unpacked_into(lab: Lab) -> None:
    lab.root.mkdir()
    (lab.root / "mine").touch()
    with pytest.raises(RefusedError) as caught:
        lab.extract(lab.layer(member(b"x")))
    assert caught.value.name == "not-empty"


@pytest.mark.parametrize("target", [b"victim", b"../outside/victim", b"/etc/passwd", b"later", b"d", b"link", b"self"])
def test_b03_hard_links_only_to_files_that_are_there(lab: Lab, target: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab.outside)
    layer = lab.layer(
        member(b"d", kind=b"5"),
        member(b"link", kind=b"2", target=b"/etc/passwd"),
        member(b"self", kind=b"1", target=target),
        member(b"later", b"1"),
    )
    with pytest.raises(CorruptError) as caught:
        lab.extract(layer)
    assert caught.value.name == "bad-tar"


def test_b03_a_hard_link_in_a_later_layer_is_the_same_file(lab: Lab) -> None:
    lab.extract(lab.layer(member(b"a/x", b"1")), lab.layer(member(b"y", kind=b"1", target=b"a/x")))
    assert (lab.root / "y").samefile(lab.root / "a/x")


LOWER = (
    member(b"d/old", b"lower"),
    member(b"d/both", b"lower"),
    member(b"d/sub/deep", b"lower"),
    member(b"gone/x", b"lower"),
)
UPPER = (
    member(b"d/.wh..wh..opq"),
    member(b"d/both", b"upper"),
    member(b"d/.wh.old"),
    member(b".wh.gone"),
    member(b"gone", kind=b"5"),
    member(b"gone/new", b"upper"),
)


def test_b05_whiteouts_mean_the_layers_below_in_every_order(lab: Lab) -> None:
    expected = {"d": "", "d/both": "upper", "gone": "", "gone/new": "upper"}
    lower = lab.layer(*LOWER)
    for number, upper in enumerate(itertools.permutations(UPPER)):
        layers = (lower, lab.layer(*upper))
        lab.root = lab.folder / f"root{number}"
        lab.extract(*layers)
        assert lab.tree() == expected
        assert set(flatten(layers)) | {"d", "gone"} == set(expected)


def test_b05_whiteouts_of_what_is_not_there(lab: Lab) -> None:
    lab.extract(
        lab.layer(member(b".wh.x"), member(b"a/.wh.y"), member(b"b/.wh..wh..opq")), lab.layer(member(b"c/.wh.z"))
    )
    assert lab.tree() == {}


def test_b06_modes_never_reach_what_a_link_leads_to(lab: Lab) -> None:
    outside = b"../outside"
    mode = lab.outside.stat().st_mode
    lab.extract(
        lab.layer(
            member(b"d", kind=b"2", target=outside, mode=b"0000777\0"),
            member(b"v", kind=b"2", target=outside + b"/victim"),
        ),
        lab.layer(member(b"d", kind=b"5", mode=b"0000777\0"), member(b"v", b"mine", mode=b"0000777\0")),
    )
    assert lab.outside.stat().st_mode == mode
    assert (lab.root / "d").is_dir()
    assert not (lab.root / "d").is_symlink()
    assert (lab.root / "v").read_text() == "mine"


def test_b08_long_link_chains_as_in_the_attacks_on_tarfile(lab: Lab) -> None:
    """CVE-2025-4517: a chain of folders and links whose resolved path is longer than PATH_MAX, then a step out and a write."""
    parts: list[bytes] = []
    long, made = b"d" * 240, []
    for letter in b"abcdefghijklmnop":
        made.append(member(b"L", b"/".join((*parts, long)) + b"\0", b"L") + member(b"x", kind=b"5"))
        made.append(
            member(b"L", b"/".join((*parts, bytes((letter,)))) + b"\0", b"L")
            + member(b"x", kind=b"2", target=long[:99])
        )
        parts.append(bytes((letter,)))
    with pytest.raises((CorruptError, UnavailableError)):
        lab.extract(
            lab.layer(
                *made, member(b"flag", kind=b"2", target=b"/".join(parts) + b"/.." * 16), member(b"flag/x", b"owned")
            )
        )


def test_modes_owners_and_kinds_come_out_as_they_stand(lab: Lab) -> None:
    old = os.umask(0o077)
    try:
        done = lab.extract(
            lab.layer(
                member(b"./", kind=b"5", mode=b"0000755\0"),
                member(b"tmp", kind=b"5", mode=b"0001777\0"),
                member(b"closed", kind=b"5", mode=b"0000555\0"),
                member(b"closed/x", b"1", mode=b"0000444\0"),
                member(b"implied/y", b"2"),
                member(b"null", kind=b"3"),
                member(b"tmp/twice", b"1"),
                member(b"tmp/twice", b"2"),
            )
        )
    finally:
        os.umask(old)
    modes = {
        path: stat.S_IMODE((lab.root / path).stat().st_mode) for path in ("", "tmp", "closed", "closed/x", "implied")
    }
    assert modes == {"": 0o755, "tmp": 0o1777, "closed": 0o555, "closed/x": 0o444, "implied": 0o755}
    assert done == Unpacked(entries=8, duplicates=("tmp/twice",), left_out=("null",))
    assert (lab.root / "tmp/twice").read_text() == "2"


def test_things_change_kind_between_layers(lab: Lab) -> None:
    lab.extract(
        lab.layer(member(b"a/x", b"1"), member(b"b", b"2"), member(b"c", kind=b"2", target=b"a")),
        lab.layer(member(b"a", b"file"), member(b"b", kind=b"5"), member(b"b/z", b"3"), member(b"c", kind=b"5")),
    )
    assert lab.tree() == {"a": "file", "b": "", "b/z": "3", "c": ""}


def test_a_layer_that_is_not_the_promised_one(lab: Lab) -> None:
    right, other = lab.layer(member(b"x", b"1")), lab.layer(member(b"x", b"2"))
    wrong = Packed(file=other.file, media_type=right.media_type, digest=right.digest, diff_id=right.diff_id)
    with pytest.raises(CorruptError) as caught:
        lab.extract(wrong)
    assert caught.value.name == "digest-mismatch"
