"""Options of `wherry prove`, and the settings that they are. Words in, a BuildRequest out; touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

from wherry.cli.commands.options import listed
from wherry.cli.filled import FILLED
from wherry.flows.request import BuildRequest
from wherry.model.settings import ProveSettings, Settings

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--only", multiple=True, type=FILLED, metavar="CHECK", help="This check; several times for several."),
    click.option("--skip", multiple=True, type=FILLED, metavar="CHECK", help="Not this check."),
    click.option("--slow-route", default=None, metavar="PATH", help="A GET that takes a second or two."),
    click.option("--ready-route", default=None, metavar="PATH", help="The readiness route."),
    click.option("--test", "tests", multiple=True, type=FILLED, metavar="FILE", help="A container-structure-test."),
    click.option("--strict", is_flag=True, help="No UNKNOWN is accepted that is not waived."),
    click.option("--all", "everything", is_flag=True, help="Every pass, and what does not apply."),
    click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output."),
    click.option("--junit", default="", metavar="FILE", help="JUnit's XML into FILE."),
    click.option("--sarif", default="", metavar="FILE", help="SARIF 2.1.0 into FILE."),
    click.option("--platform", default="", metavar="PLATFORM", help="Of an image for several."),
    click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder."),
)
#: Key of [prove] → how it is said by an option.
_SPELLED = {
    "only": "--only",
    "skip": "--skip",
    "slow_route": "--slow-route",
    "ready_route": "--ready-route",
    "tests": "--test",
}


def prove_options(command: F) -> F:
    """Adds everything that says what is looked at, and how it is told."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def proving(words: dict[str, Any]) -> BuildRequest:
    """Takes what belongs to the proof out of `words`: it is [prove] of the highest tier."""
    said: dict[str, Any] = {key: words.pop(key) or None for key in _SPELLED}
    said |= {key: listed(said[key]) for key in ("only", "skip") if said[key]}
    spelled = [(("prove", key.replace("_", "-")), f"{option} {_shown(said[key])}") for key, option in _SPELLED.items()]
    strict: Literal["fail"] | None = "fail" if words.pop("strict") else None
    return BuildRequest(
        directory=words.pop("directory"),
        assignments=words.pop("assignments"),
        settings=Settings(prove=ProveSettings(**said, unknown=strict)),
        spelled=(*spelled, (("prove", "unknown"), "--strict")),
    )


def _shown(value: str | tuple[str, ...] | None) -> str:
    return value if isinstance(value, str) else " ".join(value or ())
