"""`wherry pull`: an image from a registry."""

from __future__ import annotations

import click

from wherry.cli.commands.moving import copying, listed, places
from wherry.cli.filled import FILLED


@click.command(short_help="Pull an image from a registry.")
@click.argument("source", type=FILLED, metavar="REF")
@places
@copying
def pull(source: str, places: tuple[str, ...], platforms: tuple[str, ...], *, referrers: bool, as_json: bool) -> None:
    """Pulls an image into this machine's engine, or, where none answers, into wherry's store; -o says otherwise.

    A name without a registry's host is Docker Hub's, as everywhere.

    \b
    wherry pull alpine:3.22
    wherry pull reg.example/team/app:1.2 -o oci:images
    wherry pull reg.example/team/app:1.2 -o store: --platform linux/arm64
    """
    from wherry.cli.moved import run_copy
    from wherry.flows.pull import pull as flow

    run_copy(
        lambda machine: flow(source, places, machine, platforms=listed(platforms), referrers=referrers), as_json=as_json
    )
