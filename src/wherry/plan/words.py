"""Flags as Go writes them into one string, and back (`cmd/internal/quoted`). Text in, words out; touches nothing."""

from __future__ import annotations

from wherry.errors import UsageError

_SPACE = " \t\n\r"


def split(text: str) -> tuple[str, ...]:
    """Words between blanks; one that begins with ' or " ends at the next, without escapes. ValueError when unclosed."""
    words, position = [], 0
    while position < len(text):
        if text[position] in _SPACE:
            position += 1
        elif text[position] in "'\"":
            end = text.find(text[position], position + 1)
            if end < 0:
                raise ValueError(f"unclosed {text[position]} in {text!r}")
            words.append(text[position + 1 : end])
            position = end + 1
        else:
            end = next((place for place in range(position, len(text)) if text[place] in _SPACE), len(text))
            words.append(text[position:end])
            position = end
    return tuple(words)


def join(words: tuple[str, ...]) -> str:
    """One string that Go splits into `words` again. UsageError [bad-setting] for a word that Go cannot quote."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word and word[0] not in "'\"" and not any(blank in word for blank in _SPACE):
        return word
    for quote in "'\"":
        if quote not in word:
            return f"{quote}{word}{quote}"
    raise UsageError(
        "bad-setting", f"{word[:80]!r} holds a blank and both kinds of quotes, which Go cannot take", where=word[:80]
    )
