"""Options of every command that may talk to a registry. Words in, variables of this process out, which `real_machine` reads: so
all commands take them alike, and none has to hand them on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wherry.cli.filled import FILLED

F = TypeVar("F", bound=Callable[..., Any])


def _authfile(_context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        os.environ["WHERRY_AUTHFILE"] = str(Path(value).absolute())


def _offline(_context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        os.environ["WHERRY_OFFLINE"] = "1"


authfile = click.option(
    "--authfile",
    type=FILLED,
    metavar="FILE",
    expose_value=False,
    callback=_authfile,
    help="Credentials from this file alone.",
)
_OFFLINE = click.option(
    "--offline", is_flag=True, expose_value=False, callback=_offline, help="Ask no registry; what is kept will do."
)


def network(command: F) -> F:
    """Adds --authfile and --offline."""
    return authfile(_OFFLINE(command))
