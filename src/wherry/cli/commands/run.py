"""`wherry run`: an image or package and options in, its output and exit code out."""

from __future__ import annotations

import sys
from typing import Any

import click

from wherry.cli import containers
from wherry.cli.commands.container_options import container_options, options_of
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress


@click.command(short_help="Run an image or a package, hardened.", context_settings={"ignore_unknown_options": False})
@click.argument("subject", default="", metavar="[IMAGE|PACKAGE]")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGUMENT...]")
@container_options
@click.option("--platform", default="", metavar="PLATFORM", help="Of an image for several.")
@click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
@click.option("-q", "--quiet", is_flag=True, help="The program's own words only.")
@network
def run(subject: str, arguments: tuple[str, ...], **words: Any) -> int:
    """Runs IMAGE, or compiles PACKAGE and runs it, as a stranger who may do nothing: not root, a read-only root, no
    capabilities, few system calls, limits. Ctrl-C asks the program to stop, a second one kills it; its exit code is ours.

    \b
    wherry run
    wherry run ./cmd/api -p 8080
    wherry run podinfo:6.9.1 -p 9000:9898 --memory 64m
    wherry run app -- --verbose
    """
    from wherry.flows.container import RunRequest
    from wherry.flows.request import BuildRequest
    from wherry.flows.run import Watcher
    from wherry.flows.run import run as flow
    from wherry.system.machine import real_machine

    output = standard_output(quiet=words.pop("quiet"))
    request = RunRequest(
        subject=subject,
        build=BuildRequest(directory=words["directory"]),
        engine=words.pop("engine"),
        platform=words.pop("platform"),
        options=options_of({name: value for name, value in words.items() if name != "directory"}, arguments),
    )
    with standing_in(words["directory"]), Progress(output) as progress:
        watcher = Watcher(
            write=containers.written(sys.stdout, sys.stderr),
            decided=lambda container: containers.show_decided(container, output),
            started=lambda record: containers.show_started(record, output),
        )
        ran = flow(request, real_machine(progress.event), watcher)
    containers.show_end(ran, output)
    return containers.exit_code(ran.end)
