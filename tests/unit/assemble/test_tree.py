"""Where entries come to lie on a base that has directories and links of its own."""

from __future__ import annotations

import pytest

from tests.support.packing import directory
from wherry.assemble.tree import image_path, owner, place
from wherry.errors import BuildError, UsageError
from wherry.oci.tar import Entry

BELOW = {
    entry.path: entry
    for entry in (
        directory("tmp", 0o1777),
        Entry(path="home/me", kind="directory", mode=0o700, uid=7, gid=8),
        Entry(path="lib", kind="link", target="usr/lib"),
        Entry(path="usr/lib64", kind="link", target="/lib"),
        Entry(path="var/run", kind="link", target="../run"),
        Entry(path="loop", kind="link", target="pool"),
        Entry(path="pool", kind="link", target="loop"),
    )
}


def placed(*entries: Entry) -> dict[str, tuple[int, int]]:
    return {entry.path: (entry.mode, entry.uid) for entry in place(entries, BELOW)}


def test_parents_are_as_the_base_has_them() -> None:
    assert placed(Entry(path="tmp/a/x"), Entry(path="home/me/y")) == {
        "tmp": (0o1777, 0), "tmp/a": (0o755, 0), "tmp/a/x": (0o444, 0),
        "home": (0o755, 0), "home/me": (0o700, 7), "home/me/y": (0o444, 0),
    }  # fmt: skip


def test_links_of_the_base_are_followed_and_not_replaced() -> None:
    assert set(placed(Entry(path="lib/x.so"))) == {"usr", "usr/lib", "usr/lib/x.so"}
    assert set(placed(Entry(path="usr/lib64/x.so"))) == {"usr", "usr/lib", "usr/lib/x.so"}
    assert set(placed(directory("var/run"))) == {"run"}


def test_a_file_may_replace_a_link() -> None:
    assert set(placed(Entry(path="lib"))) == {"lib"}


def test_a_base_that_is_a_loop() -> None:
    with pytest.raises(BuildError) as caught:
        placed(Entry(path="loop/x"))
    assert caught.value.name == "base-loop"


def test_a_directory_asked_for_wins_over_the_bases() -> None:
    assert placed(Entry(path="tmp", kind="directory", mode=0o700, uid=5), Entry(path="tmp/x")) == {
        "tmp": (0o700, 5),
        "tmp/x": (0o444, 0),
    }


@pytest.mark.parametrize(("text", "path"), [("/", ""), ("/a", "a"), ("//a/./b/", "a/b")])
def test_paths_in_the_image(text: str, path: str) -> None:
    assert image_path(text) == path


@pytest.mark.parametrize("text", ["", "a", "./a", "/a/../b", "/..", "/a\0"])
def test_paths_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        image_path(text)


def test_owner() -> None:
    assert owner("65532:100") == (65532, 100)
    assert owner("1000") == (1000, 1000)
