"""What makes two requests the same."""

from __future__ import annotations

import sys

import pytest

import wherry
from wherry.cache.noop.request import Request, matters
from wherry.kit.gonames import SETTINGS
from wherry.system.environment import CHILD, PRIVATE, environment

BASE = {"HOME": "/h", "PATH": "/p"}
#: Only opens doors to modules; the modules are the same behind each.
DOORS = {"SSH_AUTH_SOCK"}


def request(*, arguments: tuple[str, ...] = ("build",), directory: str = "/d", **variables: str) -> Request:
    return Request(arguments, directory, {**BASE, **variables})


@pytest.mark.parametrize(
    "other",
    [
        request(arguments=("build", "-t", "x")),
        request(arguments=("build -t", "x")),
        request(directory="/e"),
        request(GOFLAGS="-race"),
        request(PATH="/q"),
        request(WHERRY_IMAGE_USER="1"),
        request(PWD="/logical"),
        request(GOFLAGS=""),
    ],
)
def test_what_can_make_another_image_makes_another_key(other: Request) -> None:
    assert other.key() != request().key()


def test_what_cannot_makes_none() -> None:
    same = request(LANG="de_DE", TERM="dumb", EDITOR="vi", SSH_AUTH_SOCK="/tmp/1", COLUMNS="80", NO_COLOR="1")
    assert same.key() == request().key()
    assert len(request().key()) == 64


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [(wherry, "__version__", "9"), (wherry, "__file__", "/x/__init__.py"), (sys, "version", "3.99"), (sys, "path", [])],
)
def test_another_program_has_other_keys(
    owner: object, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = request().key()
    monkeypatch.setattr(owner, name, value)
    assert request().key() != before


def test_every_variable_that_wherry_reads_matters() -> None:
    """`system.environment` says which; a new one there must be thought of here."""
    honoured = SETTINGS | CHILD | PRIVATE | {"HOME", "PATH", "SOURCE_DATE_EPOCH", "DOCKER_HOST", "DOCKER_CONFIG"}
    honoured |= {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "WHERRY_ANY", "GIT_CONFIG_KEY_0"}
    assert {name for name in honoured if not matters(name)} == DOORS


def test_every_field_of_the_environment_is_covered() -> None:
    """A field added to `kit.ports.Environment` changes this count: then see whether the key knows its variable."""
    shown_only = {"no_color", "ci"}
    known = {
        "home",
        "path",
        "cache_home",
        "config_home",
        "data_home",
        "source_date_epoch",
        "docker_host",
        "docker_config",
        "offline",
    }
    assert set(environment({}).__struct_fields__) == known | shown_only | {"wherry", "go", "child", "private"}
