"""`wherry base lock|outdated|verify`: which images a repository's bases are, and whether they still are."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import documents
from wherry.cli.commands.network import network
from wherry.cli.commands.options import listed
from wherry.cli.filled import FILLED
from wherry.cli.output import Output, standard_output
from wherry.flows.lock import BaseState, LockReport
from wherry.flows.request import BuildRequest
from wherry.model.settings import ImageSettings, Settings

_IN = click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
#: Exit codes: a base moved or is wrong; nobody could be asked (design §5).
NO, UNKNOWN = 1, 5


@click.group(short_help="Lock, compare and verify base images.")
def base() -> None:
    """Writes down which images the bases of a repository are, and says when they are others.

    \b
    wherry base lock
    wherry base outdated
    wherry base verify
    """


@base.command(short_help="Write wherry.lock.")
@click.argument("packages", nargs=-1, type=FILLED, metavar="[PACKAGE]...")
@click.option("--base", "name", type=FILLED, metavar="REF", help="Lock this base instead of those in wherry.toml.")
@click.option("--platform", "platforms", multiple=True, type=FILLED, metavar="LIST", help="As for build.")
@_IN
@_JSON
@network
def lock(**options: Any) -> None:
    """Asks what each base means today, and writes it to wherry.lock with the versions of Go, certificates, zones and compressors.

    Without PACKAGE: the bases of all programs of the repository. Commit the file; `wherry build` uses it from then on.

    \b
    wherry base lock
    wherry base lock --json
    """
    from wherry.flows.lock import lock as flow
    from wherry.system.machine import real_machine

    image = ImageSettings(base=options["name"]) if options["name"] else None
    settings = Settings(platforms=listed(options["platforms"]) or None, image=image)
    request = BuildRequest(directory=options["directory"], packages=options["packages"], settings=settings)
    report = flow(request, real_machine())
    output = standard_output()
    if options["as_json"]:
        output.document(documents.lock_document(report))
        return
    show_lock(report, output.on_stdout(), output)


@base.command(short_help="Which bases have newer images.")
@_IN
@_JSON
@network
@click.pass_context
def outdated(ctx: click.Context, directory: str, as_json: bool) -> None:
    """Asks the registries whether the names in wherry.lock mean other images today. Exits with 1 when some do, with 5 when one
    could not be asked.

    \b
    wherry base outdated
    wherry base outdated --json
    """
    from wherry.flows.lock import outdated as flow
    from wherry.system.machine import real_machine

    states = flow(BuildRequest(directory=directory), real_machine())
    show_states(states, as_json=as_json)
    moved = sum(one.state == "outdated" for one in states)
    if moved and not as_json:
        standard_output().next("wherry base lock")
    ctx.exit(code(states, bad="outdated"))


@base.command(short_help="Whether the locked bases are still there.")
@_IN
@_JSON
@network
@click.pass_context
def verify(ctx: click.Context, directory: str, as_json: bool) -> None:
    """Reads every base in wherry.lock by its digest, compares what is there with what is locked, and asks for its layers.
    Exits with 1 when one is gone or wrong, with 5 when one could not be asked.

    \b
    wherry base verify
    wherry base verify --json
    """
    from wherry.flows.lock import verify as flow
    from wherry.system.machine import real_machine

    states = flow(BuildRequest(directory=directory), real_machine())
    show_states(states, as_json=as_json)
    ctx.exit(code(states, bad="wrong"))


def code(states: tuple[BaseState, ...], *, bad: str) -> int:
    """The exit code: a no counts more than not knowing."""
    if any(one.state == bad for one in states):
        return NO
    return UNKNOWN if any(one.state == "unknown" for one in states) else 0


def show_lock(report: LockReport, page: Output, output: Output) -> None:
    """What changed, and where it was written. Versions have a row each, digests a block."""
    for finding in report.findings:
        output.finding(finding)
    for change in report.changes:
        if "sha256:" in change.before + change.after:
            page.line(change.what)
            page.rows([(label, text, "") for label, text in (("was", change.before), ("is", change.after)) if text])
    rows = [one for one in report.changes if "sha256:" not in one.before + one.after]
    page.rows([(one.what, f"{one.before} -> {one.after or 'gone'}" if one.before else one.after, "") for one in rows])
    count = len(report.lock.bases)
    bases = f"{count} base{'' if count == 1 else 's'}"
    page.row("file", report.file)
    page.line(f"{'wrote' if report.written else 'unchanged:'} wherry.lock, {bases}")


def show_states(states: tuple[BaseState, ...], *, as_json: bool) -> None:
    """A block for each base, its state first."""
    output = standard_output()
    if as_json:
        output.document(documents.bases_document(states))
        return
    page = output.on_stdout()
    for one in states:
        page.line(f"{one.state:<9} {one.reference}")
        page.row("locked", one.locked)
        if one.now and one.now != one.locked:
            page.row("now", one.now)
        if one.created:
            page.row("made", one.created[:10])
        if one.why:
            page.row("why", one.why)
    if not states:
        page.line("no base is locked: static and scratch are made here")
