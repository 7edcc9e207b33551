"""Files of container-structure-test as checks: each test looked at in the image's layers, settings, or a container of its own."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from wherry.errors import BuildError, UsageError, WherryError
from wherry.flows.live import live
from wherry.flows.looks.scene import Scene
from wherry.formats.structure import CommandTest, Structure, parse, plain
from wherry.judge import structure as judges
from wherry.judge.answer import unknown
from wherry.judge.contents import program, resolved
from wherry.judge.structure import Ran, expanded
from wherry.kit.files import disk_errors
from wherry.model.container import Container
from wherry.model.contents import Contents
from wherry.model.verdict import TEST, Verdict
from wherry.runtime.users import resolve

PATIENCE = 30.0
"""Seconds for a command."""
LARGEST = 16 << 20
"""Bytes of a file whose contents are looked at."""


def read_tests(paths: tuple[Path, ...]) -> tuple[Structure, ...]:
    """The files' tests. UsageError [structure-test]."""
    found = []
    for path in paths:
        if not path.is_file():
            raise UsageError("structure-test", f"there is no file {path.name}", where=str(path), next="--test FILE")
        with disk_errors(path), path.open("rb") as file:
            data = file.read((1 << 18) + 1)
        if len(data) > 1 << 18:
            raise UsageError("structure-test", f"{path.name} is larger than 256 KiB", where=str(path))
        found.append(parse(data.decode("utf-8", "replace"), str(path)))
    return tuple(found)


def tested(tests: tuple[Structure, ...], scene: Scene, seen: Contents) -> tuple[Verdict, ...]:
    """A verdict for each test, in the order of the files; names that come twice are numbered."""
    verdicts: list[Verdict] = []
    for one in tests:
        verdicts += (_commanded(test, one, scene, seen) for test in one.command_tests)
        verdicts += (judges.existence(test, seen) for test in one.file_existence_tests)
        verdicts += (
            judges.content(test, _data(expanded(test.path, seen), scene, seen)) for test in one.file_content_tests
        )
        verdicts += (
            judges.licences(test, {path: _data(path, scene, seen) for path in judges.licence_files(test, seen)})
            for test in one.license_tests
        )
        if one.metadata_test is not None:
            verdicts.append(judges.metadata(one.metadata_test, scene.made.subject.config))
    return _numbered(verdicts)


def _numbered(verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    counts: dict[str, int] = {}
    named = []
    for one in verdicts:
        counts[one.check] = counts.get(one.check, 0) + 1
        number = counts[one.check]
        named.append(one if number == 1 else replace(one, check=f"{one.check} ({number})"))
    return tuple(named)


def _data(path: str, scene: Scene, seen: Contents) -> bytes | None:
    """A file of the image, links followed inside it; None when it is none, or larger than anybody would test."""
    found = resolved({one.path: one for one in seen.files}, path)
    if found is None or found.kind not in ("file", "hardlink"):
        return None
    own = next((one.file for one in scene.made.subject.programs if one.path == found.path), "")
    file = Path(own or f"{scene.made.root.path}{found.path}")
    with disk_errors(file), open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb") as opened:  # noqa: PTH123
        data = opened.read(LARGEST + 1)
    return data if len(data) <= LARGEST else None


def _commanded(test: CommandTest, file: Structure, scene: Scene, seen: Contents) -> Verdict:
    name, options = TEST + test.name, file.container_run_options
    if test.setup or test.teardown:
        return unknown(name, "its setup needs a container that keeps what commands write; none is kept here")
    if options.privileged or options.capabilities or options.bind_mounts or options.allocate_tty or options.env_file:
        return unknown(name, "its containerRunOptions ask for more than a hardened container has")
    words = tuple(expanded(plain(word), seen) for word in (test.command, *test.args))
    if not program(seen, words[:1]):
        return judges.command(test, Ran(error=f"the image has no program {words[0][:80]}"))
    handed = ((name, dict(scene.machine.variables).get(name, "")) for name in map(plain, options.env_vars))
    pairs = (*file.global_env_vars, *test.env_vars)
    variables = (*handed, *((pair.key, expanded(plain(pair.value), seen)) for pair in pairs))
    try:
        return judges.command(test, _ran(scene, words, variables, plain(options.user)))
    except BuildError as error:
        return judges.command(test, Ran(error=error.message))
    except WherryError as error:  # of this machine or of the file, not of the image
        return unknown(name, f"{error.message} [{error.name}]")


def _ran(scene: Scene, words: tuple[str, ...], variables: tuple[tuple[str, str], ...], user: str) -> Ran:
    """The command, run in a container of its own. What `live` raises; UsageError [bad-user]."""
    who = resolve(Path(scene.made.root.path), user) if user else scene.made.container.user

    def change(container: Container) -> Container:
        merged = dict(container.environment) | dict(variables)
        return replace(container, arguments=words, environment=tuple(merged.items()), user=who, health=None)

    with live(scene.made, scene.machine, change) as one:
        code = one.wait(PATIENCE)
    return Ran(code=code, stdout=one.log.text("stdout"), stderr=one.log.text("stderr"))
