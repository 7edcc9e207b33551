"""`wherry diff --variants`: a program in, its images side by side out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wherry.cli import ladder as shown
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress
from wherry.errors import UsageError
from wherry.flows.request import BuildRequest
from wherry.kit.files import atomic_write


@click.command(short_help="One program in every variant, measured side by side.")
@click.argument("package", default="", type=click.STRING, metavar="[PACKAGE]")
@click.option(
    "--variants", is_flag=True, help="Build it on every base, and from every Dockerfile where Docker answers."
)
@click.option("--svg", type=FILLED, metavar="FILE", help="A chart of the sizes.")
@click.option("--html", type=FILLED, metavar="FILE", help="Chart and table as one page.")
@click.option("--build-network", default="", metavar="NAME", help="Of Docker's steps, as docker build --network.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
@network
def diff(package: str, variants: bool, directory: str, **shows: Any) -> None:
    """Builds the program as each variant of image, by wherry on each base and, where a Docker daemon answers, from each
    generated Dockerfile; then says how large each is, what is in it, and how fast it was built and started.

    \b
    wherry diff --variants
    wherry diff --variants ./cmd/api --html sizes.html
    """
    if not variants:
        raise UsageError("usage", "say what to compare", next="wherry diff --variants")
    from wherry.flows.variants import ladder
    from wherry.system.machine import real_machine

    output = standard_output()
    request = BuildRequest(directory=directory, packages=(package,) if package else ())
    with standing_in(directory), Progress(output) as progress:
        found = ladder(request, real_machine(progress.event), network=shows["build_network"])
    for path, text in ((shows["svg"], shown.svg), (shows["html"], shown.page)):
        if path:
            atomic_write(Path(path), text(found).encode())
    if shows["as_json"]:
        output.document(shown.document(found))
    else:
        shown.show(found, output)
