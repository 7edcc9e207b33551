"""Something worth telling that is not an error: a warning or a note with a name. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.place import Place


class Finding(Value, frozen=True, kw_only=True):
    """`name` is explained by `wherry explain NAME`; `subject` is the import path or file it is about."""

    name: str
    message: str
    severity: str = "warning"
    """warning or note."""
    subject: str = ""
    place: Place | None = None
    next: str = ""
