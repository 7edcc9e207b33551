"""Options that say how a container runs, shared by run, prove and profile. Words in, an Options value out; touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from wherry.cli.filled import FILLED
from wherry.model.container import Options

F = TypeVar("F", bound=Callable[..., Any])


def _several(*names: str, metavar: str, help: str) -> Callable[[F], F]:  # noqa: A002 - click's word
    return click.option(*names, multiple=True, type=FILLED, metavar=metavar, help=help)


_OPTIONS = (
    click.option("--name", default="", metavar="NAME", help="What the container is called."),
    _several("-p", "--publish", "publish", metavar="PORT", help="[HOST:][OUTER:]INNER, on loopback unless said."),
    _several("-e", "--env", "environment", metavar="NAME=VALUE", help="A variable; NAME alone: this machine's."),
    _several("--env-file", "environment_files", metavar="FILE", help="Variables, one a line."),
    _several("-v", "--volume", "volumes", metavar="SOURCE:PATH[:ro]", help="A file or folder of this machine."),
    _several("--secret", "secrets", metavar="NAME=FILE", help="A file at /run/secrets/NAME, never a variable."),
    _several("--tmpfs", "tmpfs", metavar="PATH[:SIZE]", help="Memory to write to."),
    click.option(
        "--network",
        default="",
        metavar="own|out|none|host",
        help="own: only published ports lead in; out: it leads out too.",
    ),
    click.option("--memory", default="", metavar="SIZE", help="Limit, swap included: 64m, 1g (256m)."),
    click.option("--cpus", default="", metavar="N", help="Processors' worth of time (2)."),
    click.option("--pids", type=int, metavar="N", help="Processes and threads (256)."),
    click.option("--files", type=int, metavar="N", help="Open files of a process (1024)."),
    click.option("-u", "--user", default="", metavar="UID[:GID]", help="Who it runs as."),
    _several("--cap-add", "capabilities", metavar="NAME", help="A capability; none are there else."),
    click.option("--seccomp", default="", metavar="FILE", help="A profile of system calls."),
    _several("--relax", "relax", metavar="NAME", help="One hardening less: wherry explain relaxed."),
    click.option("--init", is_flag=True, help="A small first process that collects orphans."),
    click.option("--entrypoint", default="", metavar="PROGRAM", help="In place of the image's."),
    click.option("-w", "--workdir", "directory", default="", metavar="DIR", help="Where it starts."),
    click.option("--hostname", default="", metavar="NAME", help="What it calls itself."),
    click.option("--stop-signal", default="", metavar="SIGNAL", help="What asks it to stop."),
    click.option("--grace", type=float, metavar="SECONDS", help="From that signal to SIGKILL (10)."),
    _several("--set", "assignments", metavar="KEY=VALUE", help="Any key of wherry.toml: run.memory=64m."),
    click.option("--engine", default="", metavar="NAME", help="runc, crun, docker or podman."),
)


def container_options(command: F) -> F:
    """Adds everything that says how a container runs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_of(words: dict[str, Any], arguments: tuple[str, ...] = ()) -> Options:
    """Takes what belongs to the container out of `words`."""
    own = {name: words.pop(name) for name in Options.__struct_fields__ if name in words}
    own["entrypoint"] = (own["entrypoint"],) if own.get("entrypoint") else ()
    return Options(**own, arguments=arguments)
