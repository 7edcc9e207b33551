"""Text of Go's templates inside YAML: what is ours is a template, and nothing else can be one. A document with slots in, a
template's text out; touches nothing.

A slot is written as a word that the document does not contain; then every `{{` of the text is disarmed, and only then do the
slots' own texts take the words' places. So no name, path or comment of a repository becomes part of a template (row I01).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from wherry.formats import yaml
from wherry.formats.yaml import Document, Noted
from wherry.kit.value import Value

OPEN: Final = '{{ "{{" }}'
"""A template that writes `{{`."""

DEEPER: Final = "<deeper>"
"""In the text of `lines`: the number of spaces before what belongs to one of them."""


class Slot(Value, frozen=True, kw_only=True):
    """A piece of a template."""

    text: str
    """An action's inside, `.Values.image | quote`; for `lines` the lines themselves."""
    shape: str = "scalar"
    """scalar: `{{ TEXT }}` in place; block: whole YAML below the key; lines: lines in place of the key and its value."""


def template(document: Mapping[str | Slot, Document]) -> str:
    """One document as a template."""
    word = _unused(repr(document))
    slots: list[Slot] = []
    text = yaml.dump(_worded(document, word, slots)).replace("{{", OPEN)
    return re.sub(rf"^( *)(.*?){word}([0-9]+)x(.*)$", lambda found: _filled(found, slots), text, flags=re.MULTILINE)


def _unused(text: str) -> str:
    word = "slot"
    while word in text:
        word += "t"
    return word


def _worded(document: Document, word: str, slots: list[Slot]) -> Document:
    match document:
        case Slot():
            slots.append(document)
            return f"{word}{len(slots) - 1}x"
        case Noted():
            return Noted(value=_worded(document.value, word, slots), note=document.note)
        case Mapping():
            return {_worded(key, word, slots): _worded(one, word, slots) for key, one in document.items()}
        case list():
            return [_worded(one, word, slots) for one in document]
        case _:
            return document


def _filled(found: re.Match[str], slots: list[Slot]) -> str:
    indent, before, number, after = found.groups()
    slot, deep = slots[int(number)], len(indent) + 2
    match slot.shape:
        case "lines":
            text = slot.text.replace(DEEPER, str(deep))
            return "\n".join(f"{indent}{line}" for line in text.splitlines())
        case "block":
            return f"{indent}{before.rstrip()}\n{' ' * deep}{{{{- {slot.text} | nindent {deep} }}}}"
        case _:
            return f"{indent}{before}{{{{ {slot.text} }}}}{after}"
