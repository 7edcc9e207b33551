"""The mistakes of the guides' compose files (rows M88 to M105 of the checklist, and those of probes), absent from every file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support import foreign
from tests.support.applications import API, DIGEST, JOBS
from wherry.generate import names
from wherry.generate.compose.files import PURPOSES, files
from wherry.generate.dockerfile.files import files as write_dockerfile
from wherry.model.application import Application
from wherry.model.file import Choice

Services = dict[str, dict[str, Any]]
#: What a file of these may publish on all addresses: nothing.
LOOPBACK = "127.0.0.1"
SHELLS_AND_TOOLS = {"CMD-SHELL", "sh", "bash", "/bin/sh", "wget", "curl", "nc"}


def everywhere(wrong: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    return lambda made: any(wrong(one) for one in made["services"].values())


def own(made: dict[str, Any]) -> dict[str, Any]:
    return next(one for name, one in made["services"].items() if name not in ("postgres", "redis"))


def plain_secret(one: dict[str, Any]) -> bool:
    values = one.get("environment", {})
    return any("PASSWORD" in name and not name.endswith("_FILE") for name in values) or any(
        ":" in str(value).partition("://")[2].partition("@")[0] for value in values.values() if "@" in str(value)
    )


def unready(made: dict[str, Any]) -> bool:
    """A server without a check of its health, or somebody who does not wait for it."""
    servers = made["services"].keys() & {"postgres", "redis"}
    waits = own(made).get("depends_on", {})
    return any(
        "healthcheck" not in made["services"][one] or waits.get(one, {}).get("condition") != "service_healthy"
        for one in servers
    )


def weak(made: dict[str, Any]) -> bool:
    """Less than the whole baseline, where the file is for more than a developer."""
    one = own(made)
    strong = (
        one.get("cap_drop") == ["ALL"],
        one.get("read_only") is True,
        bool(one.get("tmpfs")),
        bool(one.get("user")),
        "pids" in one["deploy"]["resources"]["limits"] if "deploy" in one else False,
        "no-new-privileges:true" in one.get("security_opt", ()),
    )
    return not made["name"].endswith("-dev") and not all(strong)


def hides_the_program(one: dict[str, Any]) -> bool:
    """Sources over an image that has no Go, or such that the container may change."""
    binds = [volume for volume in one.get("volumes", ()) if volume["type"] == "bind"]
    compiles = one.get("build", {}).get("target") == names.DEV
    return any(not compiles or volume["target"] != names.SOURCES or not volume.get("read_only") for volume in binds)


def probes(one: dict[str, Any]) -> list[str]:
    test = one.get("healthcheck", {}).get("test", [])
    return test if isinstance(test, list) else ["CMD-SHELL", test]


MISTAKES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "M56": everywhere(lambda one: bool(SHELLS_AND_TOOLS & set(probes(one)))),
    "M57": everywhere(lambda one: probes(one)[:1] not in ([], ["CMD"])),
    "M59": everywhere(lambda one: any("localhost" in word for word in probes(one))),
    "M88": everywhere(lambda one: any("unconfined" in option for option in one.get("security_opt", ()))),
    "M90": everywhere(plain_secret),
    "M91": unready,
    "M92": everywhere(lambda one: any(port.get("host_ip") != LOOPBACK for port in one.get("ports", ()))),
    "M93": everywhere(hides_the_program),
    "M95": everywhere(lambda one: any(not volume.get("source") for volume in one.get("volumes", ()))),
    "M97": everywhere(lambda one: "container_name" in one),
    "M98": lambda made: any("ipam" in one for one in made["networks"].values()),
    "M99": weak,
    "M100": everywhere(lambda one: "cap_add" in one),
    "M101": everywhere(lambda one: "BUILDKIT_INLINE_CACHE" in one.get("build", {}).get("args", {})),
    "M102": lambda made: not made["name"].endswith("-dev") and "GOMEMLIMIT" not in own(made).get("environment", {}),
    "M103": everywhere(lambda one: any("size=" not in row or "noexec" not in row for row in one.get("tmpfs", ()))),
    "M104": everywhere(lambda one: "GIN_MODE" in one.get("environment", {})),
    "M105": lambda made: any("log" in volume for volume in made.get("volumes", {})),
}


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_no_mistake_of_the_guides(application: Application, purpose: str, tmp_path: Path) -> None:
    made = foreign.compose(written(application, purpose), tmp_path)
    assert [row for row, wrong in MISTAKES.items() if wrong(made)] == []


def written(application: Application, purpose: str) -> str:
    published = replace(application, digest=DIGEST)
    (made,) = files((published,), Choice(what="compose", variant=purpose))
    return made.text


GUIDE = """
version: "3.8"
services:
  app:
    build: {context: ., args: {BUILDKIT_INLINE_CACHE: "1"}}
    container_name: myapp
    security_opt: ["seccomp:unconfined"]
    cap_add: [NET_BIND_SERVICE]
    tmpfs: [/tmp]
    ports: ["8080:8080"]
    environment: {GIN_MODE: release, DATABASE_URL: "postgres://user:pass@db:5432/mydb"}
    depends_on: [postgres]
    volumes: [".:/app", "/app/vendor", "app-logs:/app/logs"]
    healthcheck: {test: "wget --spider http://localhost:8080/health || exit 1"}
    deploy: {resources: {limits: {memory: 512M}}}
  probed:
    image: x
    healthcheck: {test: ["CMD", "wget", "--spider", "http://localhost:8080/health"]}
  postgres:
    image: postgres:15-alpine
    environment: {POSTGRES_PASSWORD: myapp}
networks: {app-network: {ipam: {config: [{subnet: 172.20.0.0/16}]}}}
volumes: {app-logs: }
name: guide
"""


def test_each_row_finds_its_mistake(tmp_path: Path) -> None:
    """The guides' own file has them all: a row that found nothing there would prove nothing above."""
    made = foreign.compose(GUIDE, tmp_path)
    assert [row for row, wrong in MISTAKES.items() if not wrong(made)] == []


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_no_key_that_compose_has_given_up(application: Application, purpose: str) -> None:
    """M89, and `links`: the parser would pass over them in silence."""
    keys = re.findall(r"(?m)^ *([a-z_]+):", written(application, purpose))
    assert {"version", "links", "external_links", "volumes_from", "pids_limit"} & set(keys) == set()
    assert "services" in keys


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_the_dockerfile_that_is_built_is_one_that_is_written(
    application: Application, purpose: str, tmp_path: Path
) -> None:
    """M94: the Dockerfile that compose builds is the one that `generate dockerfile` writes, seen from the root."""
    made = own(foreign.compose(written(application, purpose), tmp_path))
    if purpose == "production":
        assert "build" not in made
        return
    variant = names.DEV if purpose == "dev" else "alpine"
    static = replace(application, sources=replace(application.sources, cgo=False, static=True))
    (dockerfile,) = write_dockerfile((static,), Choice(what="dockerfile", variant=variant))
    at_root = posixpath.normpath(posixpath.join(application.home, made["build"]["context"]))
    assert at_root == "."
    assert made["build"]["dockerfile"] == posixpath.normpath(posixpath.join(application.home, dockerfile.path))


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_delve_is_published_in_dev_alone(application: Application, tmp_path: Path) -> None:
    """M96: and without a capability, as it traces its own child."""
    for purpose in PURPOSES:
        made = own(foreign.compose(written(application, purpose), tmp_path))
        assert (names.DEBUGGER in [port["target"] for port in made["ports"]]) == (purpose == "dev")
        assert "cap_add" not in made


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_times_of_health_do_not_drift(application: Application, tmp_path: Path) -> None:
    """M61, M62: where there is something to ask it is asked, as the image would."""
    for purpose in ("secure", "production"):
        made = own(foreign.compose(written(application, purpose), tmp_path)).get("healthcheck", {})
        health = application.runs.health
        assert bool(made) == (health is not None)
        if health:
            assert made["interval"] == f"{health.interval:.0f}s"
            assert made["test"][1:] == list(names.check(application))
