"""Struct tags (reflect.StructTag). The text between the backquotes in, its pairs out; touches nothing."""

from __future__ import annotations

from wherry.analyze.source.expressions import is_variable_name

MOST = 16
#: Keys whose value names an environment variable.
ENVIRONMENT_TAGS = ("env", "envconfig", "mapstructure")


def names_variable(key: str, value: str) -> bool:
    """Whether a pair names an environment variable; viper's tags name keys, which are variables where they look like ones."""
    return key in ENVIRONMENT_TAGS and (key != "mapstructure" or is_variable_name(value))


def pairs_of(tag: str) -> tuple[tuple[str, str], ...]:
    """`env:"PORT" default:"8080"` as pairs; stops at the first word that is no pair, as Go does."""
    found: list[tuple[str, str]] = []
    rest = tag.strip()
    while rest and len(found) < MOST:
        key, separator, rest = rest.partition(":")
        if not separator or not rest.startswith('"') or not key or " " in key:
            break
        end = _closing_quote(rest)
        if end < 0:
            break
        found.append((key, rest[1:end].replace('\\"', '"').replace("\\\\", "\\")))
        rest = rest[end + 1 :].lstrip()
    return tuple(found)


def _closing_quote(text: str) -> int:
    position = 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == '"':
            return position
        position += 1
    return -1
