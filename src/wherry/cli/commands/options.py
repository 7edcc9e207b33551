"""Options that several commands share, and how they become a request. Touches nothing."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import click

from wherry.cli.filled import FILLED, NAME
from wherry.errors import Several, WherryError
from wherry.flows.request import BuildRequest
from wherry.model.settings import ImageSettings, Settings

F = TypeVar("F", bound=Callable[..., Any])
SEVERAL: Final = "several-mains"
ONE_OF: Final = (SEVERAL, "several-images")
"""Errors that name what to type for one program."""
ONE_PROGRAM: Final = {
    "run": "wherry run",
    "prove": "wherry prove",
    "profile": "wherry profile",
    "diff": "wherry diff --variants",
}
"""Commands that take one program, never a pattern, and how they are typed with it."""
WITH_FOLDER: Final = ("build", "plan", *ONE_PROGRAM)


_OPTIONS = (
    click.argument("packages", nargs=-1, type=FILLED, metavar="[PACKAGE]..."),
    click.option(
        "-t",
        "--tag",
        "names",
        multiple=True,
        type=FILLED,
        metavar="NAME",
        help="Name the image: reg.example/{name}:{version}.",
    ),
    click.option(
        "-o",
        "--output",
        "places",
        multiple=True,
        type=FILLED,
        metavar="PLACE",
        help="Where it goes: oci:DIR, docker-archive:FILE ...",
    ),
    click.option("--push", is_flag=True, help="Push every -t to its registry."),
    click.option("--load", is_flag=True, help="Load it into this machine's engine."),
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        type=FILLED,
        metavar="LIST",
        help="linux/amd64,linux/arm64,linux/arm/v7 ..., or all.",
    ),
    click.option("--base", type=FILLED, metavar="REF", help="static, scratch, distroless, a reference, oci:DIR ..."),
    click.option("--locked", is_flag=True, help="Only what wherry.lock names; else say what moved."),
    click.option("-C", "directory", default=".", type=FILLED, metavar="DIR", help="Start in this folder."),
    click.option(
        "--set",
        "assignments",
        multiple=True,
        type=FILLED,
        metavar="KEY=VALUE",
        help="Any key of wherry.toml: image.user=1000.",
    ),
    click.option("--untrusted", is_flag=True, help="Somebody else's code: no cgo, no stamping, no hooks."),
    click.option(
        "--toolchain", default="local", type=FILLED, metavar="NAME", help="local, auto, or a version as go1.26.8."
    ),
    click.option("--run-hooks/--no-hooks", "hooks", default=None, help="Run wherry.toml's hooks, or leave them out."),
    click.option(
        "--pass-env",
        "pass_environment",
        multiple=True,
        type=NAME,
        metavar="NAME",
        help="A variable templates may read.",
    ),
)


def build_options(command: F) -> F:
    """Adds everything that says what is to be built."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextlib.contextmanager
def standing_in(directory: str) -> Iterator[None]:
    """What errors say to run next, as it must be written by whoever said -C `directory`."""
    try:
        yield
    except WherryError as error:
        for one in error.errors if isinstance(error, Several) else (error,):
            steps = _own(one.next) if one.name in ONE_OF else one.next
            one.with_next(*(_from(directory, step) for step in steps))
        raise


def _own(steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps of the command that was typed, as `wherry build` is not what was wanted; no pattern where one program is."""
    context = click.get_current_context(silent=True)
    typed = (context.info_name or "") if context else ""
    command = ONE_PROGRAM.get(typed, "wherry plan" if typed == "plan" else "")
    if not command:
        return steps
    own = tuple(re.sub(r"^wherry (build|run)\b", command, step) for step in steps)
    return tuple(step for step in own if typed not in ONE_PROGRAM or not step.endswith("..."))


def _from(directory: str, step: str) -> str:
    program, verb, *rest = [*step.split(" "), "", ""]
    if directory in ("", ".") or program != "wherry" or verb not in WITH_FOLDER or "-C" in rest:
        return step
    return " ".join((program, verb, "-C", shlex.quote(directory), *rest)).rstrip()


def request_of(options: dict[str, Any]) -> BuildRequest:
    """The frozen request that the options say."""
    base, said = options.pop("base"), options.pop("platforms")
    image = ImageSettings(base=base) if base else None
    spelled = ((("platforms",), f"--platform {','.join(said)}"), (("image", "base"), f"--base {base}"))
    return BuildRequest(settings=Settings(platforms=listed(said) or None, image=image), spelled=spelled, **options)


def listed(values: tuple[str, ...]) -> tuple[str, ...]:
    """What an option says that takes lists and may come several times."""
    return tuple(part.strip() for value in values for part in value.split(","))
