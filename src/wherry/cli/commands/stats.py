"""`wherry stats`: containers in, what they use against their limits out, again and again on a terminal."""

from __future__ import annotations

import time

import click

from wherry.cli import runbook
from wherry.cli.commands.container_names import container_name
from wherry.cli.output import standard_output

STEP = 1.0


@click.command(short_help="What containers use.")
@container_name(several=True, required=False)
@click.option("--no-stream", "once", is_flag=True, help="Look once; the default where there is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, and look once.")
def stats(names: tuple[str, ...], *, once: bool, as_json: bool) -> None:
    """Processor time, memory, processes against their limits; how often it had to wait for its processors, and was killed for
    its memory. From control groups: nothing runs inside.

    \b
    wherry stats
    wherry stats api --no-stream --json
    """
    from wherry.flows import runbook as flows
    from wherry.system.machine import real_machine

    machine, output = real_machine(), standard_output()
    wanted = [flows.running(name, machine) for name in names]
    rows = wanted or [kept for kept in flows.shelf(machine).all if kept.state == "running"]
    before: dict[str, tuple[float, float]] = {}
    flows.measured(rows, before)
    once = once or as_json or not output.terminal
    while True:
        time.sleep(STEP / 4 if once else STEP)
        found = flows.measured(rows, before)
        if as_json:
            output.document(runbook.stats_document(found))
        else:
            runbook.show_stats(found, output)
        if once or not found:
            return
