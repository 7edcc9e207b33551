"""wherry.toml. A folder in, tiers of settings out; touches the files it looks for.

All mistakes are told at once, each with its line and the nearest right key (ux row 32, 33). `tomllib` reads, `places` finds the
lines, `check` finds the mistakes.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from wherry import __version__
from wherry.errors import Several, UsageError
from wherry.kit.files import disk_errors, is_beneath
from wherry.kit.text import one_line
from wherry.model.place import Place
from wherry.plan import check, places, requirement
from wherry.plan.tiers import Keys, Tier

NAME: Final = "wherry.toml"
LARGEST: Final = 1 << 18
QUOTED: Final = 50
_AT: Final = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_tiers(root: Path, start: Path, user_file: Path | None = None) -> tuple[Tier, ...]:
    """The user's own settings, then the nearest wherry.toml from `start` up to `root`; lowest first, none when there are none.
    Raises UsageError or Several with every mistake of both."""
    found = find(root, start)
    files = [(user_file, True)] if user_file and user_file.is_file() else []
    files += [(found, False)] if found else []
    tiers, errors = [], list[UsageError]()
    for path, trusted in files:
        try:
            tiers.append(read_file(path, root, trusted=trusted))
        except Several as several:
            errors += (one for one in several.errors if isinstance(one, UsageError))
        except UsageError as error:
            errors.append(error)
    refuse(tuple(errors))
    return tuple(tiers)


def find(root: Path, start: Path) -> Path | None:
    """The wherry.toml in `start` or the nearest folder above it, not above `root`."""
    start, root = Path(os.path.abspath(start)), Path(os.path.abspath(root))  # noqa: PTH100  # resolve() would follow links
    folders = [start, *start.parents]
    inside = folders[: folders.index(root) + 1] if root in folders else [root]
    return next((folder / NAME for folder in inside if os.path.lexists(folder / NAME)), None)


def read_file(path: Path, root: Path, *, trusted: bool = False) -> Tier:
    """The settings in one file. UsageError [unsafe-file], [toml-syntax], [required-version], [unknown-key], [bad-setting]."""
    shown = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    text = _text(path, root, shown, trusted=trusted)
    return parse(text, shown, trusted=trusted)


def parse(text: str, name: str, *, trusted: bool = False) -> Tier:
    """The settings in `text`, which is the file `name`."""
    text = text.replace("\r\n", "\n")
    tree = parsed(text, name)
    known = tuple(located(text, name))
    texts = {keys: f"{place}   {line}" for keys, place, line in known}
    _check_version(tree, texts, name)
    refuse(check.check(tree, lambda keys: nearest(texts, keys, name)))
    folder = os.path.dirname(name) if not name.startswith("/") else ""  # noqa: PTH120  # text, not a file
    return Tier(origin="file", settings=check.settings(tree), trusted=trusted, places=known, directory=folder or ".")


def refuse(errors: tuple[UsageError, ...]) -> None:
    """Raises the mistakes there are, all at once."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)


def _text(path: Path, root: Path, shown: str, *, trusted: bool) -> str:
    """The file's text. Never through a link out of the repository: an error would quote what it holds (A09)."""
    with disk_errors(path):
        regular = stat.S_ISREG(path.stat().st_mode)
        if not regular or not (trusted or is_beneath(path, root)):
            raise UsageError(
                "unsafe-file", f"{shown} is no file of this repository", where=shown, next="make it a plain file"
            )
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(
            "unsafe-file", f"{shown} is larger than 256 KiB", where=shown, next="move what is no setting elsewhere"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            "toml-syntax", f"{shown} is not UTF-8", where=f"{shown}:{line}", next="save it as UTF-8"
        ) from error


def parsed(text: str, name: str) -> dict[str, Any]:
    """TOML as plain values; UsageError [toml-syntax] with the line."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        at = _AT.search(str(error))
        line, column = (int(at[1] or text.count("\n") + 1), int(at[2] or 1)) if at else (1, 1)
        words = _AT.sub("", str(error))
        lines = text.split("\n")
        quoted = _short(lines[min(line, len(lines)) - 1])
        where = f"{Place(file=name, line=line, column=column)}   {quoted}".rstrip()
        step = 'a text has quotes: name = "text"' if words.startswith("Invalid value") else ""
        message = f"{name} is not TOML: {words[:1].lower()}{words[1:]}"
        raise UsageError("toml-syntax", message, where=where, next=step) from error
    except RecursionError as error:
        raise UsageError("toml-syntax", f"{name} is nested too deeply", where=name) from error


def _check_version(tree: dict[str, Any], texts: dict[Keys, str], name: str) -> None:
    """First of all: a newer wherry may know keys that this one does not."""
    required = tree.get("required-version")
    if not isinstance(required, str):
        return
    where = texts.get(("required-version",), name)
    try:
        good = requirement.satisfied(required, __version__)
    except ValueError as error:
        message = f"{required[:40]!r} names no versions"
        raise UsageError("bad-setting", message, where=where, next='required-version = ">=0.1"') from error
    if not good:
        raise UsageError(
            "required-version",
            f"this repository wants wherry {required}, and this is {__version__}",
            where=where,
            next=(f"pip install 'wherry{required.replace(' ', '')}'", "correct required-version, if it is wrong"),
        )


def located(text: str, name: str) -> Iterator[tuple[Keys, Place, str]]:
    """Every key of a TOML text, its place, and its line as messages quote it."""
    offsets, lines = places.scan(text), text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    for keys, offset in offsets.items():
        number = bisect_right(starts, offset)
        place = Place(file=name, line=number, column=offset - starts[number - 1] + 1)
        yield keys, place, _short(lines[number - 1])


def _short(line: str) -> str:
    """A line as messages quote it: one row of a terminal, with its place."""
    text = one_line(line.strip())
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 4]} ..."


def nearest(texts: dict[Keys, str], keys: Keys, name: str) -> str:
    """The place of `keys`, or of what holds them."""
    return next((texts[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in texts), name)
