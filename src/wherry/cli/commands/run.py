"""`wherry run`: an image or package and options in, its output and exit code out, or its name when it goes on by itself."""

from __future__ import annotations

import sys
from typing import Any

import click

from wherry.cli import ahead, containers
from wherry.cli.commands.container_options import container_options, options_of
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress

FORMS = ("docker", "podman", "runc", "quadlet", "systemd", "seccomp")


@click.command(short_help="Run an image or a package, hardened.", context_settings={"ignore_unknown_options": False})
@click.argument("subject", default="", metavar="[IMAGE|PACKAGE]")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGUMENT...]")
@container_options
@click.option("--platform", default="", metavar="PLATFORM", help="Of an image for several.")
@click.option("-d", "--detach", is_flag=True, help="Return when it runs; its name is the result.")
@click.option("--rm", "remove", is_flag=True, help="With -d: keep nothing of it when it ends.")
@click.option(
    "--log-size", default="10m", type=FILLED, metavar="SIZE", help="With -d: of one file of its output (10m)."
)
@click.option("--log-files", default=3, type=click.IntRange(1, 100), help="With -d: how many of those are kept (3).")
@click.option("--print", "form", type=click.Choice(FORMS), help="Only show what is equal elsewhere.")
@click.option("--bundle", default="", metavar="DIR", help="Only write what runc would get: an OCI bundle.")
@click.option("-C", "folder", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
@click.option("-q", "--quiet", is_flag=True, help="The program's own words only.")
@network
def run(subject: str, arguments: tuple[str, ...], **words: Any) -> int:
    """Runs IMAGE, or compiles PACKAGE and runs it, as a stranger who may do nothing: not root, a read-only root, no
    capabilities, few system calls, limits. Ctrl-C asks the program to stop, a second one kills it; its exit code is ours.

    \b
    wherry run
    wherry run ./cmd/api -p 8080
    wherry run -d podinfo:6.9.1 -p 9000:9898 --memory 64m
    wherry run app -- --verbose
    """
    from wherry.flows.container import RunRequest
    from wherry.flows.request import BuildRequest
    from wherry.flows.run import Watcher
    from wherry.system.machine import real_machine

    quiet = words.pop("quiet")
    output = standard_output(quiet=quiet)
    directory, kept, instead = words.pop("folder"), containers.wanted(words), containers.instead(words)
    request = RunRequest(
        subject=subject,
        build=BuildRequest(directory=directory, assignments=words.pop("assignments")),
        engine=words.pop("engine"),
        platform=words.pop("platform"),
        options=options_of(words, arguments),
    )
    with standing_in(directory), Progress(output) as progress:
        watcher = Watcher(
            write=containers.written(sys.stdout, sys.stderr),
            decided=containers.decided(progress, output),
            started=lambda record: containers.show_started(record, output),
            condition=containers.health_told(output),
            found=lambda findings: containers.show_findings(findings, output),
            quiet=quiet,
        )
        session = ahead.session_of("run", subject, directory, request.platform, request.engine)
        return containers.run(request, kept, instead, (real_machine(progress.event), watcher, output, session))
