"""A bug of wherry's own. An unexpected exception in; five lines for the user, and a redacted report file out.

This is the one place that catches what nobody foresaw: rule 7 keeps it out of the rooms.
"""

from __future__ import annotations

from pathlib import Path

from wherry import __version__
from wherry.errors import WherryError

UNEXPECTED = (Exception,)


def report(error: Exception, arguments: list[str]) -> WherryError:
    """Writes where it went wrong (no values, no environment, no arguments but the verb) to a file; the error that names it."""
    import platform
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="wherry-crash-", suffix=".txt", delete=False) as file:
        file.write(f"wherry {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
        file.write(f"command: {arguments[0] if arguments else ''}\n{type(error).__name__}\n")
        for frame in traceback.extract_tb(error.__traceback__):
            file.write(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}\n")
    return WherryError(
        "crash",
        f"wherry itself failed ({type(error).__name__}); this is a bug, not your mistake",
        where=file.name,
        next="please report it with that file, which holds no values and no secrets",
    )
