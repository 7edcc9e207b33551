"""`wherry push`: an image to registries."""

from __future__ import annotations

import click

from wherry.cli.commands.moving import complete_names, copying, listed
from wherry.cli.filled import FILLED


@click.command(short_help="Push an image to registries.")
@click.argument("source", type=FILLED, metavar="IMAGE", shell_complete=complete_names)
@click.option(
    "-t", "--tag", "names", multiple=True, type=FILLED, metavar="REF", help="Push it as this; may be repeated."
)
@copying
def push(source: str, names: tuple[str, ...], platforms: tuple[str, ...], *, referrers: bool, as_json: bool) -> None:
    """Pushes an image of wherry's store, or of any place, to every -t. Without -t it goes where its own name says.

    \b
    wherry push podinfo -t reg.example/podinfo:6.9 -t reg.example/podinfo:latest
    wherry push oci:images:1.2 -t reg.example/team/app:1.2
    """
    from wherry.cli import moved

    moved.push(source, names, platforms=listed(platforms), referrers=referrers, as_json=as_json)
