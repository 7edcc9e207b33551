"""The argument that names a container, completed by the shell, and options after it. Names of this machine's containers out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class OptionsAround(click.Command):
    """Options may stand before CONTAINER and after it; from the next word on all is the container's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the options before the name, where click looks for them; nothing is moved over a `--`."""
        before, named = self._apart(ctx, args)
        if named and before[-1:] != ["--"]:
            after, words = self._apart(ctx, named[1:])
            args = [*before, *after, named[0], *words]
        return super().parse_args(ctx, args)

    def _apart(self, ctx: click.Context, words: list[str]) -> tuple[list[str], list[str]]:
        """Options with their values, and all from the first other word on."""
        options: list[click.Parameter] = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        _, rest, _ = click.Command(self.name, params=options).make_parser(ctx).parse_args(list(words))
        return words[: len(words) - len(rest)], rest


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
