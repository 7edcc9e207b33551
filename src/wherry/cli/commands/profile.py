"""`wherry profile`: an image or package and a way to exercise it in, a proven seccomp profile out."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import profiles
from wherry.cli.commands.container_options import container_options, options_of
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.cli.progress import Progress


@click.command(short_help="Record system calls, and prove a profile.")
@click.argument("subject", default="", metavar="[IMAGE|PACKAGE]")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGUMENT...]")
@click.option("--exercise", "script", default="", metavar="SCRIPT", help="Run it meanwhile; it has WHERRY_URL.")
@click.option("--get", "routes", multiple=True, type=FILLED, metavar="PATH", help="GET it again and again.")
@click.option("--for", "seconds", type=float, default=2.0, metavar="SECONDS", help="How long (2).")
@click.option("--mode", type=click.Choice(["safe", "strict"]), default="safe", help="What it can do, or what it did.")
@click.option("-o", "--output", "file", default="", metavar="FILE", help="Write it there; else to stdout.")
@click.option("--kill", is_flag=True, help="The written profile kills; else other calls get EPERM.")
@click.option("--json", "as_json", is_flag=True, help="All that was seen, as JSON.")
@container_options
@click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
@network
def profile(subject: str, arguments: tuple[str, ...], **words: Any) -> int:
    """Runs IMAGE or PACKAGE as `wherry run` does and records its system calls, files, ports and hosts while it is exercised.
    Writes a seccomp profile for `wherry run --seccomp`, docker, podman, compose and Kubernetes, after running once more under
    it, killed at the first call beyond. Use it with no-new-privileges. Exit status 1 when the exercise failed; `strict` then
    writes nothing.

    \b
    wherry profile ./cmd/api --get /healthz --get /users -o seccomp.json
    wherry profile podinfo:6.9.1 --exercise tests/smoke.sh -o seccomp.json
    """
    from wherry.flows.container import RunRequest
    from wherry.flows.exercise import Exercise
    from wherry.flows.profile import ProfileRequest
    from wherry.flows.profile import profile as flow
    from wherry.flows.request import BuildRequest
    from wherry.system.machine import real_machine

    output, directory = standard_output(), words["directory"]
    exercise = Exercise(routes=words.pop("routes"), script=words.pop("script"), seconds=words.pop("seconds"))
    own = {name: words.pop(name) for name in ("mode", "kill")}
    file, as_json = words.pop("file"), words.pop("as_json")
    run = RunRequest(
        subject=subject, build=BuildRequest(directory=directory, assignments=words.pop("assignments")),
        engine=words.pop("engine"),
        options=options_of({name: value for name, value in words.items() if name != "directory"}, arguments),
    )  # fmt: skip
    with standing_in(directory), Progress(output) as progress:
        request = ProfileRequest(run=run, exercise=exercise, output=file, **own)
        made = flow(request, real_machine(progress.event))
    return profiles.show(made, output, profiles.Asked(subject=subject, folder=directory, file=file, as_json=as_json))
