"""What is measured: the scenarios in a table, and how one becomes contenders. A Workshop in, races out; starts
nothing."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import starting, tools, transport
from bench.apps import APPS, MANY, App
from bench.race import Contender, Race
from bench.sample import Call
from bench.tools import Job, Tool
from bench.workshop import Workshop, edit, wherry_program

IMAGE_TOOLS = (("wherry",), ("ko",), ("ko-cache",), ("docker",), ("buildah",))
PACK_SIZE = 1 << 30
VERSION_ROUNDS = 15
RUN_ROUNDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row. Tools in one group run right after one another; groups take turns at being first."""

    name: str
    title: str
    kind: Literal["one", "many", "cold", "version", "pack", "transport", "run", "run-edit"]
    place: Literal["layout", "registry"] = "layout"
    edited: bool = True
    groups: tuple[tuple[str, ...], ...] = ()


SCENARIOS = (
    Scenario(
        name="edit-layout",
        title="One line edited → local OCI layout",
        kind="one",
        groups=(("go", "pack"), *IMAGE_TOOLS),
    ),
    Scenario(
        name="edit-push",
        title="One line edited → pushed to a local registry",
        kind="one",
        place="registry",
        groups=(("go", "send"), *IMAGE_TOOLS),
    ),
    Scenario(
        name="same-layout",
        title="Nothing changed → local OCI layout",
        kind="one",
        edited=False,
        groups=(("go",), *IMAGE_TOOLS),
    ),
    Scenario(
        name="same-push",
        title="Nothing changed → known and checked at the registry",
        kind="one",
        place="registry",
        edited=False,
        groups=(("go",), *IMAGE_TOOLS),
    ),
    Scenario(
        name="many-edit",
        title="3 mains x 2 platforms, a line edited in each main → local OCI layout",
        kind="many",
        groups=(("go",), ("wherry",), ("ko",), ("ko-cache",)),
    ),
    Scenario(
        name="many-same",
        title="3 mains x 2 platforms, nothing changed → local OCI layout",
        kind="many",
        edited=False,
        groups=(("go",), ("wherry",), ("ko",), ("ko-cache",)),
    ),
    Scenario(
        name="cold",
        title="Cold: empty Go cache → local OCI layout",
        kind="cold",
        groups=(("go",), ("wherry",), ("ko",)),
    ),
    Scenario(name="version", title="Saying the version", kind="version"),
    Scenario(name="pack", title="Packing one large file", kind="pack", groups=(("pack",), ("gzip",), ("sha256",))),
    Scenario(name="run", title="From the command to the first 200, hardened, each in a network of its own", kind="run"),
    Scenario(name="run-edit", title="One line edited → the first 200", kind="run-edit"),
    Scenario(name="push-fresh", title="Pushing an image that the registry does not have", kind="transport"),
    Scenario(name="push-same", title="Pushing an image that is there", kind="transport"),
    Scenario(name="copy-index", title="Copying an index to another repository of the registry", kind="transport"),
    Scenario(name="pull", title="Pulling an image into a layout", kind="transport"),
)


def here(shop: Workshop, tool: Tool) -> bool:
    """True when the tool needs no engine, or its engine is there."""
    engines = {"": "", "docker": shop.docker.absent, "buildah": shop.buildah.absent}
    return not engines[tool.engine]


def app_race(shop: Workshop, scenario: Scenario, app: App, rounds: int) -> Race:
    """The scenario with one app, by the tools that are here."""
    found = tuple(tuple(tools.find(name) for name in names) for names in scenario.groups)
    groups = tuple(
        tuple(contender(Job(shop=shop, app=app, tool=one.name, place=scenario.place), one, scenario) for one in group)
        for group in found
        if all(here(shop, one) for one in group)
    )
    return Race(scenario=scenario.name, app=app.name, groups=groups, rounds=rounds)


def contender(job: Job, tool: Tool, scenario: Scenario) -> Contender:
    def ready(number: int) -> None:
        if scenario.edited and tool.edits:
            edit(job.shop, job.app, tool.name, f"{scenario.name}-{number}")

    return Contender(tool=tool.name, calls=lambda: tool.calls(job), ready=ready, look=lambda: tool.look(job))


def cold_race(shop: Workshop, scenario: Scenario, app: App, rounds: int) -> Race:
    """Every run begins with an empty Go cache and an empty home; the modules are there."""
    root = shop.root / "cold"
    empty = {"GOCACHE": str(root / "cache"), "HOME": str(root / "home")}
    cold = dataclasses.replace(shop, root=root, environment=shop.environment | empty)
    race = app_race(cold, scenario, app, rounds)

    for group in race.groups:
        for one in group:
            one.ready = functools.partial(chill, cold, app, one.tool)
    return dataclasses.replace(race, warm=False)


def chill(cold: Workshop, app: App, tool: str, _round: int) -> None:
    """Empties what the cold scenario must find empty."""
    for folder in (cold.root / "cache", cold.root / "home", cold.out(app, tool)):
        shutil.rmtree(folder, ignore_errors=True)
    (cold.root / "home").mkdir(parents=True)


def version_race(shop: Workshop) -> Race:
    """How long the programs take to start."""
    environment = tuple(shop.environment.items())

    def says(tool: str, *argv: str) -> tuple[Contender]:
        call = Call(argv=argv, directory=str(shop.root), environment=environment)
        return (Contender(tool=tool, calls=lambda: (call,)),)

    groups = (
        says("python", str(Path(wherry_program()).with_name("python")), "-c", "pass"),
        says("wherry", wherry_program(), "--version"),
        says("ko", shop.ko, "version"),
        says("go", shop.go, "version"),
    )
    return Race(scenario="version", app="", groups=groups, rounds=VERSION_ROUNDS)


def pack_race(shop: Workshop, rounds: int, size: int) -> Race:
    """A large file: the ko program over and over, which is as compressible as any Go binary."""
    file = shop.root / "large"
    content = Path(shop.ko).read_bytes()
    with file.open("wb") as output:
        while (left := size - output.tell()) > 0:
            output.write(content[:left])

    def work(tool: str, *arguments: str) -> tuple[Contender]:
        return (
            Contender(tool=tool, calls=lambda: (tools.alone(shop, tool, str(file), *arguments),), look=lambda: size),
        )

    groups = (work("pack", str(shop.root / "packed")), work("gzip"), work("sha256"))
    return Race(scenario="pack", app="", groups=groups, rounds=rounds, warm=False)


def races(shop: Workshop, scenario: Scenario, apps: tuple[App, ...], rounds: int) -> Iterator[Race]:
    """One for each app that the scenario is about, or the only one."""
    match scenario.kind:
        case "one":
            yield from (app_race(shop, scenario, app, rounds) for app in apps)
        case "many":
            yield app_race(shop, scenario, MANY, rounds)
        case "cold":
            yield cold_race(shop, scenario, APPS[0], min(rounds, 3))
        case "version":
            yield version_race(shop)
        case "pack":
            yield pack_race(shop, rounds, PACK_SIZE)
        case "run":
            yield starting.race(shop, APPS[0], max(rounds, RUN_ROUNDS))
        case "run-edit":
            yield starting.edit_race(shop, APPS[0], rounds)
        case "transport":
            yield from transport.races(shop, scenario.name, rounds)
