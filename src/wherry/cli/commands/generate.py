"""`wherry generate`: what is wanted in, files written, compared or shown."""

from __future__ import annotations

from typing import Any, cast

import click

from wherry.cli import generated
from wherry.cli.commands.network import network
from wherry.cli.commands.options import standing_in
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.flows.request import BuildRequest
from wherry.generate.table import WRITERS, Writer

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
        options.append(
            click.Option(
                [f"--{row.option}", "variant"], type=choice, default=usual, help=f"Which one; usually {usual}."
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


def _flow(what: str, words: dict[str, Any]) -> int:
    from wherry.flows.generate import GenerateRequest, Mode
    from wherry.flows.generate import generate as flow
    from wherry.model.file import Choice
    from wherry.system.machine import real_machine

    packages, directory = words.get("packages", ()), words["directory"]
    extras = tuple(sorted(name for name, _ in _extras(what) if words.get(name.replace("-", "_"))))
    choice = Choice(
        what=what,
        variant=words.get("variant") or "",
        extras=extras,
        digest=words.get("digest") or "",
        release=words.get("release") or "",
        packages=packages,
    )
    mode: Mode = "check" if words["check"] else "diff" if words["diff"] else "write"
    request = GenerateRequest(
        build=BuildRequest(directory=directory, packages=packages),
        choice=choice if what else None,
        mode=mode,
        overwrite=words["overwrite"],
    )
    output = standard_output()
    with standing_in(directory):
        made = flow(request, real_machine())
    if words["as_json"]:
        output.document(generated.document(made))
    else:
        generated.show(made, output, mode=mode, diff=words["diff"])
    return 1 if mode == "check" and made.stale else 0


def _extras(what: str) -> tuple[tuple[str, str], ...]:
    return next((row.extras for row in WRITERS if row.what == what), ())
