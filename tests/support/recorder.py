"""Programs that only write down how they were called. Names in, a folder for PATH and their calls out; starts Python for each."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = """#!{python} -IS
import json, os, sys
name = os.path.basename(sys.argv[0])
with open({log!r}, "a") as log:
    print(json.dumps({{
        "words": [name, *sys.argv[1:]], "folder": os.getcwd(), "variables": dict(os.environ)}}), file=log)
for start, text, code in json.loads({answers!r}):
    if [name, *sys.argv[1:]][: len(start)] == start:
        sys.stdout.write(text)
        sys.exit(code)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    words: tuple[str, ...]
    folder: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    folder: Path

    @property
    def path(self) -> str:
        """PATH with the recorded programs before all others."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    @property
    def calls(self) -> tuple[Call, ...]:
        log = self.folder / "log.json"
        lines = log.read_text().splitlines() if log.exists() else []
        made = (json.loads(line) for line in lines)
        return tuple(Call(words=tuple(one["words"]), folder=one["folder"], variables=one["variables"]) for one in made)

    def words(self) -> list[tuple[str, ...]]:
        return [one.words for one in self.calls]

    def forget(self) -> None:
        (self.folder / "log.json").unlink(missing_ok=True)


def recorder(folder: Path, *names: str, answers: tuple[tuple[tuple[str, ...], str, int], ...] = ()) -> Recorder:
    """`answers`: the first words of a call, what the program then prints, and its exit status; else nothing and 0."""
    folder.mkdir(parents=True, exist_ok=True)
    text = PROGRAM.format(python=sys.executable, log=str(folder / "log.json"), answers=json.dumps(answers))
    for name in names:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return Recorder(folder=folder)
