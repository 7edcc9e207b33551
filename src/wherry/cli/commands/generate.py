"""`wherry generate`: what is wanted in, files written, compared or shown."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from typing import Any, cast

import click

from wherry.cli import generated
from wherry.cli.commands.network import network
from wherry.cli.commands.options import SEVERAL, standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.errors import UsageError
from wherry.flows.request import BuildRequest
from wherry.generate.header import Command, words
from wherry.generate.table import WRITERS, Writer
from wherry.model.file import Choice

WIDEST = 60
"""Characters of choices that fit into a line of --help beside their option."""
_SHARED = (
    click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not as it would be made now."),
    click.option("--diff", is_flag=True, help="Write nothing; show what would change."),
    click.option("--overwrite", is_flag=True, help="Also files that wherry did not make; what goes is shown."),
    click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder."),
    click.option("--json", "as_json", is_flag=True, help="What was done as JSON."),
)


def _shared(command: Any) -> Any:
    for option in reversed(_SHARED):
        command = option(command)
    return network(command)


@click.group(short_help="Write Dockerfile, compose, Kubernetes, Makefile, CI ...", invoke_without_command=True)
@_shared
@click.pass_context
def generate(ctx: click.Context, /, **words: Any) -> int:
    """Writes files for other tools, all from the plan that `wherry build` uses, so that ports, user, health, limits and
    version are the same in each. Without a command: makes every file anew that it made before.

    \b
    wherry generate dockerfile
    wherry generate kubernetes --form kustomize
    wherry generate --check
    """
    return _flow("", words) if ctx.invoked_subcommand is None else 0


def _command(row: Writer) -> click.Command:
    """The command of one row of the table."""

    def callback(**words: Any) -> int:
        return _flow(row.what, words)

    options: list[click.Parameter] = [click.Argument(["packages"], nargs=-1, type=FILLED, metavar="[PACKAGE]...")]
    if row.variants:
        usual = row.variants[0]
        choice = click.Choice(row.variants)
        many = len("|".join(row.variants)) > WIDEST
        which = f"{', '.join(row.variants)}" if many else "Which one"
        options.append(
            click.Option(
                [f"--{row.option}", "variant"],
                type=choice,
                default=usual,
                metavar="NAME" if many else None,
                help=f"{which}; usually {usual}.",
            )
        )
    options += [
        click.Option([f"--{name}"], is_flag=True, help=f"{text[:1].upper()}{text[1:]}.") for name, text in row.extras
    ]
    named = (
        ("digest", row.digest, "sha256:...", "Of the published image."),
        ("release", row.release, "VERSION", "That they deploy; else the nearest tag's."),
    )
    options += [
        click.Option([f"--{name}"], type=FILLED, metavar=form, help=text) for name, takes, form, text in named if takes
    ]
    other = f"--{row.option} {row.variants[-1]}" if row.variants else "--diff"
    samples = f"\b\nwherry generate {row.what}\nwherry generate {row.what} {other}"
    text = f"{row.help}\n\n{samples}"
    command = click.Command(row.what, params=options, callback=callback, help=text, short_help=row.help)
    return cast(click.Command, _shared(command))


for _row in WRITERS:
    generate.add_command(_command(_row))


def _flow(what: str, said: dict[str, Any]) -> int:
    from wherry.flows.generate import GenerateRequest, Mode
    from wherry.flows.generate import generate as flow
    from wherry.system.machine import real_machine

    packages, directory = said.get("packages", ()), said["directory"]
    extras = tuple(sorted(name for name, _ in _extras(what) if said.get(name.replace("-", "_"))))
    choice = Choice(
        what=what,
        variant=said.get("variant") or "",
        extras=extras,
        digest=said.get("digest") or "",
        release=said.get("release") or "",
        packages=packages,
    )
    mode: Mode = "check" if said["check"] else "diff" if said["diff"] else "write"
    request = GenerateRequest(
        build=BuildRequest(directory=directory, packages=packages),
        choice=choice if what else None,
        mode=mode,
        overwrite=said["overwrite"],
    )
    output = standard_output()
    with standing_in(directory), _saying(choice, directory):
        made = flow(request, real_machine())
    if said["as_json"]:
        output.document(generated.document(made))
    else:
        generated.show(made, output, mode=mode, command=_words(choice, directory) if what else "")
    return 1 if mode == "check" and made.stale else 0


def _words(choice: Choice, directory: str) -> str:
    """The same command, for who stands where it was typed."""
    return words(Command(choice=choice, home=directory))


@contextlib.contextmanager
def _saying(choice: Choice, directory: str) -> Iterator[None]:
    """Where there are several programs, the steps to go on with are of this command."""
    try:
        yield
    except UsageError as error:
        if error.name == SEVERAL and choice.what:
            said = _words(choice, directory)
            error.with_next(*(f"{said} {shlex.quote(one)}" for one in (*error.where[:1], "./...")))
        raise


def _extras(what: str) -> tuple[tuple[str, str], ...]:
    return next((row.extras for row in WRITERS if row.what == what), ())
