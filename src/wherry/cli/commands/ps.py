"""`wherry ps`: this machine's containers in rows out."""

from __future__ import annotations

import click

from wherry.cli import runbook
from wherry.cli.output import standard_output


@click.command(short_help="Containers that run.")
@click.option("-a", "--all", "everything", is_flag=True, help="Those that have ended, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def ps(*, everything: bool, as_json: bool) -> None:
    """Lists wherry's own containers. One whose monitor has died gets another one, and is told of.

    \b
    wherry ps
    wherry ps --all --json
    """
    from wherry.flows.runbook import shelf
    from wherry.system.machine import real_machine

    machine = real_machine()
    found = shelf(machine)
    output = standard_output()
    rows = tuple(kept for kept in found.all if everything or kept.state != "ended")
    if as_json:
        output.document(runbook.listing_document(rows))
    else:
        runbook.show_listing(rows, machine.now(), output, everything=everything)
    for finding in found.findings:
        output.finding(finding)
