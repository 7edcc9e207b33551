"""I05: no file for Docker, Compose, Bake or CI gives what it starts more than it needs, nor reaches for the machine. One table
for all of them; Kubernetes has its own (test_mistakes_kubernetes.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import yaml
from msgspec.structs import replace

from tests.support.applications import API, DIGEST, JOBS
from wherry.generate.header import writer
from wherry.model.application import Application
from wherry.model.file import Choice, File

Applications = tuple[Application, ...]
CASES: Final = {"api": (API,), "jobs": (JOBS,), "both": (API, JOBS)}
WHATS: Final = ("dockerfile", "compose", "bake", "ci", "makefile", "build-script", "container-test")
#: Words that would reach beyond the container, in whatever format.
BANNED: Final = (
    *(
        "docker.sock",
        "--privileged",
        "privileged: true",
        "network_mode",
        "--network=host",
        "--network host",
        "pid: host",
    ),
    *(
        "ipc: host",
        "userns_mode",
        "cap_add",
        "--cap-add",
        "seccomp=unconfined",
        "seccomp:unconfined",
        "apparmor:unconfined",
    ),
    *("security.insecure", "network.host", "insecure-entitlement", "pull_request_target", "workflow_run", "write-all"),
    *("curl | ", "| sh\n", "| bash", "chmod 777", "chmod -R 777", ":latest", "0.0.0.0", "--no-verify", "sudo "),
)


ORDINARY: Final = "sudo sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0"
"""On a machine that GitHub throws away: so that containers there need no root."""
REFUSED: Final = {("dev", "public"), ("gitlab", "docker"), ("scratch", "jobs"), ("scratch", "both")}


def every() -> Iterator[tuple[str, str, str, File]]:
    """Each file of each variant, with and without its switches."""
    for what in WHATS:
        row = writer(what)
        for variant in row.variants or ("",):
            for extras in ((), *((name,) for name, _ in row.extras)):
                for name, applications in CASES.items():
                    if REFUSED & {(variant, *extras), (variant, name)}:
                        continue
                    choice = Choice(what=what, variant=variant, extras=extras)
                    for file in row.write(tuple(replace(one, digest=DIGEST) for one in applications), choice):
                        yield what, f"{variant}{'+'.join(('', *extras))}", name, file


FILES: Final = tuple(every())
COMPOSE: Final = tuple(row for row in FILES if row[0] == "compose")
WORKFLOWS: Final = tuple(row for row in FILES if row[0] == "ci")


def named(row: tuple[str, str, str, File]) -> str:
    return "-".join((*row[:3], row[3].path.rpartition("/")[2]))


@pytest.mark.parametrize("row", FILES, ids=named)
def test_no_word_reaches_for_the_machine(row: tuple[str, str, str, File]) -> None:
    """Comments may name what is not done."""
    what, _, _, file = row
    mark = "//" if file.comment == "//" else "#"
    code = "\n".join(line for line in file.text.splitlines() if not line.strip().startswith(mark))
    code = code.replace(ORDINARY, "")
    allowed = {"0.0.0.0", ":latest"} if what == "container-test" else set()
    assert [word for word in BANNED if word in code and word not in allowed] == []


def mounts_of_the_machine(service: dict[str, Any], dev: bool) -> bool:
    """But the sources, to be read, where one develops."""
    binds = [one for one in service.get("volumes", ()) if one["type"] == "bind"]
    return any(not dev or one["target"] != "/src" or one["read_only"] is not True for one in binds)


def root_or_capable(service: dict[str, Any], dev: bool) -> bool:
    limited = service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    compiles = dev and "develop" in service  # it runs as the user of its image, and writes what it compiles
    return not limited or (not compiles and (service["user"].startswith("0") or service["read_only"] is not True))


def boundless(service: dict[str, Any], dev: bool) -> bool:
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    return not (dev and "develop" in service) and not {"memory", "pids", "cpus"} <= limits.keys()


def moving(service: dict[str, Any], _: bool) -> bool:
    """An image of a registry without a digest."""
    return "build" not in service and "@sha256:" not in service["image"]


def shell_unasked(service: dict[str, Any], _: bool) -> bool:
    """An environment that holds a password."""
    values = service.get("environment", {})
    return any(re.search("PASSWORD|SECRET|TOKEN", name) and not name.endswith("_FILE") for name in values)


WRONG: Final[dict[str, Callable[[dict[str, Any], bool], bool]]] = {
    "mounts": mounts_of_the_machine,
    "rights": root_or_capable,
    "limits": boundless,
    "image": moving,
    "secrets": shell_unasked,
}


@pytest.mark.parametrize("rule", WRONG)
@pytest.mark.parametrize("row", COMPOSE, ids=named)
def test_every_service_gives_up_what_it_can(row: tuple[str, str, str, File], rule: str) -> None:
    document = yaml.safe_load(row[3].text)
    dev = row[1].startswith("dev")
    assert [name for name, one in document["services"].items() if WRONG[rule](one, dev)] == []
    assert "driver_opts" not in row[3].text, "no network or volume is the machine's"


@pytest.mark.parametrize("rule", WRONG)
def test_these_rules_see_a_service_that_takes_all(rule: str) -> None:
    wrong = {
        "image": "app:latest",
        "volumes": [{"type": "bind", "source": "/", "target": "/host"}],
        "environment": {"DB_PASSWORD": "x"},
        "cap_drop": [],
        "security_opt": [],
        "user": "0:0",
    }
    assert WRONG[rule](wrong, False)


@pytest.mark.parametrize("row", WORKFLOWS, ids=named)
def test_jobs_read_what_they_are_given_and_write_where_they_publish(row: tuple[str, str, str, File]) -> None:
    if not row[1].startswith("github"):
        return
    document = yaml.safe_load(row[3].text)
    assert document["permissions"] == {"contents": "read"}
    writing = {name for name, job in document["jobs"].items() if "write" in job.get("permissions", {}).values()}
    assert all("publish" in name for name in writing)
    uses = [step["uses"] for job in document["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", one) for one in uses)


@pytest.mark.parametrize("row", [row for row in FILES if row[0] == "dockerfile"], ids=named)
def test_what_runs_is_no_root_and_what_it_stands_on_does_not_move(row: tuple[str, str, str, File]) -> None:
    lines = row[3].text.splitlines()
    users = [line.removeprefix("USER ") for line in lines if line.startswith("USER ")]
    assert users
    assert re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", users[-1])
    images = [line for line in lines if re.match(r"ARG \w+_IMAGE=|FROM (?!.*\$\{)", line)]
    stages = {line.rpartition(" AS ")[2] for line in lines if line.startswith("FROM ")}
    moving = [one for one in images if "@sha256:" not in one and one.split()[1] not in (*stages, "scratch")]
    assert moving == []


def test_bake_gives_no_build_a_right() -> None:
    made = [row[3].text for row in FILES if row[0] == "bake"]
    assert len(made) == len(CASES)
    assert not any("entitlements" in text or "ssh" in text for text in made)
