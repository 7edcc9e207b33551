"""What is said when one of several places fails. What has been put, and what is left, in; notes out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from wherry.errors import WherryError
from wherry.kit.ports import Event, Events
from wherry.model.image import Published
from wherry.store.place import Place


@contextlib.contextmanager
def partly(published: Sequence[Published], left: Sequence[Place], events: Events) -> Iterator[None]:
    """Before an error of this block: who has the image by then, and who does not. Beside the error that would not be known."""
    try:
        yield
    except WherryError:
        told = [f"{row.place} has it by now" for row in published]
        told += [f"{place} was not begun" for place in left]
        for line in told:
            events(Event(phase="copy", state="note", subject=line))
        raise
