"""`wherry explain NAME`: a name from wherry's output in, its page out."""

from __future__ import annotations

import shlex
from importlib.resources import files

import click

from wherry.cli import containers, report
from wherry.cli.commands import VERBS, load
from wherry.cli.output import standard_output
from wherry.errors import UsageError
from wherry.kit.text import closest

#: Short words in wherry's output, and the names of their pages.
LABELS = {
    **{label: name for known in (containers.SHOWN, report.SHORT) for name, label in known.items()},
    "assets": "asset",
    "app": "packages",
}


@click.command(short_help="More about a name in wherry's output.")
@click.argument("name", required=False)
def explain(name: str | None) -> None:
    """Says more about an error, a warning or a decision, by the name shown in brackets.

    \b
    wherry explain health
    wherry explain cgo-compiler
    """
    output = standard_output()
    folder = files("wherry.cli") / "pages"
    names = tuple(sorted(page.name.removesuffix(".md") for page in folder.iterdir() if page.name.endswith(".md")))
    if name is None:
        first = ((folder / f"{one}.md").read_text(encoding="utf-8").split("\n", 1)[0] for one in names)
        output.on_stdout().rows([(one, text, "") for one, text in zip(names, first, strict=True)])
        return
    name = LABELS.get(name, name)
    if name in VERBS and name not in names:
        command = load(name)
        output.document(command.get_help(click.Context(command, info_name=f"wherry {name}", max_content_width=80)))
        return
    if name not in names:
        near = closest(name, names)
        raise UsageError(
            "unknown-name",
            f"nothing is called {name!r} here",
            next=f"wherry explain {shlex.quote(near)}" if near else "wherry explain    lists all names",
        )
    output.document((folder / f"{name}.md").read_text(encoding="utf-8"))
