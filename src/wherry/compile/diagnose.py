"""Go's words in, a named error out; touches nothing."""

from __future__ import annotations

from wherry.errors import BuildError, WherryError
from wherry.model.plan import Compilation


def build_error(compilation: Compilation, said: str, code: int, *, reader: str = "") -> WherryError:
    """The error for a `go build` that ended with `code`; its `output` is what Go said, complete."""
    what = ", ".join(target.import_path for target in compilation.targets[:3])
    return BuildError("compile", f"go build of {what} ended with {code}", where=compilation.directory).with_output(said)
