"""`wherry cache df|prune`: what is kept, and how to free it."""

from __future__ import annotations

import click

from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.kit.text import megabytes


@click.group(short_help="What is kept, and how to free it.")
def cache() -> None:
    """Shows and frees what wherry keeps between runs.

    \b
    wherry cache df
    wherry cache prune --limit 1GB
    """


@cache.command(short_help="What is kept.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def df(as_json: bool) -> None:
    """Shows what the cache holds, kind by kind, and the images in wherry's own store.

    \b
    wherry cache df
    wherry cache df --json
    """
    from wherry.cli.documents import cache_document
    from wherry.flows.caches import contents
    from wherry.system.machine import real_machine

    found = contents(real_machine())
    output = standard_output()
    if as_json:
        output.document(cache_document(found))
        return
    page = output.on_stdout()
    rows = [(row.kind, f"{megabytes(row.bytes):>9}   {row.count}", "") for row in found.rows]
    total = sum(row.bytes for row in found.rows)
    page.rows(
        [
            *rows,
            ("total", f"{megabytes(total):>9}   of {megabytes(found.limit)} at most", ""),
            ("folder", found.folder, ""),
        ]
    )
    page.rows([("store", found.store, ""), *(("image", one.name, "") for one in found.images)])


@cache.command(short_help="Free what is not needed.")
@click.option("--limit", type=FILLED, metavar="SIZE", help="So much may stay: 2GB, 500MB.")
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="What was not used for so many days.",
)
@click.option("--all", "everything", is_flag=True, help="Everything that no living run uses.")
def prune(limit: str | None, days: float, everything: bool) -> None:
    """Deletes what was used longest ago, and what no name in wherry's store leads to. Safe beside running builds.

    \b
    wherry cache prune --limit 1GB
    wherry cache prune --older-than 30
    wherry cache prune --all
    """
    from wherry.flows.caches import free
    from wherry.system.machine import real_machine

    freed, unnamed = free(real_machine(), limit=limit or "", days=days, everything=everything)
    output = standard_output().on_stdout()
    output.line(f"freed {megabytes(freed.bytes + unnamed)}, {freed.count} cached items")
    if freed.in_use:
        output.line(f"{freed.in_use} stayed: a run is using them")
