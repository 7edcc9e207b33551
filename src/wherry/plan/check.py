"""Whether a tree of plain values has the shape of the settings. A tree in, every mistake out at once; touches nothing.

msgspec stops at the first mistake and does not know where it stands; this walk goes over the same types and finds all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import inspect

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.kit.value import decodable
from wherry.model.settings import Settings
from wherry.model.verdict import CHECKS, TEST
from wherry.plan.tiers import Keys

Where = Callable[[Keys], str]
MOST: Final = 20
#: Words of neighbouring tools, and what they are called here.
FOREIGN: Final = {
    "cmd": "args",
    "command": "entrypoint",
    "environment": "env",
    "expose": "ports",
    "from": "base",
    "goflags": "flags",
    "healthcheck": "health",
    "image": "base",
    "baseimage": "base",
    "defaultbaseimage": "base",
    "defaultplatforms": "platforms",
    "builds": "main",
    "stopsignal": "stop-signal",
    "working-dir": "workdir",
    "working-directory": "workdir",
}


#: Keys that mean nothing when they are empty; of others, an empty list takes back what a lower tier says.
FILLED: Final = ("packages", "platforms", "base", "name", "pgo", "user", "workdir", "stop-signal", "reason")
_LISTS_OF_CHECKS: Final = (("prove", "only"), ("prove", "skip"), ("prove", "unknown"))
#: Words that are no check there: a variable's one word is a list, too.
_ALL_UNKNOWNS: Final = (("unknown", "accept"), ("unknown", "fail"))
#: Lists of words, which people write as one text.
WORDS: Final = ("entrypoint", "args", "command", "tags", "flags")


@cache
def structure() -> inspect.Type:
    """The settings' type as a value."""
    return inspect.type_info(Settings)


def check(tree: dict[str, Any], where: Where, kind: inspect.Type | None = None) -> tuple[UsageError, ...]:
    """The mistakes in `tree`, up to MOST: UsageError [unknown-key], [bad-setting] and [no-check], each with its place. `kind`:
    another type than the settings'."""
    return tuple(islice(_walk(tree, kind or structure(), (), where), MOST))


def settings(tree: dict[str, Any]) -> Settings:
    """A checked tree as settings."""
    return msgspec.convert(tree, decodable(Settings))


def _walk(value: Any, kind: inspect.Type, keys: Keys, where: Where) -> Iterator[UsageError]:
    fitting = next((one for one in alternatives(kind) if _fits(value, one)), None)
    match fitting:
        case inspect.StructType():
            yield from _table(value, fitting, keys, where)
        case inspect.DictType():
            for key, one in value.items():
                yield from _walk(one, fitting.value_type, (*keys, key), where)
        case inspect.VarTupleType():
            if not value and keys[-1] in FILLED:
                yield UsageError("bad-setting", f"{dotted(keys)} is empty", where=where(keys), next="leave it out")
            for number, one in enumerate(value):
                yield from _walk(one, fitting.item_type, (*keys, number), where)
        case inspect.Type() if _names_check(keys) and not is_check(value) and (keys[-2], value) not in _ALL_UNKNOWNS:
            yield no_check(value, where(keys))
        case inspect.Type():
            if isinstance(value, str) and not value.strip() and keys[-1] in FILLED:
                step = "say why, for who reads the report" if keys[-1] == "reason" else "leave it out"
                yield UsageError("bad-setting", f"{dotted(keys)} is empty", where=where(keys), next=step)
        case None:
            wanted = " or ".join(dict.fromkeys(map(words, alternatives(kind))))
            yield UsageError(
                "bad-setting", f"{dotted(keys)} must be {wanted}", where=where(keys), next=_repair(value, kind, keys)
            )


def _names_check(keys: Keys) -> bool:
    """Whether what stands there is the name of a check of `wherry prove`."""
    return keys[-3:-1] in _LISTS_OF_CHECKS or (keys[-4:-2] == ("prove", "waive") and keys[-1] == "check")


def is_check(name: str) -> bool:
    """Whether there is such a check, or may be one of a file of tests."""
    return name in CHECKS or name.startswith(TEST)


def no_check(name: str, where: str) -> UsageError:
    """The error for a name that no check has."""
    near = closest(name, CHECKS)
    step = f"did you mean {near}?" if near else f"one of {', '.join(CHECKS)}"
    return UsageError("no-check", f"there is no check {name[:40]!r}", where=where, next=step)


def _table(value: dict[str, Any], kind: inspect.StructType, keys: Keys, where: Where) -> Iterator[UsageError]:
    fields = {field.encode_name: field for field in kind.fields}
    for key, one in value.items():
        if key in fields:
            yield from _walk(one, fields[key].type, (*keys, key), where)
        else:
            yield _unknown(key, (*keys, key), kind, where)
    for name, field in fields.items():
        if field.required and name not in value:
            yield UsageError("bad-setting", f"{dotted(keys)} lacks the key {name}", where=where(keys))


def _unknown(key: str, keys: Keys, kind: inspect.StructType, where: Where) -> UsageError:
    known = tuple(field.encode_name for field in kind.fields)
    table = dotted(keys[:-1])
    message = f"there is no key {key[:60]!r} in [{table}]" if table else f"there is no key {key[:60]!r}"
    own = kind.cls.__module__ == Settings.__module__
    near = _meant(key[:60], keys, known) if own else closest(key[:60].replace("_", "-"), known)
    step = f"did you mean {near}?" if near else f"its keys are {', '.join(known)}"
    return UsageError("unknown-key", message, where=where(keys), next=step)


def _meant(key: str, keys: Keys, known: tuple[str, ...]) -> str:
    """The nearest key of this table, else the very key of another table, else nothing."""
    plain = key.lower().replace("_", "-")
    if plain in known:
        return plain
    if FOREIGN.get(plain) in known:
        return FOREIGN[plain]
    elsewhere = {str(path[-1]): dotted(path) for path, _ in reversed(leaves()) if len(path) == 2}
    word = FOREIGN.get(plain, plain)
    if len(keys) <= 2 and word in elsewhere:
        return elsewhere[word]
    return closest(plain, known) or (elsewhere.get(closest(plain, tuple(elsewhere)), "") if len(keys) <= 2 else "")


@cache
def leaves() -> tuple[tuple[Keys, inspect.Type], ...]:
    """Every key that can be set by a flag or variable, with its type: not single mains, nor lists of tables."""
    return tuple(_leaves(structure(), ()))


def _leaves(kind: inspect.Type, keys: Keys) -> Iterator[tuple[Keys, inspect.Type]]:
    assert isinstance(kind, inspect.StructType)
    for field in kind.fields:
        path = (*keys, field.encode_name)
        nested = next((one for one in alternatives(field.type) if isinstance(one, inspect.StructType)), None)
        if path in (("main",), ("required-version",)):
            continue
        if nested is None or any(isinstance(one, inspect.BoolType) for one in alternatives(field.type)):
            yield path, field.type
        if nested is not None:
            yield from _leaves(nested, path)


def alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    """The types of a union but None; of another type itself."""
    if isinstance(kind, inspect.Metadata):
        return alternatives(kind.type)
    if isinstance(kind, inspect.UnionType):
        return tuple(inner for one in kind.types for inner in alternatives(one))
    return () if isinstance(kind, inspect.NoneType) else (kind,)


def _fits(value: Any, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
        case inspect.VarTupleType():
            return isinstance(value, list)
        case inspect.LiteralType():
            return isinstance(value, str) and value in kind.values
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        case inspect.FloatType():
            return isinstance(value, float)
        case inspect.DateType():
            return _is_date(value)
        case _:
            return isinstance(value, str)


def _is_date(value: Any) -> bool:
    """A day as TOML writes it, or as a text; no moment, which is a day to some and another to others."""
    if isinstance(value, str):
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
        return len(value) == len("2027-01-31")
    return isinstance(value, date) and not isinstance(value, datetime)


def words(kind: inspect.Type) -> str:
    """A type in words: `a text`, `a list of texts`, `one of debug, all, none`."""
    match kind:
        case inspect.StructType() | inspect.DictType():
            return "a table"
        case inspect.VarTupleType():
            inner = " or ".join(
                dict.fromkeys(words(one).removeprefix("a ") + "s" for one in alternatives(kind.item_type))
            )
            return f"a list of {inner}"
        case inspect.LiteralType():
            return f"one of {', '.join(map(str, kind.values))}"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            return "a number"
        case inspect.DateType():
            return "a day like 2027-01-31"
        case _:
            return "a text"


def dotted(keys: Keys) -> str:
    """`image.assets[0].from`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key[:60]}" for key in keys)
    return text.removeprefix(".")


def _repair(value: Any, kind: inspect.Type, keys: Keys) -> str:
    wants_list = any(isinstance(one, inspect.VarTupleType) for one in alternatives(kind))
    wants_table = any(isinstance(one, inspect.DictType) for one in alternatives(kind))
    literal = next((one for one in alternatives(kind) if isinstance(one, inspect.LiteralType)), None)
    if wants_list and isinstance(value, str) and value.isprintable() and '"' not in value:
        items = value[:60].split() if isinstance(keys[-1], int) or keys[-1] in WORDS else [value[:60]]
        listed = ", ".join(f'"{item}"' for item in items)
        return f"[{listed}]" if isinstance(keys[-1], int) else f"{keys[-1]} = [{listed}]"
    if literal and isinstance(value, str):
        near = closest(value, tuple(map(str, literal.values)))
        return f"did you mean {near}?" if near else ""
    if wants_table:
        return f'{keys[-1]} = {{ NAME = "value" }}'
    if any(isinstance(one, inspect.BoolType) for one in alternatives(kind)) and value in (
        "yes",
        "on",
        "no",
        "off",
        0,
        1,
    ):
        return f"{keys[-1]} = {'true' if value in ('yes', 'on', 1) else 'false'}"
    return ""
