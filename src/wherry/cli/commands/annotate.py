"""`wherry annotate`: labels and annotations of an image that is there already."""

from __future__ import annotations

import click

from wherry.cli.commands.moving import as_json, complete_names, pairs, places
from wherry.cli.commands.network import network
from wherry.cli.filled import FILLED


@click.command(short_help="Set labels and annotations of an image.")
@click.argument("image", type=FILLED, metavar="IMAGE", shell_complete=complete_names)
@click.option(
    "--annotation", "annotations", multiple=True, metavar="NAME=VALUE", help="On every manifest, and the index."
)
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="In every image's config.")
@places
@as_json
@network
def annotate(
    image: str, annotations: tuple[str, ...], labels: tuple[str, ...], places: tuple[str, ...], *, as_json: bool
) -> None:
    """Sets labels and annotations of an image, or of all images of an index. Layers stay; the digest is new.

    IMAGE is a place, or a name: with a registry's host that registry's, else wherry's store's. Without -o the new image
    takes the name of the old one, which a registry keeps under its digest.

    \b
    wherry annotate reg.example/team/app:1.2 --annotation com.example.team=edge
    wherry annotate podinfo --label team=edge -o oci:images:labelled
    """
    from wherry.cli.moved import run_change
    from wherry.flows.annotate import AnnotateRequest
    from wherry.flows.annotate import annotate as flow

    request = AnnotateRequest(
        subject=image,
        annotations=pairs(annotations, "--annotation"),
        labels=pairs(labels, "--label"),
        places=places,
    )
    run_change(lambda machine: flow(request, machine), as_json=as_json)
