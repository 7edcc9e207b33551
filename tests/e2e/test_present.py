"""A push or copy of what is there already, by the short way: the same words on stdout as by the long one, and one request; what
is unclear goes the long way and is right all the same."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import COMMAND, Done, variables, wherry
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.registry import Answer, FakeRegistry, Fault, fake_registry, refusal
from wherry.cli import present
from wherry.model.image import Built
from wherry.store import place as places
from wherry.store.places import at

SAID = re.compile(r"all of it was there already, \d+\.\d\d s\n")
"""The short way's word; the long one says `already, in`."""


class Yard:
    """A layout, wherry's own store and a registry that all hold one image."""

    def __init__(self, folder: Path, registry: FakeRegistry) -> None:
        self.folder, self.registry = folder, registry
        self.built = random_image(folder / "layers", seed=1, shape=Shape(references=("app:1.2.3",)))
        self.put(self.built, f"oci:{folder}/images:1")
        self.done = self.run("copy", "oci:images:1", "store:app:1.2.3", f"docker://{registry.host}/team/app:1")
        assert self.done.code == 0, self.done.stderr
        registry.calls.clear()

    def put(self, built: Built, place: str) -> None:
        at(places.parse(place), ports(self.folder)).publish(built)

    def run(self, *words: str, **environment: str) -> Done:
        return wherry(*words, home=self.folder / "home", cwd=self.folder, **environment)

    @property
    def name(self) -> str:
        return f"{self.registry.host}/team/app:1"

    @property
    def asked(self) -> list[str]:
        return [call.method for call in self.registry.calls]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with fake_registry() as registry:
        yield Yard(tmp_path, registry)


SHORT = [
    ("push", "oci:images:1", "-t", "{}"),
    ("push", "oci:images", "--tag", "docker://{}"),
    ("push", "app", "-t", "{}"),
    ("push", "store:app:1.2.3", "-t", "{}"),
    ("copy", "oci:images:1", "{}"),
    ("copy", "app:1.2.3", "docker://{}"),
]


@pytest.mark.parametrize("words", SHORT, ids=" ".join)
def test_one_request_says_all(words: tuple[str, ...], yard: Yard) -> None:
    done = yard.run(*(word.format(yard.name) for word in words))
    assert (done.code, done.stdout) == (0, f"{yard.name}@{yard.built.digest}\n")
    assert SAID.match(done.stderr)
    assert yard.asked == ["HEAD"]


def test_several_names_are_asked_one_by_one(yard: Yard) -> None:
    second = yard.name.removesuffix("1") + "2"
    words = ("push", "oci:images:1", "-t", yard.name, "-t", second)
    assert f"{yard.name}@{yard.built.digest}\n{second}@{yard.built.digest}\n" == yard.run(*words).stdout
    yard.registry.calls.clear()
    assert SAID.match(yard.run(*words).stderr)
    assert yard.asked == ["HEAD", "HEAD"]


@pytest.mark.parametrize(
    "more", [("--json",), ("--platform", "linux/amd64"), ("--referrers",), ("--offline",), ("--authfile", "none")]
)
def test_every_option_goes_the_long_way(more: tuple[str, ...], yard: Yard) -> None:
    done = yard.run("push", "oci:images:1", "-t", yard.name, *more)
    assert not SAID.search(done.stderr)
    assert done.code == (4 if more == ("--offline",) else 0), done.stderr


def test_offline_by_variable_counts(yard: Yard) -> None:
    assert yard.run("push", "oci:images:1", "-t", yard.name, WHERRY_OFFLINE="1").code == 4
    assert yard.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=404),
        Fault(status=405, method="HEAD"),
        Fault(status=200, headers={"Docker-Content-Digest": "sha256:" + "0" * 64}),
        Fault(cut=True),
        Fault(status=307, headers={"Location": "/v2/team/app/manifests/1"}),
    ],
    ids=["500", "404", "405", "another", "cut", "elsewhere"],
)
def test_an_unclear_answer_is_asked_for_again(fault: Fault, yard: Yard) -> None:
    yard.registry.faults = [fault]
    done = yard.run("push", "oci:images:1", "-t", yard.name)
    assert (done.code, done.stdout) == (0, f"{yard.name}@{yard.built.digest}\n"), done.stderr
    assert not SAID.search(done.stderr)


def test_a_moved_tag_and_a_new_image_are_pushed(yard: Yard) -> None:
    other = random_image(yard.folder / "layers", seed=2)
    yard.put(other, f"docker://{yard.name}")
    assert yard.run("push", "oci:images:1", "-t", yard.name).stdout.endswith(f"@{yard.built.digest}\n")
    yard.put(other, f"oci:{yard.folder}/images:1")
    assert yard.run("push", "oci:images:1", "-t", yard.name).stdout.endswith(f"@{other.digest}\n")
    assert yard.registry.manifests["team/app:1"][0] == other.content.document.data


def test_who_must_log_in_is_asked_who_they_are(yard: Yard) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="x"'}
    yard.registry.authorize = lambda _: Answer(401, challenge | dict(refusal(401, "UNAUTHORIZED").headers))
    done = yard.run("push", "oci:images:1", "-t", yard.name)
    assert (done.code, "[registry-denied]" in done.stderr) == (4, True), done.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("push", "oci:nowhere:1", "-t", "{}"), "not-a-layout"),
        (("push", "oci:images:9", "-t", "{}"), "no-such-image"),
        (("push", "nothing", "-t", "{}"), "no-such-image"),
        (("push", "oci:images:1", "-t"), "usage"),
        (("push", "oci:images:1", "-t", ""), "usage"),
        (("push", "oci:images:1"), "push-without-name"),
        (("copy", "oci:images:1"), "usage"),
        (("copy",), "usage"),
        (("push", "oci:images:1", "-t", "{}", "--nonsense"), "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_mistakes_are_told_as_ever(words: tuple[str, ...], name: str, yard: Yard) -> None:
    done = yard.run(*(word.format(yard.name) for word in words))
    assert done.code != 0
    assert f"error [{name}]" in done.stderr


def test_a_damaged_index_goes_the_long_way(yard: Yard) -> None:
    (yard.folder / "images/index.json").write_text('{"manifests": [1, {"digest": []}]}')
    done = yard.run("push", "oci:images:1", "-t", yard.name)
    assert (done.code, SAID.search(done.stderr)) == (5, None), done.stderr


def test_a_registries_toml_that_is_wrong_is_told(yard: Yard) -> None:
    file = yard.folder / "home/config/wherry/registries.toml"
    file.parent.mkdir(parents=True)
    file.write_text("timeout = 1\n")
    done = yard.run("push", "oci:images:1", "-t", yard.name)
    assert (done.code, "error [bad-setting]" in done.stderr) == (2, True), done.stderr
    assert yard.asked == []


def test_schemes_are_known() -> None:
    assert set(present.SCHEMES) == set(places.SCHEMES)


HEAVY = ("click", "msgspec", "urllib3", "ssl", "pathlib", "http.client", "wherry.flows")
#: What a push of what is there does without, too: half of its time (decision 0011).
HALF = ("json", "re", "enum", "socket", "typing", "hashlib")


def imported(yard: Yard, *words: str, heavy: tuple[str, ...] = HEAVY) -> tuple[set[str], str]:
    """The modules that a command imports, by their first name or whole, and what it says."""
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], *words]
    done = subprocess.run(
        command, cwd=yard.folder, env=variables(yard.folder / "home"), capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    return {name for name in heavy if any(f"{one}.".startswith(f"{name}.") for one in names)}, done.stderr


def test_little_is_imported(yard: Yard) -> None:
    found, said = imported(yard, "push", "oci:images:1", "-t", yard.name)
    assert SAID.search(said)
    assert found == set()


def test_little_is_imported_to_send_an_image(yard: Yard) -> None:
    yard.put(random_image(yard.folder / "layers", seed=2), f"oci:{yard.folder}/images:1")
    found, said = imported(yard, "push", "oci:images:1", "-t", yard.name)
    assert re.search(r" sent, in [0-9.]+ s\n", said)
    assert found == set()


def test_the_long_way_does_without_click_where_there_is_no_option(yard: Yard) -> None:
    yard.registry.faults = [Fault(status=500)]
    found, said = imported(yard, "push", "oci:images:1", "-t", yard.name)
    assert "all of it was there already, in" in said
    assert "urllib3" in found
    assert "click" not in found


def test_a_new_image_has_the_story_of_the_long_way(yard: Yard) -> None:
    """But for how many platforms it has, which is said by who looks into its documents."""
    told = []
    for seed, more in ((2, ()), (3, ("--json",))):
        yard.put(random_image(yard.folder / "layers", seed=seed), f"oci:{yard.folder}/images:{seed}")
        second = yard.name.removesuffix("1") + f"a{seed}"
        lines = yard.run("push", f"oci:images:{seed}", "-t", second, "-t", yard.name, *more).stderr.splitlines()
        told.append([re.sub(r"\d+\.\d\d|(?<=[:a])[23]\b|^1 platform.*?; ", "", line) for line in lines])
    assert told[0] == told[1]
    assert len(told[0]) == 5


def test_names_in_several_repositories_go_the_long_way(yard: Yard) -> None:
    other = yard.name.replace("team/app:1", "team/other:1")
    yard.put(random_image(yard.folder / "layers", seed=2), f"oci:{yard.folder}/images:1")
    done = yard.run("push", "oci:images:1", "-t", yard.name, "-t", other)
    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert {"team/app:1", "team/other:1"} <= set(yard.registry.manifests)
