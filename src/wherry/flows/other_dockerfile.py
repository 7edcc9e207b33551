"""Of a Dockerfile that is not wherry's, though files count on what wherry's has: built from it, they start nothing that works.
What is described in, findings out; reads those Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.flows import written
from wherry.flows.onward import named
from wherry.flows.wishes import Seen
from wherry.generate import names
from wherry.generate.header import Command, found, words
from wherry.model.application import Application
from wherry.model.file import Choice, File
from wherry.model.finding import Finding

_STAGE: Final = re.compile(rf"^\s*FROM\s.*\sAS\s+{names.DEV}\s*$", re.MULTILINE | re.IGNORECASE)


def other_dockerfile(seen: Seen, choice: Choice, files: tuple[File, ...]) -> Iterator[Finding]:
    """A warning for each that lacks what `files` count on: wherry's probe, or the stage for development."""
    probed = any(names.PROBE in file.text for file in files)
    for variant, each in named(seen, choice):
        for application, path in each:
            text = written.contents(Path(seen.root, path), path)
            if text is None or found(text, path):
                continue
            made = Choice(what="dockerfile", variant=variant, packages=choice.packages)
            command = words(Command(choice=made, home=names.home(seen.applications)))
            if variant == names.DEV and not _STAGE.search(text):
                yield _lacks(path, f"a stage {names.DEV}, so nothing can be built", f"{command} --diff")
            elif probed and _asks_probe(application) and names.PROBE not in text:
                told = f"{names.PROBE}, which the health check starts, so the service is never healthy"
                yield _lacks(path, told, f"image.health.command, a check that its image has, or {command} --diff")


def _asks_probe(application: Application) -> bool:
    return names.check(application)[:1] == (names.PROBE,)


def _lacks(path: str, what: str, step: str) -> Finding:
    return Finding(name="other-dockerfile", message=f"{path} is not wherry's, and has no word of {what}", next=step)
