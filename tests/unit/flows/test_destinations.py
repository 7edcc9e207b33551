"""Where images go: one place, several images. Plans without a machine behind them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from tests.support import planning
from tests.support.analysis import MAIN, git, repository
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.errors import UsageError
from wherry.flows.destinations import Destinations, choose, publish, told
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Event
from wherry.model.plan import Plan
from wherry.store import place as places
from wherry.store.entries import FULL_NAME, REF_NAME
from wherry.store.places import at

API, WORKER = planning.main("api"), planning.main("worker")


def plan_of(*references: str) -> Plan:
    return planning.plan(project=planning.project(API, WORKER), packages=("./...",), references=references)


def chosen(folder: Path, *places: str, references: tuple[str, ...] = ()) -> tuple[Destinations, Plan]:
    plan = plan_of(*references)
    return choose(BuildRequest(places=places), plan, ports(folder)), plan


@pytest.mark.parametrize(
    ("references", "names"),
    [
        ((), {"api-1.4.0": "docker.io/library/api:1.4.0", "worker-1.4.0": "docker.io/library/worker:1.4.0"}),
        (("reg.example/{name}:7",), {"api-7": "reg.example/api:7", "worker-7": "reg.example/worker:7"}),
        (("reg.example/{name}",), {"api-latest": "reg.example/api:latest", "worker-latest": "reg.example/worker:latest"}),
    ],
)  # fmt: skip
def test_several_images_in_one_layout_keep_apart(
    references: tuple[str, ...], names: dict[str, str], tmp_path: Path
) -> None:
    destinations, plan = chosen(tmp_path, f"oci:{tmp_path}/out", references=references)
    for image in plan.images:
        shape = Shape(name=image.name, version=image.version, references=image.references)
        publish(random_image(tmp_path / image.name, shape=shape), image, destinations, ports(tmp_path))
    assert known(tmp_path / "out") == names


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (("a:1", "a:2"), {"1": "docker.io/library/a:1", "2": "docker.io/library/a:2"}),
        (("a:1", "reg.example/b"), {"1": "docker.io/library/a:1", "latest": "reg.example/b:latest"}),
        (("a:1", "reg.example:5000/b:1"), {"a-1": "docker.io/library/a:1", "reg.example-5000-b-1": "reg.example:5000/b:1"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["oci:{}/out", "oci-archive:{}/out.tar"])
def test_every_name_asked_for_is_in_a_layout(
    place: str, wanted: tuple[str, ...], names: dict[str, str], tmp_path: Path
) -> None:
    built = random_image(tmp_path / "layers", shape=Shape(references=wanted))
    published = at(places.parse(place.format(tmp_path)), ports(tmp_path)).publish(built)
    if place.startswith("oci-archive:"):
        shutil.unpack_archive(tmp_path / "out.tar", tmp_path / "out", "tar")
    assert known(tmp_path / "out") == names
    assert published.names == tuple(names)
    assert published.reference == f"a:1@{built.digest}"
    for name in names:
        assert (
            at(places.parse(f"{place.format(tmp_path)}:{name}"), ports(tmp_path)).open().descriptor.digest
            == built.digest
        )


def known(layout: Path) -> dict[str, str]:
    """Name in the layout → the image's full name."""
    entries = json.loads((layout / "index.json").read_bytes())["manifests"]
    return {one["annotations"][REF_NAME]: one["annotations"][FULL_NAME] for one in entries}


@pytest.mark.parametrize(
    "place",
    [
        "oci:out:1.0",
        "oci-archive:a.tar",
        "docker-archive:a.tar",
        "docker://reg.example/a:1",
        "store:a",
        "docker-daemon:a:1",
    ],
)
def test_a_place_for_one_image_is_refused_to_several(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can hold one image, and 2 are to be built") as caught:
        chosen(tmp_path, place)
    assert caught.value.name == "one-image-place"


def test_engines_and_the_store_take_several(tmp_path: Path) -> None:
    destinations, plan = chosen(tmp_path, "docker-daemon:", "store:")
    assert [str(place) for place in destinations.of(plan.images[0])] == ["docker-daemon:", "store:"]


def test_one_name_for_two_images_is_refused() -> None:
    error = planning.refused(
        project=planning.project(API, WORKER), packages=("./...",), references=("reg.example/app:1",)
    )
    assert (error.name, error.where) == ("same-name", ("api", "worker"))
    assert error.next == ("wherry build -t reg.example/{name}:{version}",)


@pytest.mark.parametrize(
    ("place", "ignore", "named"),
    [
        ("oci:{}/out", "", "out"),
        ("oci-archive:{}/dist/a.tar", "", "dist/a.tar"),
        ("oci:{}/out:1.0", "/out/\n", ""),
        ("docker-archive:{}/a.tar", "*.tar\n", ""),
        ("oci:{}/../out", "", ""),
        ("store:", "", ""),
    ],
)
def test_output_into_the_worktree_is_told(place: str, ignore: str, named: str, tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", {".gitignore": ignore, "main.go": MAIN})
    plan = msgspec.structs.replace(planning.plan(), root=str(root))
    chosen = choose(BuildRequest(places=(place.format(root),)), plan, ports(tmp_path))
    assert [one.message.partition(" ")[0] for one in chosen.findings] == ([named] if named else [])
    if named:
        finding = chosen.findings[0]
        assert (finding.name, finding.next[: len(named) + 5]) == ("output-in-worktree", f"add /{named}")
        built = random_image(tmp_path / "layers")
        assert finding in told(plan, chosen).findings
        (root / "dist").mkdir()
        assert publish(built, plan.images[0], chosen, ports(tmp_path))[0].findings == (finding,)
        assert git(root, "status", "--short").startswith(f"?? {named.partition('/')[0]}/")


def test_who_has_it_is_told_when_one_of_several_places_fails(tmp_path: Path) -> None:
    """The second of three is no layout and may not be made one."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/note").touch()
    wanted = tuple(places.parse(f"oci:{tmp_path}/{name}:1") for name in ("one", "full", "two"))
    heard: list[Event] = []
    machine = msgspec.structs.replace(ports(tmp_path), events=heard.append)
    with pytest.raises(UsageError):
        publish(random_image(tmp_path / "layers"), planning.plan().images[0], Destinations(shared=wanted), machine)
    notes = [event.subject for event in heard if event.state == "note"]
    assert notes == [f"{wanted[0]} has it by now", f"{wanted[2]} was not begun"]
