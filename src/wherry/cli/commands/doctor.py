"""`wherry doctor`: this machine in, what is here and what is missing out."""

from __future__ import annotations

import click

from wherry.cli.output import standard_output


@click.command(short_help="What this machine has, and what is missing.")
@click.option("--json", "as_json", is_flag=True, help="The checks as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Says what wherry finds on this machine, and how to get what is missing.

    Exits with 4 when something is missing without which nothing can be built.

    \b
    wherry doctor
    wherry doctor --json
    """
    from wherry.cli.documents import doctor_document
    from wherry.flows.doctor import doctor as flow
    from wherry.system.machine import real_machine

    checks = flow(real_machine())
    output = standard_output()
    if as_json:
        output.document(doctor_document(checks))
    else:
        page = output.on_stdout()
        for check in checks:
            page.row(check.name, check.value, "" if check.state == "here" else check.state)
            if check.next:
                page.row("", f"next  {check.next}")
    if any(check.needed and check.state == "missing" for check in checks):
        ctx.exit(4)
