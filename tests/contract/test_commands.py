"""push, pull, copy and registry by command: the result alone on stdout, 80 columns, exit codes, `next` lines that work."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.support.cli import Done, wherry
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.model.image import Built
from wherry.store import place as places
from wherry.store.places import at

SHAPE = Shape(platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"))


class Desk:
    """A home, a registry, and an index `app` in wherry's store."""

    def __init__(self, host: str, folder: Path) -> None:
        self.folder, self.root = folder, f"{host}/{folder.name.lower()}"
        self.built: Built = random_image(folder / "layers", seed=71, shape=SHAPE)
        self("copy", str(self.layout()), "store:app:1")

    def layout(self) -> str:
        return at(places.parse(f"oci:{self.folder}/layout:1"), ports(self.folder)).publish(self.built).place

    def __call__(self, *words: str) -> Done:
        return wherry(*words, home=self.folder / "home", cwd=self.folder)

    def result(self, *words: str) -> str:
        done = self(*words)
        assert done.code == 0, done.stderr
        looks(done)
        return done.stdout


def looks(done: Done) -> None:
    """80 columns but for what is never cut: a digest, and what ends in one."""
    for line in done.stderr.splitlines():
        assert len(line) <= 80 or re.search(r"sha256:[0-9a-f]{64}$|^ +next +wherry |^ +or +wherry ", line), line


@pytest.fixture
def desk(docker_registry: str, tmp_path: Path) -> Desk:
    return Desk(docker_registry, tmp_path)


def test_push_and_pull(desk: Desk) -> None:
    names = (f"{desk.root}/app:1", f"{desk.root}/app:latest", f"{desk.root}/other:1")
    options = [word for name in names for word in ("-t", name)]
    assert desk.result("push", "app", *options) == "".join(f"{name}@{desk.built.digest}\n" for name in names)
    assert desk.result("pull", names[0]) == f"{names[0]}@{desk.built.digest}\n"
    assert desk.result("push", f"store:{names[0]}") == f"{names[0]}@{desk.built.digest}\n"
    assert desk.result("pull", f"{desk.root}/app@{desk.built.digest}", "-o", "oci:there").startswith(
        "oci:there@sha256:"
    )
    done = desk("push", "app")
    assert (done.code, "error [push-without-name]" in done.stderr) == (2, True)


def test_a_name_without_a_tag_goes_by_what_was_found(desk: Desk) -> None:
    assert desk.result("copy", "app", "oci:tagged") == f"app:1@{desk.built.digest}\n"
    assert desk("inspect", "oci:tagged:1").code == 0
    desk.result("copy", "app", f"{desk.root}/app")
    assert desk.result("copy", f"{desk.root}/app", "oci:latest") == f"{desk.root}/app:latest@{desk.built.digest}\n"


def test_next_lines_work(desk: Desk) -> None:
    for words in (("copy", "app", f"{desk.root}/app:1"), ("pull", f"{desk.root}/app:1", "-o", "oci:out"),
                  ("annotate", f"{desk.root}/app:1", "--label", "a=b")):  # fmt: skip
        done = desk(*words)
        (line,) = re.findall(r"^ +next +wherry (.*)$", done.stderr, re.MULTILINE)
        assert desk(*shlex.split(line)).code == 0


def test_platforms_are_chosen(desk: Desk) -> None:
    one = desk.result("copy", "app", "oci:one:1", "--platform", "linux/arm64")
    assert one == f"app:1@{desk.built.images[1].digest}\n"
    done = desk("copy", "app", "oci:two:1", "--platform", "linux/arm64,linux/amd64", "--json")
    report = json.loads(done.stdout)
    assert report["platforms"] == ["linux/amd64", "linux/arm64"]
    assert report["digest"] not in [desk.built.digest, *(image.digest for image in desk.built.images)]
    assert [finding["name"] for finding in report["findings"]] == ["chosen-platforms"]
    assert "2 of 3 platforms were taken" in done.stderr
    again = desk.result("copy", "oci:two:1", f"{desk.root}/two:1")
    assert again == f"{desk.root}/two:1@{report['digest']}\n"


def test_only_what_is_missing_is_told(desk: Desk) -> None:
    assert "sent, in" in desk("copy", "app", f"{desk.root}/app:1").stderr
    assert "all of it was there already" in desk("copy", "app", f"{desk.root}/app:1").stderr


def test_a_registry_by_hand(desk: Desk) -> None:
    for tag in ("1.10", "1.9", "1.9-rc1"):
        desk.result("copy", "app", f"{desk.root}/app:{tag}")
    assert desk.result("registry", "tags", f"{desk.root}/app", "--sort").split() == ["1.9-rc1", "1.9", "1.10"]
    assert set(json.loads(desk.result("registry", "tags", f"{desk.root}/app", "--json"))["tags"]) == {
        "1.9-rc1",
        "1.9",
        "1.10",
    }
    raw = desk.result("registry", "manifest", f"{desk.root}/app:1.9", "--platform", "linux/arm64", "--raw")
    assert f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}" == desk.built.images[1].digest
    index = json.loads(desk.result("registry", "manifest", f"{desk.root}/app:1.9"))
    assert len(index["manifests"]) == 3
    config = desk.built.images[0].config
    assert desk.result("registry", "blob", f"{desk.root}/app@{config.digest}") == config.data.decode()
    assert desk.result("registry", "blob", f"{desk.root}/app@{config.digest}", "-o", "config.json") == "config.json\n"
    assert (desk.folder / "config.json").read_bytes() == config.data


def test_deleting_asks_first(desk: Desk) -> None:
    """Distribution 2.8 deletes no tag alone; the `next` line names the digest, and works."""
    desk.result("copy", "app", f"{desk.root}/app:old")
    done = desk("registry", "delete", f"{desk.root}/app:old")
    assert (done.code, done.stdout) == (1, "")
    assert "error [not-confirmed]" in done.stderr
    done = desk("registry", "delete", f"{desk.root}/app:old", "--yes")
    assert "error [delete-refused]" in done.stderr
    (line,) = re.findall(r"^ +next +wherry (.*)$", done.stderr, re.MULTILINE)
    assert desk.result(*shlex.split(line), "--yes") == f"{desk.root}/app@{desk.built.digest}\n"
    assert desk("registry", "manifest", f"{desk.root}/app:old").code == 4


WRONG = (
    (("copy", "app", "oci:x", "--referrers"), "no-referrers", 2),
    (("copy", "nothing", "oci:x"), "no-such-image", 2),
    (("copy", "oci:layout:1", "store:"), "no-name", 2),
    (("annotate", "app"), "nothing-to-set", 2),
    (("annotate", "app", "--label", "novalue"), "usage", 2),
    (("annotate", "oci-archive:x.tar", "--label", "a=b"), "no-place", 2),
    (("registry", "tags", "reg.example/app:1"), "bad-reference", 2),
    (("registry", "blob", "reg.example/app:1"), "bad-reference", 2),
    (("registry", "delete", "reg.example/app"), "bad-reference", 2),
)


@pytest.mark.parametrize(("words", "name", "code"), WRONG, ids=[" ".join(row[0][:3]) for row in WRONG])
def test_a_wrong_word_is_one_clear_error(words: tuple[str, ...], name: str, code: int, desk: Desk) -> None:
    if "x.tar" in words[1]:
        desk.result("copy", "app", "oci-archive:x.tar:1")
    done = desk(*words)
    assert re.findall(r"^error \[([a-z-]+)\]", done.stderr, re.MULTILINE) == [name]
    assert (done.code, done.stdout) == (code, "")


def test_a_tab_offers_names_and_places(desk: Desk) -> None:
    for line, offered in (
        ("wherry push ap", "app:1"),
        ("wherry copy docker-", "docker-archive:"),
        ("wherry copy app oci", ""),
    ):
        words = {"_WHERRY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        done = wherry(home=desk.folder / "home", cwd=desk.folder, **words)
        assert offered in done.stdout


NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")


@pytest.mark.parametrize("tags", [("1",), ("1", "latest"), ()], ids=["one", "two", "nameless"])
@pytest.mark.parametrize("how", ["", "@{digest}"], ids=["by folder", "by digest"])
def test_a_change_in_a_layout_takes_every_name_of_the_old_image(tags: tuple[str, ...], how: str, desk: Desk) -> None:
    for tag in tags or ("1",):
        desk.result("copy", "app", f"oci:changed:{tag}")
    listed = desk.folder / "changed/index.json"
    if not tags:
        index = json.loads(listed.read_text())
        for entry in index["manifests"]:
            entry["annotations"] = {key: value for key, value in entry["annotations"].items() if key not in NAMES}
        listed.write_text(json.dumps(index))
    subject = "oci:changed" + how.format(digest=desk.built.digest)
    report = json.loads(desk("annotate", subject, "--label", "a=b", "--json").stdout)
    assert report["digest"] != desk.built.digest
    left = json.loads(listed.read_text())["manifests"]
    found = [(entry["digest"], entry.get("annotations", {}).get(NAMES[0])) for entry in left]
    assert found == [(report["digest"], tag) for tag in tags or (None,)]
    assert desk("inspect", "oci:changed").code == 0
    again = json.loads(desk("annotate", "oci:changed", "--label", "a=b", "--json").stdout)
    assert again["digest"] == report["digest"]
    assert json.loads(listed.read_text())["manifests"] == left, "what changes nothing takes nothing away"


def test_a_change_in_a_layout_leaves_other_images(desk: Desk) -> None:
    desk.layout()
    other = at(places.parse(f"oci:{desk.folder}/layout:2"), ports(desk.folder)).publish(
        random_image(desk.folder / "more", seed=72, shape=SHAPE)
    )
    desk.result("annotate", "oci:layout:1", "--label", "a=b")
    entries = json.loads((desk.folder / "layout/index.json").read_text())["manifests"]
    assert [entry["annotations"][NAMES[0]] for entry in entries] == ["2", "1"]
    assert entries[0]["digest"] == other.digest


def test_a_change_as_a_document(desk: Desk) -> None:
    report = json.loads(desk("annotate", "app", "--label", "a=b", "--json").stdout)
    assert (report["schema"], report["old"]) == (1, desk.built.digest)
    assert [row["platform"] for row in report["replaced"]] == ["linux/amd64", "linux/arm64", "linux/arm/v7"]
    assert [row["old"] for row in report["replaced"]] == [image.digest for image in desk.built.images]
    (published,) = report["published"]
    assert (published["reference"], published["place"]) == (f"app:1@{report['digest']}", "store:app:1")
    again = json.loads(desk("annotate", "app", "--label", "a=b", "--json").stdout)
    assert (again["old"], again["replaced"]) == (again["digest"], [])
