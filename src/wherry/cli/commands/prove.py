"""`wherry prove`: an image or package and expectations in, a verdict for each check out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wherry.cli import explained, proof_documents, proofs
from wherry.cli.commands.container_options import container_options, options_of
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.commands.prove_options import prove_options, proving
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress
from wherry.kit.files import disk_errors

if TYPE_CHECKING:
    from wherry.flows.prove import Proof


@click.command(short_help="Show that an image behaves, check by check.")
@click.argument("subject", default="", metavar="[IMAGE|PACKAGE]")
@prove_options
@container_options
@network
def prove(subject: str, **words: Any) -> int:
    """Runs IMAGE or PACKAGE as `wherry run` does, looks at it from outside, and says what was seen: PASS, FAIL with what to
    do, SKIP, or UNKNOWN with the reason. Exit status 1 when a check failed, 5 when one could not be seen and nobody
    accepts that. [prove] in wherry.toml says what is expected.

    \b
    wherry prove
    wherry prove podinfo --slow-route /delay/2
    wherry prove --only drain,user ./cmd/api
    """
    from wherry.flows.container import RunRequest
    from wherry.flows.named_files import refuse_unwritable
    from wherry.flows.prove import ProveRequest
    from wherry.flows.prove import prove as flow
    from wherry.system.machine import real_machine

    output = standard_output()
    shown = {name: words.pop(name) for name in ("everything", "as_json", "junit", "sarif")}
    for option in ("junit", "sarif"):
        refuse_unwritable(shown[option] or "", f"--{option}")
    engine, platform = words.pop("engine"), words.pop("platform")
    build = proving(words)
    run = RunRequest(subject=subject, build=build, options=options_of(words), engine=engine, platform=platform)
    with standing_in(build.directory), Progress(output) as progress:
        proof = flow(ProveRequest(run=run), real_machine(progress.event))
    for option, made in (("junit", proof_documents.junit), ("sarif", _sarif)):
        if shown[option]:
            with disk_errors(shown[option]):
                Path(shown[option]).write_text(made(proof), encoding="utf-8")
    if shown["as_json"]:
        output.document(proof_documents.proof_document(proof))
    else:
        proofs.show_proof(proof, output, everything=shown["everything"])
    return 1 if proof.count("FAIL") else 5 if proof.count("UNKNOWN") else 0


def _sarif(proof: Proof) -> str:
    return proof_documents.sarif(proof, explained.page_of)
