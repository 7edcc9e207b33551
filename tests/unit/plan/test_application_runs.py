"""What generated files state of running: where it may write, how many there are."""

from __future__ import annotations

import pytest

from tests.support import planning
from wherry.model.application import Application
from wherry.model.project import Holdings
from wherry.plan.application import Known, decide
from wherry.plan.make import make_plan


def made(toml: str, *facts: tuple[str, str, str]) -> Application:
    """The application of one main that the sources say `facts` about."""
    inputs = planning.inputs(toml, project=planning.project(planning.main(inferred=planning.inferred(*facts))))
    known = Known(plan=make_plan(inputs), project=inputs.project, holdings=Holdings(), tiers=inputs.tiers)
    (one,) = decide(known)
    return one


@pytest.mark.parametrize(
    ("toml", "places"),
    [
        ("", ["/home/nonroot"]),
        ('[image]\nbase = "distroless"\n', ["/home/nonroot"]),
        ('[image]\nuser = "65532:0"\n', ["/home/nonroot"]),
        ('[image]\nwritable = ["/a", "/home/nonroot"]\n', ["/a", "/home/nonroot"]),
        ("[image]\nuser = 1000\n", []),
        ('[image]\nbase = "scratch"\n', []),
        ('[image]\nbase = "registry.example.com/own:1"\nwritable = ["/a"]\n', ["/a"]),
    ],
)
def test_home_is_writable_where_the_base_has_one(toml: str, places: list[str]) -> None:
    assert [one.path for one in made(toml).runs.places] == places


def test_labels_are_those_that_somebody_said_but_for_what_differs_with_each_commit() -> None:
    said = ("description", "title", "version", "created", "source")
    labels = "".join(f'"org.opencontainers.image.{one}" = "{one} of mine"\n' for one in said)
    assert made(f'[image.labels]\nteam = "core"\n{labels}').labels == (
        ("org.opencontainers.image.description", "description of mine"),
        ("org.opencontainers.image.title", "title of mine"),
        ("team", "core"),
    )
    assert made("").labels == ()


PORT = ("port", "8080", "found")


@pytest.mark.parametrize(
    ("toml", "facts", "copies"),
    [
        ("", (PORT,), (2, 10)),
        ("", (), (1, 1)),
        ("[image]\nports = []\n", (PORT,), (1, 1)),
        ("[image]\nports = [8080]\n", (), (2, 10)),
        ("[generate]\nreplicas = 3\n", (), (3, 3)),
        ("[generate]\nmax-replicas = 4\n", (), (1, 4)),
        ("[generate]\nreplicas = 1\n", (PORT,), (1, 10)),
        ("[generate]\nreplicas = 12\n", (PORT,), (12, 12)),
    ],
)
def test_what_takes_no_requests_is_there_once_unless_somebody_says_more(
    toml: str, facts: tuple[tuple[str, str, str], ...], copies: tuple[int, int]
) -> None:
    one = made(toml, *facts)
    assert (one.replicas, one.most_replicas) == copies


def test_a_secret_that_is_said_twice_is_one() -> None:
    assert made('[generate]\nsecrets = ["b", "a", "b"]\n').runs.secrets == ("b", "a")
