"""The type of options and arguments whose text says something. A word in, the same out; touches nothing."""

from __future__ import annotations

from typing import Any

import click


class Filled(click.types.StringParamType):
    """Refuses an empty text: most often it is a variable that the shell did not have."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value.strip() else self.fail("it is empty", param, ctx)


class Name(Filled):
    """Refuses what can be no variable's name; most often somebody wrote its value, too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        bare = str(value).replace("_", "a")
        return value if bare.isalnum() else self.fail(f"{value!r} is no variable's name", param, ctx)


FILLED, NAME = Filled(), Name()
