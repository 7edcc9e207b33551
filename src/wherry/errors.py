"""The one error tree. A name, what happened, where, why and what to do next in; one exception out; touches nothing.

Exit codes are not here: only `cli` knows them (rule 7). Each name has a page in `cli/pages/NAME.md`, which `wherry explain NAME`
prints; a house test compares the two sets.
"""

from __future__ import annotations

from typing import Final


class WherryError(Exception):
    """What happened (one sentence, no full stop), where (`path:line:col` first), why, and what to do next."""

    def __init__(
        self,
        name: str,
        message: str,
        *,
        where: str | tuple[str, ...] = (),
        why: str = "",
        next: str | tuple[str, ...] = (),  # noqa: A002 - the word users see
    ) -> None:
        super().__init__(message)
        self.name: Final = name
        self.message: Final = message
        self.where = _texts(where)
        self.why: Final = why
        self.next = _texts(next)
        #: Foreign output that belongs to the error (Go's own words, a registry's answer), shown verbatim before it.
        self.output = ""

    def at(self, where: str) -> WherryError:
        """The same error with the words that the user wrote (`-o oci:`) as its first place."""
        self.where = (where, *self.where)
        return self

    def with_next(self, *steps: str) -> WherryError:
        """The same error with other steps to go on with."""
        self.next = steps
        return self

    def with_output(self, output: str) -> WherryError:
        """The same error carrying another program's words."""
        self.output = output
        return self


def _texts(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in ((given,) if isinstance(given, str) else given) if text)


class UsageError(WherryError):
    """The words on the command line or in wherry.toml are wrong: the user mends them."""


class RefusedError(WherryError):
    """A gate or check said no."""


class BuildError(WherryError):
    """The sources, or something made from them, cannot be built."""


class UnavailableError(WherryError):
    """This machine cannot do it: a program, a right, space, a server is missing. Says how to get it."""


class UnknownError(WherryError):
    """Could not be told: the answer is neither yes nor no."""


class CorruptError(WherryError):
    """Bytes from outside, or from a store, are not what their name, digest or format says."""


class Several(WherryError):
    """Several errors found in one run; each is shown once."""

    def __init__(self, errors: tuple[WherryError, ...]) -> None:
        if not errors:
            raise ValueError("no errors")
        first = errors[0]
        super().__init__(first.name, first.message, where=first.where, why=first.why, next=first.next)
        self.errors: Final = errors
