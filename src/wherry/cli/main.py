"""How a command ends. What is to be run in, an exit code out; the only place that knows exit codes (rule 7).

Without click, which plain words of `push` and `copy` need not wait for: `verbs` has the commands.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from wherry import errors
from wherry.cli import crash, homes, streams
from wherry.cli.output import Output, standard_output
from wherry.cli.signals import deaf, hear, last_words

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


def run(arguments: list[str], command: Callable[[], int] | None = None) -> int:
    """Runs `command`, that of the arguments when none is given; every error becomes one clear text and its exit code."""
    hear()
    output = standard_output()
    try:
        if command is not None:
            return command()
        from wherry.cli.verbs import called

        return called(arguments)
    except errors.WherryError as error:
        return _failed(error, output, arguments)
    except KeyboardInterrupt:
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
    if streams.is_lost() or (isinstance(error, OSError) and _is_clicks(error)):
        return streams.lost()
    if isinstance(error, OSError) and error.filename:
        what = os.strerror(error.errno or 0)
        refused = errors.UnavailableError("disk", f"a file could not be used: {what}", where=str(error.filename))
        return _failed(refused, output, arguments)
    return _failed(crash.report(error, arguments), output, arguments)


def _is_clicks(error: Exception) -> bool:
    """Whether it was raised while click wrote a help text: what could not be written is gone then, and the stream looks well."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "click.utils"


def exit_code(error: errors.WherryError) -> int:
    """The exit code of `error`; of several, that of the gravest (build before usage)."""
    if isinstance(error, errors.Several):
        return max(exit_code(one) for one in error.errors)
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 5)


def _interrupted(output: Output, arguments: list[str]) -> int:
    deaf()
    output.progress("")
    output.line(last_words(arguments))
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
