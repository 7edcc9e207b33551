"""`wherry debug`: a running container in, tools from elsewhere beside it."""

from __future__ import annotations

import sys

import click

from wherry.cli import containers
from wherry.cli.commands.container_names import OptionsAround, container_name
from wherry.cli.output import standard_output


@click.command(
    cls=OptionsAround,
    short_help="Tools from elsewhere, in a container's namespaces.",
    context_settings={"allow_interspersed_args": False},
)
@container_name()
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND...]")
@click.option("--image", default="", metavar="IMAGE", help="Where the tools are from: a name or a place.")
@click.option("-t", "--tty", is_flag=True, help="In a terminal; the default where ours is one.")
def debug(name: str, words: tuple[str, ...], image: str, *, tty: bool) -> int:
    """Starts a shell, or COMMAND, with the processes, network and ids of CONTAINER and a root of its own; the container itself is
    not touched, and needs no shell. Its files are at /proc/1/root. Without --image the tools are this machine's static busybox.

    \b
    wherry debug api
    wherry debug api wget -qO- 127.0.0.1:8080/healthz
    wherry debug api --image oci:busybox:1.37
    """
    from wherry.flows.debug import Wanted
    from wherry.flows.debug import debug as flow
    from wherry.flows.runbook import running
    from wherry.system.machine import real_machine

    machine, output = real_machine(), standard_output()
    terminal = tty or (sys.stdin.isatty() and sys.stdout.isatty())
    kept = running(name, machine)
    if terminal and not words:
        output.line(f"beside {name}: its files are at /proc/1/root; exit leaves")
    wanted = Wanted(image=image, words=words, terminal=terminal)
    return flow(kept, wanted, machine, containers.written(sys.stdout, sys.stderr))
