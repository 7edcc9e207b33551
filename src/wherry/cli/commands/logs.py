"""`wherry logs`: a container in, what it said out."""

from __future__ import annotations

import click

from wherry.cli import runbook
from wherry.cli.commands.container_names import container_name
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output


@click.command(short_help="What a container said.")
@container_name()
@click.option("-f", "--follow", is_flag=True, help="Go on until it ends.")
@click.option("--since", type=FILLED, metavar="TIME", help="10m, or 2026-01-02T03:04:05Z.")
@click.option("-n", "--tail", type=click.IntRange(0), metavar="N", help="The last so many lines.")
@click.option("-t", "--timestamps", is_flag=True, help="When it was said, before each line.")
def logs(name: str, *, follow: bool, since: str | None, tail: int | None, timestamps: bool) -> None:
    """Prints the output of a detached container, each stream to ours of the same name. Kept are files of bounded size, the oldest
    words are dropped (run --log-size, --log-files).

    \b
    wherry logs api
    wherry logs api --follow --tail 20
    """
    from wherry.flows import logs as flows
    from wherry.flows.runbook import named
    from wherry.system.machine import real_machine

    machine = real_machine()
    kept = named(name, machine)
    choice = flows.Choice(since=since or "", tail=tail, follow=follow)
    runbook.show_log(flows.lines(kept, choice, machine.now()), standard_output(), timestamps=timestamps)
