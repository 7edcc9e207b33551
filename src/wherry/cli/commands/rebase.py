"""`wherry rebase`: a published image onto another base."""

from __future__ import annotations

import click

from wherry.cli.commands.moving import as_json, places
from wherry.cli.commands.network import network
from wherry.cli.filled import FILLED


@click.command(short_help="Put a published image on a new base, without a rebuild.")
@click.argument("image", type=FILLED, metavar="IMAGE")
@click.option(
    "--base",
    type=FILLED,
    metavar="BASE",
    help="The new base, as for build; by default what the old one's name means today.",
)
@click.option(
    "--old-base", type=FILLED, metavar="BASE", help="The base it stands on, where its annotations do not say."
)
@places
@as_json
@network
def rebase(image: str, base: str | None, old_base: str | None, places: tuple[str, ...], *, as_json: bool) -> None:
    """Exchanges the base beneath an image, or beneath all images of an index. The application's layers stay as they are.

    What the config had from the old base becomes the new one's, what the image said itself stays. Refused where the image
    does not stand on the old base, or needs something that the new one lacks. What stands on wherry's static gets today's
    certificates and time zones.

    \b
    wherry rebase reg.example/team/app:1.2
    wherry rebase reg.example/app:1.2 --base reg.example/base:2 -o oci:rebased
    """
    from wherry.cli.moved import run_change
    from wherry.flows.rebase import RebaseRequest
    from wherry.flows.rebase import rebase as flow

    request = RebaseRequest(subject=image, base=base or "", old_base=old_base or "", places=places)
    run_change(lambda machine: flow(request, machine), as_json=as_json)
