"""`wherry cache df|prune`: what is kept, and how to free it."""

from __future__ import annotations

import click


@click.group(short_help="What is kept, and how to free it.")
def cache() -> None:
    """Shows and frees what wherry keeps between runs.

    \b
    wherry cache df
    wherry cache prune
    wherry cache prune --all
    """
