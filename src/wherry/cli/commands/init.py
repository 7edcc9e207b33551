"""`wherry init`: a few answers in, wherry.toml and the files that were chosen out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from wherry.cli import generated
from wherry.cli.commands.options import listed, standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.errors import UsageError
from wherry.flows.request import BuildRequest
from wherry.generate.header import chosen
from wherry.generate.table import WRITERS
from wherry.kit.text import one_line
from wherry.model.file import Choice

if TYPE_CHECKING:
    from wherry.flows.init import Found


@click.command(short_help="Write wherry.toml, and what else is wanted.")
@click.argument("packages", nargs=-1, type=FILLED, metavar="[PACKAGE]...")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--with", "wanted", multiple=True, type=FILLED, metavar="LIST", help="dockerfile,compose,kubernetes ...")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--overwrite", is_flag=True, help="Also files that are there; what goes is shown.")
@click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
def init(packages: tuple[str, ...], **words: Any) -> int:
    """Looks at the repository and writes what it found into a short wherry.toml, with .dockerignore and the files that are named.
    Asks on a terminal only, and little; Enter takes what stands in brackets.

    \b
    wherry init
    wherry init --yes --with dockerfile,compose
    """
    from wherry.flows.init import InitRequest, look
    from wherry.flows.init import init as flow
    from wherry.system.machine import real_machine

    output = standard_output()
    build = BuildRequest(directory=words["directory"], packages=packages)
    machine = real_machine()
    with standing_in(words["directory"]):
        wanted = listed(words["wanted"])
        if not words["yes"] and sys.stdin.isatty() and sys.stderr.isatty():
            build, wanted = _asked(build, wanted, look(build, machine))
        choices = tuple(_choice(what) for what in wanted)
        request = InitRequest(build=build, choices=choices, show=words["diff"], overwrite=words["overwrite"])
        made = flow(request, machine)
    generated.show(made, output, mode="diff" if words["diff"] else "write", command="wherry init")
    if words["diff"] or not made.onward:
        output.next("wherry build", *(() if wanted else ("wherry generate --help",)))
    return 0


def _asked(build: BuildRequest, wanted: tuple[str, ...], found: Found) -> tuple[BuildRequest, tuple[str, ...]]:
    """What only a person knows: which of several programs, where it listens if nothing shows it, which files."""
    packages, assignments = build.packages, build.assignments
    if len(found.programs) > 1 and not packages:
        for name, folder in found.programs:
            click.echo(f"  {one_line(name):<20} {one_line(folder)}", err=True)
        answer = click.prompt("Programs that get an image, with blanks between", default="all", err=True)
        known = dict(found.programs)
        packages = () if answer == "all" else tuple(known.get(word, word) for word in answer.split())
    if not found.ports and len(found.programs) == 1:
        port = click.prompt("Port that it listens on, 0 for none", default=0, type=click.IntRange(0, 65535), err=True)
        assignments = (*assignments, f"image.ports={port}") if port else assignments
    if not wanted:
        known_files = " ".join(row.what for row in WRITERS)
        answer = click.prompt(f"Files to generate ({known_files})", default="none", err=True)
        wanted = () if answer == "none" else tuple(answer.replace(",", " ").split())
    build = BuildRequest(directory=build.directory, packages=packages, assignments=assignments)
    return build, wanted


def _choice(what: str) -> Choice:
    try:
        return chosen(what)
    except UsageError as error:
        raise error.at(f"--with {what}") from None
