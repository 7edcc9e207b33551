"""`wherry copy`: an image from one place to others."""

from __future__ import annotations

import click

from wherry.cli.commands.moving import complete_names, copying, listed
from wherry.cli.filled import FILLED


@click.command(short_help="Copy an image from one place to others.")
@click.argument("source", type=FILLED, metavar="SOURCE", shell_complete=complete_names)
@click.argument("destinations", nargs=-1, required=True, type=FILLED, metavar="DESTINATION...")
@copying
def copy(
    source: str, destinations: tuple[str, ...], platforms: tuple[str, ...], *, referrers: bool, as_json: bool
) -> None:
    """Copies an image, an index or an artifact, byte for byte: the digest stays, and what is there is not sent.

    Both are places (docker://REF, oci:DIR:TAG, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME,
    containers-storage:NAME, containerd:NAME, store:NAME). A name with a registry's host is in that registry,
    any other name in wherry's store. With --platform only these are taken, and an index gets a new digest.

    \b
    wherry copy reg.example/team/app:1.2 mirror.example/app:1.2
    wherry copy reg.example/team/app:1.2 oci:images --referrers
    wherry copy reg.example/app:1.2 docker-archive:a.tar --platform linux/arm64
    """
    from wherry.cli import moved

    moved.copy(source, destinations, platforms=listed(platforms), referrers=referrers, as_json=as_json)
