"""Files of container-structure-test, version 2.0.0. YAML text in, tests as values out; touches nothing.

Strict: an unknown key is a test that nobody would run. What is wrong is told with its line.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from wherry.errors import UsageError
from wherry.kit.text import closest, one_line
from wherry.kit.value import Value, decodable

Scalar = str | int | float | bool
LARGEST: Final = 1 << 18
NODES: Final = 20_000
"""Values of one file, those behind aliases counted each time."""
_FIELD: Final = re.compile(r"unknown field `([^`]*)`")
_PATH: Final = re.compile(r" - at `\$([^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


class Pair(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A variable or a label."""

    key: str
    value: Scalar = ""
    is_regex: bool = False


class CommandTest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A command, and what it must say and end with."""

    name: str
    command: str
    args: tuple[Scalar, ...] = ()
    env_vars: tuple[Pair, ...] = ()
    setup: tuple[tuple[Scalar, ...], ...] = ()
    teardown: tuple[tuple[Scalar, ...], ...] = ()
    exit_code: int = 0
    expected_output: tuple[Scalar, ...] = ()
    excluded_output: tuple[Scalar, ...] = ()
    expected_error: tuple[Scalar, ...] = ()
    excluded_error: tuple[Scalar, ...] = ()


class FileExistenceTest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A path that is there, or is not, and of whom."""

    name: str
    path: str
    should_exist: bool = True
    permissions: str = ""
    uid: int | None = None
    gid: int | None = None
    is_executable_by: str = ""


class FileContentTest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a file must say."""

    name: str
    path: str
    expected_contents: tuple[Scalar, ...] = ()
    excluded_contents: tuple[Scalar, ...] = ()


class MetadataTest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What the image's settings must say."""

    env: tuple[Pair, ...] = ()
    env_vars: tuple[Pair, ...] = ()
    unbound_env_vars: tuple[Pair, ...] = ()
    labels: tuple[Pair, ...] = ()
    exposed_ports: tuple[Scalar, ...] = ()
    unexposed_ports: tuple[Scalar, ...] = ()
    entrypoint: tuple[Scalar, ...] | None = None
    cmd: tuple[Scalar, ...] | None = None
    workdir: str = ""
    user: Scalar = ""
    volumes: tuple[str, ...] = ()
    unmounted_volumes: tuple[str, ...] = ()


class LicenseTest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Files that must name no licence of a short list."""

    debian: bool = False
    files: tuple[str, ...] = ()


class RunOptions(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """How containers of commands would be started by Docker."""

    user: Scalar = ""
    privileged: bool = False
    allocate_tty: bool = msgspec.field(default=False, name="allocateTty")
    env_file: str = ""
    env_vars: tuple[Scalar, ...] = ()
    capabilities: tuple[str, ...] = ()
    bind_mounts: tuple[str, ...] = ()


class Structure(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One file."""

    schema_version: Scalar
    global_env_vars: tuple[Pair, ...] = ()
    command_tests: tuple[CommandTest, ...] = ()
    file_existence_tests: tuple[FileExistenceTest, ...] = ()
    file_content_tests: tuple[FileContentTest, ...] = ()
    metadata_test: MetadataTest | None = None
    license_tests: tuple[LicenseTest, ...] = ()
    container_run_options: RunOptions = RunOptions()


def parse(text: str, name: str) -> Structure:
    """The tests in `text`, which is the file `name`. UsageError [structure-test] with the line of the first mistake."""
    tree = _tree(text, name)
    if str(tree.get("schemaVersion", "")) not in ("2.0.0", "2.0"):
        raise _refused("it is of no version that is known here", name, tree, ".schemaVersion", "schemaVersion: 2.0.0")
    try:
        found = msgspec.convert(tree, decodable(Structure))
    except UnicodeEncodeError as error:  # half of a character, which YAML may write
        raise _refused("it holds half of a character", name, tree, "", "write the character itself") from error
    except msgspec.ValidationError as error:
        path = _PATH.search(str(error))
        words = _PATH.sub("", str(error)).replace("`", "")
        unknown = _FIELD.search(str(error))
        step = _near(unknown[1]) if unknown else ""
        where = (path[1] if path else "") + (f".{unknown[1]}" if unknown else "")
        raise _refused(words[:1].lower() + words[1:], name, tree, where, step) from error
    _compiled(found, name)
    return found


def plain(value: Scalar) -> str:
    """A value as Go's YAML gives it to a text: true and false as they are written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tree(text: str, name: str) -> Any:
    from ruamel.yaml import YAML  # 30 ms that only who has such a file pays
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="rt", pure=True)
    try:
        tree = reader.load(text)
        left = _count(tree, NODES)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(
            "structure-test", f"{name} is not YAML: {one_line(str(error.problem))}", where=f"{name}:{line}"
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise UsageError("structure-test", f"{name} is not YAML that can be read", where=name) from error
    if not isinstance(tree, dict):
        raise UsageError("structure-test", f"{name} holds no tests", where=name, next="schemaVersion: 2.0.0")
    if left <= 0:
        raise UsageError("structure-test", f"{name} holds more than anybody would test", where=name)
    return tree


def _count(value: Any, left: int) -> int:
    """How many of `left` values are left after this one: stops below zero."""
    left -= 1
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        if left <= 0:
            return 0
        left = _count(one, left)
    return left


def _compiled(found: Structure, name: str) -> None:
    """Every pattern is one. Go's RE2 is the smaller language, so what is refused here would not be found there either."""
    rows: list[tuple[str, tuple[Scalar, ...]]] = []
    for one in found.command_tests:
        rows += (
            (one.name, (*one.expected_output, *one.excluded_output)),
            (one.name, (*one.expected_error, *one.excluded_error)),
        )
    rows += [(one.name, (*one.expected_contents, *one.excluded_contents)) for one in found.file_content_tests]
    for test, patterns in rows:
        for pattern in patterns:
            try:
                re.compile(plain(pattern))
            except (re.error, OverflowError, RecursionError) as error:
                message = f"{plain(pattern)[:60]!r} is no pattern: {error}"
                raise UsageError("structure-test", message, where=f"{name}   {test[:60]}") from error


def _refused(message: str, name: str, tree: Any, path: str, step: str) -> UsageError:
    line = _line(tree, path)
    where = f"{name}:{line}   {path.removeprefix('.')}" if line else name
    return UsageError("structure-test", message, where=where, next=step)


def _line(tree: Any, path: str) -> int:
    """The line of a path like `.commandTests[0].name`, or of what holds it; 0: unknown."""
    line = 0
    for key, number in _STEP.findall(path):
        step: Any = int(number) if number else key
        try:
            place = tree.lc.item(step) if number else tree.lc.key(step)
            line, tree = place[0] + 1, tree[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _near(key: str) -> str:
    kinds = (Structure, CommandTest, FileExistenceTest, FileContentTest, MetadataTest, LicenseTest, RunOptions, Pair)
    known = tuple(dict.fromkeys(name for kind in kinds for name in kind.__struct_encode_fields__))
    near = {one.lower(): one for one in known}.get(closest(key, tuple(one.lower() for one in known)), "")
    return f"did you mean {near}?" if near else ""
