"""What users keep in generated files. An old text and a new one in, the new one with the user's parts out; touches nothing.

    # wherry:keep
    EXPOSE 9090
    # wherry:instead
    # EXPOSE 8080
    # wherry:end

A part stays where it is among the lines around it, wherever these went. The commented lines after `wherry:instead` are generated
ones that the part replaces.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from wherry.errors import UsageError
from wherry.kit.value import Value

_MARK: Final = re.compile(r"\s*(?:#|//)\s*wherry:(keep|instead|end)\s*")
_COMMENT: Final = re.compile(r"\s*(?:#|//) ?")


class Part(Value, frozen=True, kw_only=True):
    """One part of a user's."""

    lines: tuple[str, ...]
    """With its marks."""
    at: int
    """Before which generated line of the old text it stands."""
    instead: tuple[str, ...] = ()
    """The generated lines that it replaces; they follow it."""
    number: int
    """The line where it begins, for messages."""


class Split(Value, frozen=True, kw_only=True):
    """An old text as its generated lines and the parts between them."""

    generated: tuple[str, ...]
    parts: tuple[Part, ...] = ()


def merged(old: str, new: str, name: str) -> str:
    """`new` with all parts of `old`. UsageError [kept-part] for marks without their end, and for a part whose replaced lines are
    others now: nothing of it is lost, and nothing is guessed."""
    split = split_of(old, name)
    if not split.parts:
        return new
    lines = _lines(new)
    moves = _moves(split.generated, lines)
    out, dropped = dict[int, list[str]](), set[int]()
    for part in split.parts:
        at = moves[part.at]
        out.setdefault(at, []).extend(part.lines)
        for offset, replaced in enumerate(part.instead):
            place = moves[part.at + offset]
            if place >= len(lines) or lines[place] != replaced:
                raise _changed(part, replaced, name)
            dropped.add(place)
    made: list[str] = []
    for number in range(len(lines) + 1):
        made += out.get(number, [])
        if number < len(lines) and number not in dropped:
            made.append(lines[number])
    return "\n".join(made) + "\n"


def split_of(text: str, name: str) -> Split:
    """The parts of `text`. UsageError [kept-part]."""
    generated, parts = list[str](), list[Part]()
    part, instead, start, state = list[str](), list[str](), 0, ""
    for number, line in enumerate(_lines(text), 1):
        match = _MARK.fullmatch(line)
        word = match[1] if match else ""
        if word and (word == "keep") != (state == ""):
            raise _unpaired(f"{name}:{number}", word)
        if word == "keep":
            part, instead, start, state = [line], [], number, "keep"
        elif state:
            part.append(line)
            if state == "instead" and not word:
                instead.append(_COMMENT.sub("", line.removesuffix("\r"), count=1))
            state = {"instead": "instead", "end": ""}.get(word, state)
            if word == "end":
                lines = _as_generated(instead, part[0])
                parts.append(Part(lines=tuple(part), at=len(generated), instead=lines, number=start))
                generated += lines
        else:
            generated.append(line.removesuffix("\r"))
    if state:
        raise _unpaired(f"{name}:{start}", "keep")
    return Split(generated=tuple(generated), parts=tuple(parts))


def _lines(text: str) -> list[str]:
    """As every format takes them: a text of the repository may hold what Python, and nobody else, takes for a line's end."""
    return text.removesuffix("\n").split("\n") if text else []


def _as_generated(lines: list[str], mark: str) -> tuple[str, ...]:
    """Replaced lines with the indentation that they had: that of the mark, which stands where they stood."""
    indent = mark[: len(mark) - len(mark.lstrip())]
    return tuple(f"{indent}{line}" if line.strip() else line for line in lines)


def _moves(old: tuple[str, ...], new: list[str]) -> list[int]:
    """For each line of `old`, and its end, where that is in `new`: beside the line before it or, failing that, after it."""
    moves = [0] * (len(old) + 1)
    for tag, low, high, to, to_high in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for position in range(low, high):
            moves[position] = to + position - low if tag == "equal" else min(to + position - low, to_high)
        moves[high] = to_high
    return moves


def _unpaired(place: str, word: str) -> UsageError:
    return UsageError(
        "kept-part",
        f"wherry:{word} stands alone",
        where=place,
        next="write `# wherry:keep` before what is yours, and `# wherry:end` after it",
    )


def _changed(part: Part, replaced: str, name: str) -> UsageError:
    return UsageError(
        "kept-part",
        f"your part replaces a line that is another now: {replaced.strip()[:60]}",
        where=f"{name}:{part.number}",
        next="see the new lines by --diff with the part removed, then write it again",
    )
