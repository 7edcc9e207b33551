"""`wherry completion SHELL`: the script that a shell sources."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from wherry.cli.output import standard_output


@click.command(short_help="A completion script for your shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Prints a script that completes wherry's commands, options and values.

    \b
    wherry completion bash > ~/.local/share/bash-completion/completions/wherry
    wherry completion fish > ~/.config/fish/completions/wherry.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    standard_output().document(kind(ctx.find_root().command, {}, "wherry", "_WHERRY_COMPLETE").source())
