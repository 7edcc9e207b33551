"""A failed `go build` in, a named error out that carries Go's words; looks which files exist."""

from __future__ import annotations

import re

from wherry.errors import BuildError, WherryError
from wherry.formats import gofailures
from wherry.formats.goplaces import followed, places
from wherry.model.plan import Compilation

SAID = 3
"""Lines of Go that are shown of a full disk."""
_PROGRESS = re.compile(r"go: downloading \S+ \S+$")


def build_error(compilation: Compilation, said: str, code: int, *, reader: str = "") -> WherryError:
    """The error for a `go build` that ended with `code`; its `output` is what Go said, with places relative to `reader`."""
    packages = tuple(target.import_path for target in compilation.targets)
    words = followed(
        "".join(line for line in said.splitlines(keepends=True) if not _PROGRESS.match(line)),
        compilation.directory,
        reader,
    )
    where = places(words)[:3] or (compilation.directory,)
    facts = gofailures.Facts(packages=named(packages), where=where, code=code)
    error = gofailures.failure(words, facts) or _compile(facts, words)
    return error.with_output(_begun(words) if error.name == "disk" else words)


def _begun(words: str) -> str:
    """The first lines: on a full disk each compiler says the same."""
    lines = words.splitlines(keepends=True)
    rest = len(lines) - SAID
    return words if rest <= 1 else f"{''.join(lines[:SAID])}... and {rest} more lines of the kind\n"


def _compile(facts: gofailures.Facts, words: str) -> BuildError:
    broken = named(gofailures.failed_packages(words)) or facts.packages
    return BuildError(
        "compile",
        f"{broken} cannot be compiled",
        where=facts.where[:1],
        next="mend what Go says above, then build again",
    )


def named(packages: tuple[str, ...]) -> str:
    """Packages for a sentence: the first ones, and how many more."""
    rest = f" and {len(packages) - 2} more" if len(packages) > 2 else ""
    return ", ".join(packages[:2]) + rest
