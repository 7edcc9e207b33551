"""`wherry plan`: options in, what would be built and why out."""

from __future__ import annotations

import os
from typing import Any

import click

from wherry.cli import documents
from wherry.cli.commands.options import build_options, request_of, standing_in
from wherry.cli.output import Output, standard_output
from wherry.cli.report import because
from wherry.errors import UsageError
from wherry.kit.text import closest, dotted
from wherry.model.plan import Decision, ImagePlan, Plan


@click.command(short_help="Show what would be built, and every reason.")
@build_options
@click.option("--why", is_flag=True, help="The reason of every decision.")
@click.option("--only", metavar="NAME", help="The value of one decision alone: version.")
@click.option("--json", "as_json", is_flag=True, help="The whole plan as JSON.")
def plan(**options: Any) -> None:
    """Shows every decision about a build; builds nothing.

    \b
    wherry plan
    wherry plan --why ./cmd/api
    wherry plan --only version
    wherry plan --json | jq .plan.images[0].decisions
    """
    why, as_json, only = options.pop("why"), options.pop("as_json"), options.pop("only")
    output = standard_output()
    from wherry.flows.plan import plan as flow
    from wherry.system.machine import real_machine

    directory = options["directory"]
    with standing_in(directory):
        planned = flow(request_of(options), real_machine())
    if as_json:
        output.document(documents.plan_document(planned))
        return
    if only:
        for value in values_of(planned, only):
            output.result(value)
        return
    page = output.on_stdout()
    show_decisions(planned.decisions, page, why=why)
    for image in planned.images:
        show_image(image, page, why=why)
    if planned.left_out:
        page.line()
        page.line("left out, unless named:")
        page.rows([(_folder(one.directory, planned.root, directory), one.reason, "") for one in planned.left_out])
    for finding in (*planned.findings, *(one for image in planned.images for one in image.findings)):
        output.finding(finding)


def values_of(planned: Plan, name: str) -> tuple[str, ...]:
    """What was decided under that name, once each, for scripts. UsageError [no-decision] when nothing was."""
    decisions = (*planned.decisions, *(one for image in planned.images for one in image.decisions))
    values = tuple(dict.fromkeys(one.value for one in decisions if one.name == name))
    if not values:
        near = closest(name, tuple(one.name for one in decisions))
        raise UsageError(
            "no-decision",
            f"this plan decides nothing called {name}",
            where=f"--only {name}",
            next=f"did you mean {near}?" if near else "wherry plan: its first column has the names",
        )
    return values


def _folder(path: str, root: str, directory: str) -> str:
    """A folder of the project as one writes it where one stands; of a module by version, as it lies there."""
    here = os.path.abspath(directory)  # noqa: PTH100 - links as they are
    return dotted(os.path.relpath(f"{root}/{path}", here) if f"{here}/".startswith(f"{root}/") else path)


def show_image(image: ImagePlan, output: Output, *, why: bool) -> None:
    """One image's decisions under its name."""
    output.line()
    output.line(f"{image.name} {image.full_version}   {', '.join(target.import_path for target in image.targets)}")
    show_decisions(image.decisions, output, why=why)


def show_decisions(decisions: tuple[Decision, ...], output: Output, *, why: bool) -> None:
    """A row each; with `why` the reason in words, and the place it came from."""
    output.rows([(one.name, one.value or "none", _reason(one) if why else because(one)) for one in decisions])


def _reason(decision: Decision) -> str:
    return ", ".join(part for part in (decision.reason, str(decision.place or "")) if part)
