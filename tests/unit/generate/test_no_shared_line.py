"""Two applications that share nothing: no file of the one says anything of the other, whatever kind and variant. So no writer
has a port, name, path, user or version of its own."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from tests.support.choices import CHOICES, said
from tests.support.manifests import running
from wherry.generate.table import Writer
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.plan import Health

ENTERED = replace(API, gateway="edge/public")
"""API with what leads to it from outside."""
STATIC = replace(
    running(JOBS, liveness="/alive", readiness="/wants"),
    sources=replace(JOBS.sources, cgo=False, static=True),
    host="queue.example.org",
    gateway="backstage/queues",
)
"""The same of JOBS, and without C, which `scratch` cannot have."""
OWN = {
    "api": ("8080", "/healthz", "/readyz", "shop", "1.4.0", "database-password", "1.26.8", "65532", "edge"),
    "jobs": (
        "9099",
        "jobctl",
        "services/jobs",
        "1001",
        "1.25.11",
        "/srv",
        "git.example.com",
        "/data",
        "/alive",
        "/wants",
        "--verbose",
        "queue.example.org",
        "backstage",
    ),
}
SILENT = ("dockerignore",)
BASE64 = re.compile(r"^ +[A-Za-z0-9+/=]{40,}.*$", re.MULTILINE)
"""A probe is no text."""


def text(application: Application, row: Writer, choice: Choice) -> str:
    made = row.write((application,), choice)
    return "\n".join(BASE64.sub("", one.text) for one in made)


@pytest.mark.parametrize(("row", "choice"), CHOICES, ids=said)
def test_no_file_says_anything_of_another_application(row: Writer, choice: Choice) -> None:
    for ours, theirs, application in (("api", "jobs", ENTERED), ("jobs", "api", STATIC)):
        made = text(application, row, choice)
        assert [word for word in OWN[theirs] if word in made] == [], f"in {ours}'s"


@pytest.mark.parametrize(("row", "choice"), CHOICES, ids=said)
def test_every_file_says_something_of_its_own(row: Writer, choice: Choice) -> None:
    """Or the test above could not fail."""
    for name, application in (("api", ENTERED), ("jobs", STATIC)):
        made = text(application, row, choice)
        assert [word for word in OWN[name] if word in made] or row.what in SILENT, name


@pytest.mark.parametrize(("row", "choice"), CHOICES, ids=said)
def test_another_port_is_another_number_and_nothing_else(row: Writer, choice: Choice) -> None:
    moved = running(ENTERED, ports=("9191/tcp",), health=Health(port=9191, path="/healthz"))
    assert text(moved, row, choice) == text(ENTERED, row, choice).replace("8080", "9191")
