"""`wherry registry ...`: a registry's credentials and contents, by hand. The commands lie in files of their own."""

from __future__ import annotations

import click

from wherry.cli.commands.contents import blob, delete, manifest, tags
from wherry.cli.commands.login import login, logout

#: Commands of the group, in the order of `--help`.
COMMANDS: tuple[click.Command, ...] = (login, logout, tags, manifest, blob, delete)


@click.group(short_help="Log in to registries; see and delete what they hold.")
def registry() -> None:
    """Logs in to registries and out of them, and shows and deletes what they hold.

    \b
    wherry registry login registry.example
    wherry registry logout registry.example
    """


for _command in COMMANDS:
    registry.add_command(_command)
