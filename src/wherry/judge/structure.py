"""Tests of container-structure-test. A test and what was seen in, a verdict each out; pure.

Where Go's and Python's patterns differ, Python's count; `(?m)` and the like mean the same in both.
"""

from __future__ import annotations

import re
import stat
from typing import Final

from wherry.formats.structure import (
    CommandTest,
    FileContentTest,
    FileExistenceTest,
    LicenseTest,
    MetadataTest,
    Pair,
    plain,
)
from wherry.judge.answer import failed, passed, unknown
from wherry.judge.contents import resolved
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.model.contents import Contents, File
from wherry.model.verdict import TEST, Verdict
from wherry.oci.config import RunConfig

SHOWN: Final = 120
"""Characters of an output that are evidence."""
FORBIDDEN: Final = ("AGPL", "WTFPL")
LICENCES: Final = "/usr/share/doc/"
_WHO: Final = {"any": 0o111, "owner": 0o100, "group": 0o010, "other": 0o001}
_KINDS: Final = {"directory": stat.S_IFDIR, "link": stat.S_IFLNK, "device": stat.S_IFCHR}
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Ran(Value, frozen=True, kw_only=True):
    """A command that was run."""

    code: int | None = None
    """None: it did not end in time."""
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    """Why it could not be started."""


def existence(test: FileExistenceTest, seen: Contents) -> Verdict:
    """PASS: the path is there, or is not, with the mode and owner that the test names."""
    name, path = TEST + test.name, expanded(test.path, seen)
    found = resolved({one.path: one for one in seen.files}, path)
    if found is None or not test.should_exist:
        return _ended(
            name,
            f"{path} is {'not ' if found is None else ''}there",
            [path] if test.should_exist != (found is not None) else [],
        )
    wrong = []
    if test.permissions and test.permissions not in (_as_ls(found), _as_go(found)):
        wrong.append(f"its permissions are {_as_ls(found)}, and not {test.permissions}")
    if test.is_executable_by and not found.mode & _WHO.get(test.is_executable_by, 0):
        wrong.append(f"{test.is_executable_by} may not execute it: {_as_ls(found)}")
    for word, wanted, real in (("user", test.uid, found.uid), ("group", test.gid, found.gid)):
        if wanted not in (None, -1, real):
            wrong.append(f"its {word} is {real}, and not {wanted}")
    return _ended(name, f"{path} is there, {_as_ls(found)} {found.uid}:{found.gid}", wrong)


def content(test: FileContentTest, data: bytes | None) -> Verdict:
    """PASS: the file matches every pattern that it must, and none that it must not."""
    name = TEST + test.name
    if data is None:
        return failed(name, f"{test.path} is not there, or is no file")
    text = data.decode("utf-8", "replace")
    rows = (("contents", text, test.expected_contents, True), ("contents", text, test.excluded_contents, False))
    return _ended(name, f"{test.path} says what it must", _matches(rows))


def command(test: CommandTest, ran: Ran) -> Verdict:
    """PASS: it ended with its status, and said what it must."""
    name = TEST + test.name
    if ran.error:
        return failed(name, f"{test.command} could not be started", ran.error)
    if ran.code is None:
        return failed(name, f"{test.command} did not end in time")
    wrong = _matches(
        (
            ("standard output", ran.stdout, test.expected_output, True),
            ("standard output", ran.stdout, test.excluded_output, False),
            ("standard error", ran.stderr, test.expected_error, True),
            ("standard error", ran.stderr, test.excluded_error, False),
        )
    )
    if ran.code != test.exit_code:
        wrong.insert(0, f"it ended with {ran.code}, and not with {test.exit_code}")
    return _ended(name, f"{test.command} ended with {ran.code}", wrong)


def metadata(test: MetadataTest, config: RunConfig) -> Verdict:
    """PASS: the image's settings are as the test says."""
    variables = dict(one.partition("=")[::2] for one in config.env or ())
    wrong = _pairs("variable", (*test.env, *test.env_vars), variables)
    wrong += [f"the variable {one.key} is set" for one in test.unbound_env_vars if one.key in variables]
    wrong += _pairs("label", test.labels, config.labels or {})
    ports = {word for one in config.exposed_ports or {} for word in (one, one.removesuffix("/tcp"))}
    wrong += [f"port {plain(one)} is not declared" for one in test.exposed_ports if plain(one) not in ports]
    wrong += [f"port {plain(one)} is declared" for one in test.unexposed_ports if plain(one) in ports]
    wrong += [f"{one} is no volume" for one in test.volumes if one not in (config.volumes or {})]
    wrong += [f"{one} is a volume" for one in test.unmounted_volumes if one in (config.volumes or {})]
    for word, wanted, real in (("entrypoint", test.entrypoint, config.entrypoint), ("cmd", test.cmd, config.cmd)):
        if wanted is not None and tuple(map(plain, wanted)) != tuple(real or ()):
            wrong.append(f"{word} is {list(real or ())}, and not {list(map(plain, wanted))}")
    for word, text, said in (("workdir", test.workdir, config.working_dir), ("user", plain(test.user), config.user)):
        if text and text != said:
            wrong.append(f"{word} is {said!r}, and not {text!r}")
    return _ended(f"{TEST}metadata", "the settings are as they must be", wrong)


def licences(test: LicenseTest, files: dict[str, bytes | None]) -> Verdict:
    """PASS: each file can be read and names no licence of the list (AGPL, WTFPL), as container-structure-test does it."""
    wrong = [f"{path} is not there" for path, data in files.items() if data is None]
    for path, data in files.items():
        text = (data or b"").decode("utf-8", "replace").upper()
        wrong += [f"{path} names {word}" for word in FORBIDDEN if word in text]
    if not files:
        return unknown(f"{TEST}licenses", "it names no file" if not test.debian else "the image has no Debian packages")
    return _ended(f"{TEST}licenses", f"{len(files)} files name neither {' nor '.join(FORBIDDEN)}", wrong)


def licence_files(test: LicenseTest, seen: Contents) -> tuple[str, ...]:
    """The files that a test means: its own, and those of Debian's packages."""
    debian = [
        f"{one.path}/copyright"
        for one in seen.files
        if test.debian and one.kind == "directory" and one.path.startswith(LICENCES) and one.path.count("/") == 4
    ]
    return (*debian, *test.files)


def expanded(text: str, seen: Contents) -> str:
    """`$NAME` and `${NAME}` as the image's variables."""
    known = dict(seen.environment)
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], ""), text)


def _ended(name: str, summary: str, wrong: list[str]) -> Verdict:
    if not wrong:
        return passed(name, summary)
    first = wrong[0] if wrong[0] not in summary else summary
    return failed(name, first, *wrong[1:])


def _matches(rows: tuple[tuple[str, str, tuple[str | int | float | bool, ...], bool], ...]) -> list[str]:
    found = []
    for what, text, patterns, wanted in rows:
        for pattern in map(plain, patterns):
            if bool(re.search(pattern, text)) != wanted:
                shown = one_line(" ".join(text.split()))[:SHOWN] or "empty"
                found.append(f"{what} {'does not match' if wanted else 'matches'} {pattern!r}: {shown}")
    return found


def _pairs(what: str, wanted: tuple[Pair, ...], known: dict[str, str]) -> list[str]:
    wrong = []
    for one in wanted:
        text, real = plain(one.value), known.get(one.key)
        if real is None:
            wrong.append(f"the {what} {one.key} is not set")
        elif not (re.search(text, real) if one.is_regex else text == real):
            wrong.append(f"the {what} {one.key} is not {text!r}")
    return wrong


def _as_ls(one: File) -> str:
    return stat.filemode(_KINDS.get(one.kind, stat.S_IFREG) | one.mode)


def _as_go(one: File) -> str:
    """As Go writes a mode: setuid and sticky bits before, never among the others."""
    bits = "".join(letter for letter, bit in (("u", 0o4000), ("g", 0o2000), ("t", 0o1000)) if one.mode & bit)
    kind = {"directory": "d", "link": "L", "device": "D"}.get(one.kind, "")
    return f"{kind}{bits}" + stat.filemode(stat.S_IFREG | (one.mode & 0o777))[0 if not kind + bits else 1 :]
