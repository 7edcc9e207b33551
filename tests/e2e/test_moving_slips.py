"""What somebody new to push, copy and rebase writes first, and is told: each slip one clear error with a way on that works."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.cli import Done, wherry
from tests.support.found import configured
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.registry import FakeRegistry, Fault, fake_registry
from wherry.cli.output import Output
from wherry.cli.progress import Progress
from wherry.kit.ports import Event
from wherry.oci.config import RunConfig
from wherry.store import place as places
from wherry.store.places import at

NAMED = Shape(references=("app:1.2.3",))


class Yard:
    """A layout, a store and a registry with one image, and somebody at the command line."""

    def __init__(self, folder: Path, registry: FakeRegistry) -> None:
        self.folder, self.registry = folder, registry
        self.built = random_image(folder / "layers", seed=1, shape=NAMED)
        for place in (f"oci:{folder}/images:1", f"docker://{registry.host}/team/app:1"):
            at(places.parse(place), ports(folder)).publish(self.built)
        assert self.run("copy", "oci:images:1", "store:app:1.2.3").code == 0

    def run(self, words: str, *more: str, **environment: str) -> Done:
        line = words.replace("{R}", self.registry.host).split()
        return wherry(*line, *more, home=self.folder / "home", cwd=self.folder, **environment)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with fake_registry() as registry:
        yield Yard(tmp_path, registry)


SLIPS = {
    "nothing of that name": ("push nosuch -t {R}/a:1", "no-such-image", "next wherry build -t nosuch -o store:"),
    "a place behind -t": ("push app -t oci:foo:1", "bad-reference", "next wherry copy app oci:foo:1"),
    "a web address": ("pull https://{R}/team/app:1 -o oci:x", "bad-reference", "leave out https://: {R}/team/app:1"),
    "a web address in copy": ("copy https://{R}/team/app:1 oci:x", "bad-reference", "leave out https://"),
    "a scheme": ("copy {R}/team/app:1 dcker://{R}/x:1", "bad-place", "did you mean docker://REGISTRY/NAME:TAG?"),
    "a platform": ("push app -t {R}/a:1 --platform lin", "unknown-platform", "next use for instance linux/amd64"),
    "the image as its base": (
        "rebase {R}/team/app:1 --old-base {R}/team/app:1 --base static",
        "not-on-base",
        "nothing",
    ),
    "no registry": ("push app", "push-without-name", "next wherry push app -t registry.example/team/app:1.0"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_with_a_way_on(name: str, yard: Yard) -> None:
    words, error, step = SLIPS[name]
    done = yard.run(words)
    said = " ".join(done.stderr.split())
    assert (done.code in (1, 2), done.stdout, f"error [{error}]" in said) == (True, "", True), done.stderr
    assert step.replace("{R}", yard.registry.host) in said


def test_a_copy_into_the_store_keeps_the_tag(yard: Yard) -> None:
    assert yard.run("copy {R}/team/app:1 mine").stdout == f"mine:1@{yard.built.digest}\n"
    assert yard.run("copy {R}/team/app:1 mine:other").stdout == f"mine:other@{yard.built.digest}\n"
    by_digest = f"{yard.registry.host}/team/app@{yard.built.digest}"
    assert yard.run("copy", by_digest, "bare").stdout.startswith("bare:sha256-")


def test_docker_hub_is_named_before_anything_is_sent(yard: Yard) -> None:
    done = yard.run("push app -t app:1 --offline")
    assert done.code == 4
    assert " ".join(done.stderr.split()).startswith("app:1 is docker.io/library/app:1, as names without a registry are")


def test_what_only_podman_has_is_found_there(yard: Yard) -> None:
    """A bare build loads into an engine that answers; the same name is then no name of the store."""
    with servers.podman() as variables:
        through = {"PATH": os.environ["PATH"], **variables}
        assert yard.run("copy oci:images:1 containers-storage:localhost/loaded:1", **through).code == 0
        done = yard.run("push loaded:1 -t {R}/loaded:1", **through)
        said = " ".join(done.stderr.split())
        assert "why it is in podman, where a bare build puts it next name it containers-storage:loaded:1" in said
        assert yard.run("push containers-storage:loaded:1 -t {R}/loaded:1", **through).code == 0


def test_a_rebase_says_off_what_and_onto_what(yard: Yard) -> None:
    base = random_image(yard.folder / "layers", seed=3)
    at(places.parse(f"docker://{yard.registry.host}/base:3"), ports(yard.folder)).publish(base)
    plain = configured(yard.built, RunConfig(user="65532"))
    at(places.parse(f"oci:{yard.folder}/images:plain"), ports(yard.folder)).publish(plain)
    words = "rebase oci:images:plain --old-base scratch --base {R}/base:3"
    done = yard.run(words, "-o", "oci:rebased:1")
    lines = [line.split() for line in done.stderr.splitlines()]
    assert ["off", "scratch"] in lines, done.stderr
    (onto,) = [line[1] for line in lines if line[:1] == ["onto"]]
    assert onto.startswith(f"docker://{yard.registry.host}/base:3@sha256:")
    said = json.loads(yard.run(words, "-o", "oci:rebased:2", "--json").stdout)
    assert said["bases"] == ["scratch", onto]


def test_waiting_and_passing_over_are_told_once_each(yard: Yard) -> None:
    """C01: whoever waits is told for whom, also where there is no terminal."""
    yard.registry.faults = [Fault(status=503, times=2)]
    done = yard.run("copy {R}/team/app:1 oci:waited:1")
    told = [line for line in done.stderr.splitlines() if "asks to wait" in line]
    assert (done.code, len(told)) == (0, 1), done.stderr
    assert told[0].startswith(f"{yard.registry.host} asks to wait, in ")
    config = yard.folder / "home/config/wherry/registries.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[registry."{yard.registry.host}"]\nmirrors = ["127.0.0.1:9"]\n')
    done = yard.run("copy {R}/team/app:1 oci:mirrored:1")
    assert " ".join(done.stderr.split()).count("127.0.0.1:9/team/app is passed over: could not reach") == 1


def test_a_note_does_not_hide_what_runs() -> None:
    """On a terminal waiting is on the changing line; a note without a time has a line of its own there, too."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stderr = Terminal()
    with Progress(Output(io.StringIO(), stderr, {"TERM": "xterm", "NO_COLOR": "1"})) as progress:
        progress.event(Event(phase="push", state="note", subject="HOST asks to wait", seconds=3.0))
        progress.event(Event(phase="pull", state="note", subject="MIRROR is passed over"))
        progress.event(Event(phase="pull", state="note", subject="MIRROR is passed over"))
    lines = [line for line in stderr.getvalue().replace("\r", "\n").replace("\x1b[K", "").split("\n") if line]
    assert lines.count("MIRROR is passed over") == 1
    assert "HOST asks to wait, in 3.0 s" not in lines


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Event(phase="analyze", state="begin"), "reading the sources, "),
        (
            Event(phase="pull", state="progress", subject="app:1", done=1_000_000, total=2_000_000),
            "app:1 1.0 MB of 2.0 MB, ",
        ),
    ],
)
def test_what_runs_is_named_without_a_gap(event: Event, said: str) -> None:
    progress = Progress(Output(io.StringIO(), io.StringIO(), {}))
    progress.event(event)
    assert said in progress._line()


def test_inspect_asks_the_registry_whose_host_a_name_has(yard: Yard) -> None:
    """As run, pull, copy and rebase do."""
    assert json.loads(yard.run("inspect {R}/team/app:1 --json").stdout) == json.loads(
        yard.run("inspect docker://{R}/team/app:1 --json").stdout
    )
    absent = yard.run("inspect {R}/team/app:2")
    assert (absent.code, "[registry-not-found]" in absent.stderr) == (4, True), absent.stderr
