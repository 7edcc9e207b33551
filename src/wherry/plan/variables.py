"""Settings from WHERRY_ variables and from `--set KEY=VALUE`, by one rule. Pairs in, a tier out; touches nothing.

`image.stop-signal` is WHERRY_IMAGE_STOP_SIGNAL. A value is a text, or TOML when it begins with `[`, `{` or a quote; lists may
also be written with commas, command lines and flags with blanks.
"""

from __future__ import annotations

import tomllib
from typing import Any, Final

from msgspec import inspect

from wherry.errors import Several, UsageError
from wherry.kit.text import closest
from wherry.model.plan import Origin, Pairs
from wherry.plan import check, words
from wherry.plan.tiers import Keys, Tier

PREFIX: Final = "WHERRY_"
#: Variables that can be nothing else than settings; WHERRY_RUN_DIR is none.
SECTIONS: Final = (f"{PREFIX}IMAGE_", f"{PREFIX}BUILD_", f"{PREFIX}PROVE_", f"{PREFIX}GENERATE_")
#: Lists whose items are words of a command line; in all others, commas separate.
COMMAND_LINES: Final = (
    ("build", "flags"),
    ("image", "args"),
    ("image", "entrypoint"),
    ("image", "health", "command"),
    ("run", "args"),
)
WHOLE: Final = (("build", "ldflags"),)


def from_environment(environment: Pairs) -> Tier:
    """The settings in the variables WHERRY_IMAGE_USER and so on; empty ones count as unset. UsageError [unknown-variable],
    [bad-setting], or Several."""
    if not any(name.startswith(PREFIX) and text for name, text in environment):
        return Tier(origin="environment")  # the usual case, without a look at the settings' type
    known = {variable(keys): (keys, kind) for keys, kind in check.leaves()}
    said = Said()
    for name, text in sorted(environment):
        if name in known and text:
            said.put(*known[name], text, name)
        elif name.startswith(SECTIONS) and text:
            said.errors.append(_unknown(name, tuple(known)))
    return said.tier("environment")


def from_assignments(pairs: tuple[str, ...]) -> Tier:
    """The settings in `KEY=VALUE` texts of the command line, for instance `image.user=1000` or `image.env.LOG=debug`."""
    if not pairs:
        return Tier(origin="flag")
    known = dict(check.leaves())
    said = Said()
    for pair in pairs:
        key, equals, text = pair.partition("=")
        keys, name = _split(key, known), f"--set {key}"
        if keys and equals:
            said.put(keys, known.get(keys), text, name)
        elif keys:
            step = f"--set {key}=VALUE"
            said.errors.append(UsageError("bad-setting", f"{key} gets no value", where=name, next=step))
        else:
            near = closest(key, tuple(map(check.dotted, known)))
            step = f"did you mean {near}?" if near else "write --set image.user=1000"
            said.errors.append(UsageError("unknown-key", f"there is no setting {key[:60]!r}", where=name, next=step))
    return said.tier("flag")


class Said:
    """Values as they are read, what each was called, and the mistakes."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.names: dict[Keys, str] = {}
        self.errors: list[UsageError] = []

    def put(self, keys: Keys, kind: inspect.Type | None, text: str, name: str) -> None:
        """Reads `text` as a `kind` (None: a text) and keeps it under `keys`."""
        self.names[keys] = name
        kinds = check.alternatives(kind) if kind else ()
        try:
            _insert(self.tree, keys, _value(text, keys, kinds) if kinds else text)
        except ValueError as error:
            wanted = " or ".join(dict.fromkeys(map(check.words, kinds)))
            self.errors.append(UsageError("bad-setting", f"{check.dotted(keys)} must be {wanted}: {error}", where=name))

    def tier(self, origin: Origin) -> Tier:
        """All of it, checked as a file is."""
        found = (*self.errors, *check.check(self.tree, self._where))
        if len(found) == 1:
            raise found[0]
        if found:
            raise Several(found)
        places = tuple((keys, None, name) for keys, name in self.names.items())
        return Tier(origin=origin, settings=check.settings(self.tree), places=places)

    def _where(self, keys: Keys) -> str:
        prefixes = (keys[:length] for length in range(len(keys), 0, -1))
        return next((self.names[one] for one in prefixes if one in self.names), check.dotted(keys))


def variable(keys: Keys) -> str:
    """The environment variable of a key."""
    return PREFIX + "_".join(map(str, keys)).upper().replace("-", "_")


def _split(key: str, known: dict[Keys, inspect.Type]) -> Keys:
    """A dotted key as path; below a table of texts (image.env, image.labels) all that follows is one name."""
    for keys, kind in known.items():
        name = check.dotted(keys)
        if key == name:
            return keys
        if key.startswith(f"{name}.") and any(isinstance(one, inspect.DictType) for one in check.alternatives(kind)):
            return (*keys, key[len(name) + 1 :])
    return ()


def _insert(tree: dict[str, Any], keys: Keys, value: Any) -> None:
    *tables, last = map(str, keys)
    for key in tables:
        below = tree.setdefault(key, {})
        if not isinstance(below, dict):
            below = tree[key] = {}
        tree = below
    before = tree.get(last)
    tree[last] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value


def _value(text: str, keys: Keys, kinds: tuple[inspect.Type, ...]) -> Any:
    if (text[:1] in ("[", "{", '"', "'") and keys not in COMMAND_LINES + WHOLE) or text[:2] == '["':
        return tomllib.loads(f"value = {text}")["value"]
    if any(isinstance(one, inspect.VarTupleType) for one in kinds):
        return _items(text, keys)
    if any(isinstance(one, inspect.DictType) for one in kinds):
        return _entries(text)
    if any(isinstance(one, inspect.BoolType) for one in kinds) and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    if any(isinstance(one, inspect.IntType) for one in kinds) and text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    if any(isinstance(one, inspect.FloatType) for one in kinds):
        return float(text)
    return text


def _items(text: str, keys: Keys) -> list[str]:
    if keys in WHOLE:
        return [text]
    if keys in COMMAND_LINES:
        return list(words.split(text))
    return [item.strip() for item in text.split(",") if item.strip()]


def _entries(text: str) -> dict[str, str]:
    entries = {}
    for item in text.split(","):
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise ValueError("write NAME=VALUE,NAME=VALUE or a TOML table")
        entries[name.strip()] = value
    return entries


def _unknown(name: str, known: tuple[str, ...]) -> UsageError:
    section = next(one for one in SECTIONS if name.startswith(one))
    words = {one.removeprefix(section).lower(): one for one in known if one.startswith(section)}
    near = words.get(closest(name.removeprefix(section), tuple(words)), "")
    step = f"did you mean {near}?" if near else f"unset {name}"
    return UsageError("unknown-variable", f"{name} is no setting of wherry", where=name, next=step)
