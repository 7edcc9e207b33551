"""The verbs as click has them. Arguments in, the command's exit code out; what they do not mean is one UsageError."""

from __future__ import annotations

import re

import click

from wherry import errors
from wherry.cli import crash
from wherry.cli.commands import VERBS, load
from wherry.kit.text import closest


class Verbs(click.Group):
    """The verbs; a slip gets the right word (ux row 14)."""

    def list_commands(self, _ctx: click.Context, /) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str, /) -> click.Command | None:
        return load(cmd_name) if cmd_name in VERBS else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter, /) -> None:
        """Every verb, also when one cannot be loaded: that is told when it is called."""
        room = formatter.width - 6 - max(map(len, VERBS))
        with formatter.section("Commands"):
            formatter.write_dl([(verb, _short(verb, room)) for verb in VERBS])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            near = FOREIGN.get(name) or closest(name, VERBS)
            raise errors.UsageError(
                "unknown-command",
                f"there is no command {name!r}" + (f"; did you mean {near}?" if near else ""),
                next=f"wherry {near} --help" if near else "wherry --help",
            )
        return super().resolve_command(ctx, args)


def _short(verb: str, room: int) -> str:
    try:
        return load(verb).get_short_help_str(room)
    except crash.UNEXPECTED:
        return f"Broken here: wherry {verb} says how."


#: Words of neighbouring tools, and what they are called here.
FOREIGN = {
    "publish": "build --push",
    "bake": "build ./...",
    "buildx": "build",
    "image": "inspect",
    "images": "inspect",
    "lock": "base lock",
    "outdated": "base outdated",
    "resolve": "plan",
    "create": "run -d",
    "start": "run",
    "restart": "stop",
    "kill": "stop --signal KILL",
    "container": "ps",
    "containers": "ps",
    "top": "stats",
    "attach": "logs --follow",
    "wait": "logs --follow",
    "port": "ps",
    "shell": "debug",
    "sh": "debug",
    "nsenter": "debug",
    "info": "doctor",
    "login": "registry login",
    "logout": "registry logout",
    "system": "cache df",
    "clean": "cache prune",
    "prune": "cache prune",
    "help": "--help",
}


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="wherry", message="wherry %(version)s")
def cli() -> None:
    """Takes a Go repository to a small, safe, reproducible container image."""


def called(arguments: list[str]) -> int:
    """Runs the command that the arguments name. UsageError [usage] and [unknown-command] beside the command's own errors,
    KeyboardInterrupt."""
    try:
        code = cli.main(arguments, prog_name="wherry", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        raise _usage(error, arguments) from error
    except click.Abort:  # what click makes of an interrupt
        raise KeyboardInterrupt from None


def _usage(error: click.ClickException, arguments: list[str]) -> errors.UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else " ".join(("wherry", *(one for one in arguments[:1] if one in VERBS)))
    word = getattr(error, "option_name", "") or getattr(error, "command_name", "")
    near = closest(word, tuple(getattr(error, "possibilities", None) or ()))
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
        names = error.ctx.command.list_commands(error.ctx)
        return errors.UsageError("usage", f"{command} needs one of {', '.join(names)}", next=f"{command} --help")
    message = " ".join(re.split(r" \(?Did you mean", error.format_message())[0].split()).rstrip(".")
    message = message[:1].lower() + message[1:] + (f"; did you mean {near}?" if near else "")
    return errors.UsageError("usage", message, next=f"{command} --help")
