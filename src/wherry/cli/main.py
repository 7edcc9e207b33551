"""The whole command line. Arguments in, an exit code out; the only place that knows exit codes (rule 7)."""

from __future__ import annotations

import contextlib
import os
import re
import sys

import click

from wherry import errors
from wherry.cli import crash, homes, streams
from wherry.cli.commands import VERBS, load
from wherry.cli.output import Output, standard_output
from wherry.cli.signals import deaf, hear
from wherry.kit.text import closest

#: Error class → exit code (design §5). The first class that fits counts.
EXIT_CODES: tuple[tuple[type[errors.WherryError], int], ...] = (
    (errors.UsageError, 2),
    (errors.RefusedError, 1),
    (errors.BuildError, 3),
    (errors.UnavailableError, 4),
    (errors.UnknownError, 5),
    (errors.CorruptError, 5),
)
INTERRUPTED = 130
#: Verbs that are asked for files or images.
WRITING = frozenset(
    {"build", "profile", "init", "generate", "push", "pull", "copy", "annotate", "rebase", "base", "registry", "cache"}
)


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


def run(arguments: list[str]) -> int:
    """Runs the command; every error becomes one clear text and its exit code."""
    hear()
    output = standard_output()
    try:
        code = cli.main(arguments, prog_name="wherry", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except errors.WherryError as error:
        return _failed(error, output, arguments)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _failed(_usage(error, arguments), output, arguments)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(output, arguments)
    except BrokenPipeError:
        return streams.quit_early()
    except crash.UNEXPECTED as error:
        return _unexpected(error, output, arguments)


def _failed(error: errors.WherryError, output: Output, arguments: list[str]) -> int:
    """Tells the error, to programs too where they listen; the exit code."""
    output.progress("")
    output.error(homes.with_way_out(error))
    if "--json" in arguments:
        from wherry.cli import documents

        with contextlib.suppress(errors.UnavailableError, BrokenPipeError):
            output.document(documents.error_document(error))
    return exit_code(error)


def _unexpected(error: Exception, output: Output, arguments: list[str]) -> int:
    """What no room foresaw: a stream or file of this machine that could not be used, else a bug of ours."""
    if streams.is_lost():
        return streams.lost()
    if isinstance(error, OSError) and error.filename:
        what = os.strerror(error.errno or 0)
        refused = errors.UnavailableError("disk", f"a file could not be used: {what}", where=str(error.filename))
        return _failed(refused, output, arguments)
    return _failed(crash.report(error, arguments), output, arguments)


def exit_code(error: errors.WherryError) -> int:
    """The exit code of `error`; of several, that of the gravest (build before usage)."""
    if isinstance(error, errors.Several):
        return max(exit_code(one) for one in error.errors)
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 5)


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


def _interrupted(output: Output, arguments: list[str]) -> int:
    """What runs or shows something writes nothing, so nobody asks what is left of it."""
    deaf()
    output.progress("")
    verb = arguments[0] if arguments else ""
    output.line("interrupted; nothing half-written is left" if verb in WRITING else "interrupted")
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
