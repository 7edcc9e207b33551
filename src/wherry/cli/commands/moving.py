"""Options that commands over published images share. Touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from wherry.cli.commands.network import network
from wherry.cli.filled import FILLED

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="The result as one JSON document.")
places = click.option(
    "-o",
    "--output",
    "places",
    multiple=True,
    type=FILLED,
    metavar="PLACE",
    help="Where it goes: oci:DIR, docker://REF ...",
)
_PLATFORM = click.option(
    "--platform", "platforms", multiple=True, type=FILLED, metavar="LIST", help="Only these: linux/amd64,linux/arm64."
)
_REFERRERS = click.option("--referrers", is_flag=True, help="Signatures, SBOMs and all that is attached, too.")


def complete_names(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """Names in wherry's store, and how places begin: what a TAB offers."""
    from wherry.flows.caches import names
    from wherry.store.place import SCHEMES
    from wherry.system.machine import real_machine

    beginnings = (f"{scheme}:" + ("//" if scheme == "docker" else "") for scheme in SCHEMES)
    return [word for word in (*names(real_machine()), *beginnings) if word.startswith(incomplete)]


def copying(command: F) -> F:
    """Adds what every copy can be told."""
    return _PLATFORM(_REFERRERS(as_json(network(command))))


def listed(values: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b` and `c` as three."""
    return tuple(part.strip() for value in values for part in value.split(","))


def pairs(values: tuple[str, ...], option: str) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE` each; click's own usage error for anything else."""
    split = tuple(value.partition("=") for value in values)
    for (name, equals, _), value in zip(split, values, strict=True):
        if not name or not equals:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE", param_hint=option)
    return tuple((name, value) for name, _, value in split)
