"""A build with nothing to do. Arguments and environment in, an exit code or None (go the long way) out; standard library only,
unless a registry elsewhere has to be asked.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time

from wherry.cache.folders import locate
from wherry.cache.noop.check import look
from wherry.cache.noop.request import Request
from wherry.cli import streams

#: They change what is shown, not what is built.
LOOKS = frozenset(("-q", "--quiet", "--json", "--timings"))
#: Whoever asks for these wants the whole story.
LONG = frozenset(("--json", "--timings", "--metadata-file"))
#: With these a registry is asked in another way, or not at all.
ELSEWHERE = frozenset(("--offline", "--authfile"))
#: With these nothing is believed, or nothing is built.
FRESH = frozenset(("-h", "--help", "--no-cache"))


def unchanged(
    request: Request, arguments: list[str], environment: dict[str, str]
) -> tuple[int | None, tuple[str, ...] | None]:
    """Answers a build whose every input is as it was, in one line. None when anything is unclear; then with the Go files that are
    all that was edited, if so."""
    began = time.monotonic()
    words = {word.partition("=")[0] for word in arguments}
    result, edited = look(request, locate(environment), functools.partial(_ask, words))
    if result is None or words & LONG:
        return None, edited
    if not words & LOOKS:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"unchanged, {time.monotonic() - began:.2f} s\n")
    return streams.say("".join(f"{line}\n" for line in json.loads(result))), edited


def _ask(words: set[str], row: list[str]) -> bool:
    """Asks a registry that wants TLS or a password. Never against the user's word: with --offline or another file of
    credentials the long way finds out."""
    if words & ELSEWHERE:
        return False
    from wherry.flows.still import still
    from wherry.system.machine import real_machine

    return still(row, real_machine())


def request_of(arguments: list[str], environment: dict[str, str]) -> Request | None:
    """The question these words ask, or None where only the long way answers it."""
    if any(word in FRESH for word in arguments):
        return None
    try:
        return Request(("build", *(word for word in arguments if word not in LOOKS)), os.getcwd(), environment)  # noqa: PTH109 - pathlib costs milliseconds here
    except OSError:
        return None


#: Options of `wherry run` that take no value; all others do.
_BARE = frozenset(("-d", "--detach", "--rm", "--init", "-q", "--quiet", "--offline"))
#: Those that say what is run, where and by what.
_SAID = {"-C": 1, "--platform": 2, "--engine": 3}


def run_request_of(arguments: list[str], environment: dict[str, str]) -> Request | None:
    """The package that these words of `wherry run` mean; None for an image, or where only the long way knows, as with
    settings. Wrong only for words that are wrong themselves, and the command compares (`ahead.session_of`)."""
    said = ["", ".", "", ""]
    seen = False
    words = iter(arguments)
    for word in words:
        if word in FRESH or word == "--":
            break
        name, equals, value = word.partition("=")
        if name == "--set":
            return None
        if name in _SAID:
            said[_SAID[name]] = value if equals else next(words, "")
        elif word.startswith("--"):
            if not equals and name not in _BARE:
                next(words, "")
        elif word.startswith("-"):
            if word not in _BARE and len(word) == 2:
                next(words, "")
        elif not seen:
            said[0], seen = word, True
    if said[0] and not said[0].startswith((".", "/")):
        return None
    offline = ("--offline",) if "--offline" in arguments else ()
    try:
        return Request(("run", *said, *offline), os.getcwd(), environment)  # noqa: PTH109
    except OSError:
        return None
