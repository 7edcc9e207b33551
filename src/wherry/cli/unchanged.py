"""A build with nothing to do. Arguments and environment in, an exit code or None (go the long way) out; standard library only."""

from __future__ import annotations

import json
import os
import sys
import time

from wherry.cache.folders import locate
from wherry.cache.noop.check import unchanged as known_result
from wherry.cache.noop.request import Request

#: Whoever asks for these wants the whole story, or a fresh one.
LONG = ("-h", "--help", "--json", "--metadata-file", "--no-cache", "--timings")


def unchanged(arguments: list[str], environment: dict[str, str]) -> int | None:
    """Answers a build whose every input is as it was, in one line; None when anything is unclear."""
    began = time.monotonic()
    request = request_of(arguments, environment)
    result = known_result(request, locate(environment)) if request else None
    if result is None:
        return None
    try:
        if not {"-q", "--quiet"} & set(arguments):
            sys.stderr.write(f"unchanged, {time.monotonic() - began:.2f} s\n")
        sys.stdout.write("".join(f"{line}\n" for line in json.loads(result)))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 0


def request_of(arguments: list[str], environment: dict[str, str]) -> Request | None:
    """The question these words ask, or None where only the long way answers it."""
    if any(word.split("=")[0] in LONG for word in arguments):
        return None
    try:
        return Request(("build", *arguments), os.getcwd(), environment)
    except OSError:
        return None
