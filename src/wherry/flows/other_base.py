"""Of a Dockerfile that does not stand on the base that somebody chose. Applications in, findings out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from wherry.generate.dockerfile.variants import passes_over
from wherry.generate.header import Command, words
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.finding import Finding


def other_base(choice: Choice, applications: tuple[Application, ...]) -> Iterator[Finding]:
    """A note for each whose variant has its base by its name."""
    if choice.what != "dockerfile":
        return
    for one in applications:
        if passes_over(choice.variant, one):
            yield Finding(
                name="other-base",
                message=f"--variant {choice.variant} has its own base, not {one.base}",
                severity="note",
                subject=one.name,
                next=f"{words(Command(choice=replace(choice, variant='')))}, which stands on it",
            )
