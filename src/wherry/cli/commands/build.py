"""`wherry build`: options in, an image and its story out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from wherry.cli import ahead, documents
from wherry.cli.commands.network import network
from wherry.cli.commands.options import build_options, request_of, standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress
from wherry.cli.report import show_build
from wherry.errors import UsageError
from wherry.kit.files import atomic_write


@click.command(short_help="Build images from Go sources.")
@build_options
@click.option("--no-cache", "fresh", is_flag=True, help="Believe nothing kept from earlier runs.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Threads for packing.")
@click.option("-q", "--quiet", is_flag=True, help="Results and errors only.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON document.")
@click.option("--timings", is_flag=True, help="Show how long every stage took.")
@click.option("--metadata-file", type=FILLED, metavar="FILE", help="Write the JSON result there too.")
@network
def build(**options: Any) -> None:
    """Builds an image of each PACKAGE: a folder, a pattern, an import path or module@version.

    Without PACKAGE: what wherry.toml says, else the repository's only main.

    \b
    wherry build
    wherry build ./cmd/api -t registry.example/team/api:1.2 --push
    wherry build ./... --platform linux/amd64,linux/arm64 -o oci:../images
    wherry build github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0
    """
    as_json, metadata, timings = options.pop("as_json"), options.pop("metadata_file"), options.pop("timings")
    output = standard_output(quiet=options.pop("quiet"))
    options["cache"], options["jobs"] = not options.pop("fresh"), options["jobs"] or 0
    if metadata:
        _check_folder(Path(metadata).absolute().parent)
    with standing_in(options["directory"]), Progress(output) as progress:
        from wherry.flows.build import build as flow
        from wherry.system.machine import real_machine

        report = flow(request_of(options), real_machine(progress.event), ahead.session())
    document = documents.build_document(report)
    show_build(report, output, results=not as_json, timings=timings)
    if as_json:
        output.document(document)
    if metadata:
        atomic_write(Path(metadata), document.encode())


def _check_folder(folder: Path) -> None:
    """Before anything is built or pushed: a result that cannot be written down is found out now."""
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise UsageError(
            "disk", f"--metadata-file cannot be written into {folder}", where=str(folder), next="name another folder"
        )
