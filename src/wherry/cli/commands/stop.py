"""`wherry stop`: names in, each stopped and its exit code explained."""

from __future__ import annotations

import click

from wherry.cli import runbook
from wherry.cli.commands.container_names import container_name
from wherry.cli.output import standard_output


@click.command(short_help="Stop containers.")
@container_name(several=True)
@click.option("--signal", "by", default="", metavar="SIGNAL", help="In place of the container's stop signal.")
@click.option("-t", "--time", "grace", type=click.FloatRange(0, 3600), metavar="SECONDS", help="Then SIGKILL.")
def stop(names: tuple[str, ...], by: str, grace: float | None) -> None:
    """Sends the stop signal, waits, kills what is still there, and says what the exit code means.

    \b
    wherry stop api
    wherry stop api --time 30
    """
    from wherry.flows import runbook as flows
    from wherry.system.machine import real_machine

    machine, output = real_machine(), standard_output()
    for kept in {one.record.id: one for one in (flows.named(name, machine) for name in names)}.values():
        stopped = flows.stop(kept, machine, by=by, grace=grace)
        runbook.show_stopped(stopped, output)
