"""`wherry rm`: names in, nothing left of them out."""

from __future__ import annotations

import click

from wherry.cli.commands.container_names import container_name
from wherry.cli.output import standard_output


@click.command(short_help="Take containers away.")
@container_name(several=True)
@click.option("-f", "--force", is_flag=True, help="Kill it first if it runs.")
def rm(names: tuple[str, ...], *, force: bool) -> None:
    """Removes containers with their logs. Images, volumes and files of this machine stay.

    \b
    wherry rm api
    wherry rm --force api worker
    """
    from wherry.flows import runbook
    from wherry.system.machine import real_machine

    machine, output = real_machine(), standard_output()
    for kept in {one.record.id: one for one in (runbook.named(name, machine) for name in names)}.values():
        runbook.remove(kept, machine, force=force)
        output.result(kept.record.container.name)
