"""`wherry exec`: a running container and words in, their output and exit code out."""

from __future__ import annotations

import sys

import click

from wherry.cli import containers
from wherry.cli.commands.container_names import container_name


@click.command(
    "exec", short_help="Run something inside a container.", context_settings={"allow_interspersed_args": False}
)
@container_name()
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@click.option("-i", "--interactive", is_flag=True, help="Hand our input to it.")
@click.option("-t", "--tty", is_flag=True, help="In a terminal of its own.")
def exec_(name: str, words: tuple[str, ...], *, interactive: bool, tty: bool) -> int:
    """Runs COMMAND in CONTAINER, as its user, with its rights and limits. It must be in the image: an image without a shell has
    none to run, and `wherry debug` brings tools along.

    \b
    wherry exec api /app/api --version
    wherry exec -it api sh
    """
    from wherry.flows.execute import Wanted, execute
    from wherry.flows.runbook import running
    from wherry.system.machine import real_machine

    machine = real_machine()
    wanted = Wanted(words=words, stdin=interactive, terminal=tty)
    return execute(running(name, machine), wanted, machine, containers.written(sys.stdout, sys.stderr))


globals()["exec"] = exec_
