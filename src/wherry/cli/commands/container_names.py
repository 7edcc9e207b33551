"""The argument that names a container, completed by the shell. Names of this machine's containers out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def container_name(*, several: bool = False, required: bool = True) -> Callable[[F], F]:
    """`CONTAINER` as the parameter `name`, or `CONTAINER...` as `names`."""
    if several:
        metavar = "CONTAINER..." if required else "[CONTAINER...]"
        return click.argument("names", nargs=-1, required=required, metavar=metavar, shell_complete=_complete)
    return click.argument("name", metavar="CONTAINER", shell_complete=_complete)


def _complete(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from wherry.flows.runbook import names
    from wherry.system.machine import real_machine

    return [name for name in names(real_machine()) if name.startswith(begun)]
