"""`wherry prove`: an image or package and expectations in, a verdict for each check out."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import proofs
from wherry.cli.commands.container_options import container_options, options_of
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress


@click.command(short_help="Show that an image behaves, check by check.")
@click.argument("subject", default="", metavar="[IMAGE|PACKAGE]")
@click.option("--only", multiple=True, type=FILLED, metavar="CHECK", help="This check; several times for several.")
@click.option("--skip", multiple=True, type=FILLED, metavar="CHECK", help="Not this check.")
@click.option(
    "--slow-route", default="", metavar="PATH", help="A GET that takes a second or two, for requests under way."
)
@click.option("--ready-route", default="", metavar="PATH", help="The readiness route.")
@click.option("--all", "everything", is_flag=True, help="What does not apply, too.")
@container_options
@click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
@network
def prove(subject: str, **words: Any) -> int:
    """Runs IMAGE or PACKAGE as `wherry run` does, looks at it from outside, and says what was seen: PASS, FAIL with what to
    do, SKIP, or UNKNOWN with the reason. Exit status 1 when a check failed, 5 when one could not be seen.

    \b
    wherry prove
    wherry prove podinfo --slow-route /delay/2
    wherry prove --only drain --only user ./cmd/api
    """
    from wherry.flows.container import RunRequest
    from wherry.flows.prove import ProveRequest
    from wherry.flows.prove import prove as flow
    from wherry.flows.request import BuildRequest
    from wherry.model.observation import Expectations
    from wherry.system.machine import real_machine

    output = standard_output()
    directory, everything = words.pop("directory"), words.pop("everything")
    only, skip, engine = words.pop("only"), words.pop("skip"), words.pop("engine")
    wanted = Expectations(slow_route=words.pop("slow_route"), ready_route=words.pop("ready_route"))
    run = RunRequest(subject=subject, build=BuildRequest(directory=directory), options=options_of(words), engine=engine)
    with standing_in(directory), Progress(output) as progress:
        request = ProveRequest(run=run, only=only, skip=skip, expectations=wanted)
        proof = flow(request, real_machine(progress.event))
    proofs.show_proof(proof, output, everything=everything)
    return 1 if proof.count("FAIL") else 5 if proof.count("UNKNOWN") else 0
