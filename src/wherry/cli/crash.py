"""A bug of wherry's own. An unexpected exception in; five lines for the user, and a redacted report file out.

This is the one place that catches what nobody foresaw: rule 7 keeps it out of the rooms.
"""

from __future__ import annotations

from wherry import __version__
from wherry.errors import WherryError
from wherry.kit.text import one_line

UNEXPECTED = (Exception,)
OF_CODE = (ImportError, SyntaxError, NameError, AttributeError, TypeError)
"""Their words name modules, attributes and types. Those of others may hold a value of the user's, so they are told nowhere."""


def report(error: Exception, arguments: list[str]) -> WherryError:
    """Writes where it went wrong (no values, no environment, no arguments but the verb) and, of OF_CODE, how to a file; the error
    that names it."""
    import platform
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="wherry-crash-", suffix=".txt", delete=False) as file:
        file.write(f"wherry {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
        file.write(f"command: {arguments[0] if arguments else ''}\n")
        file.write(type(error).__name__ + (f": {one_line(str(error))}" if isinstance(error, OF_CODE) else "") + "\n")
        for frame, line in traceback.walk_tb(error.__traceback__):
            file.write(f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}\n")
    return WherryError(
        "crash",
        f"wherry itself failed ({type(error).__name__}); this is a bug, not your mistake",
        where=file.name,
        next="please report it with that file, which holds no values and no secrets",
    )
