"""A generated Makefile and the real make, with programs that only write down how they were called. Applications in, a folder out;
starts make."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.recorder import Recorder, recorder
from tests.support.tools import need
from wherry.generate.makefile import files
from wherry.model.application import Application
from wherry.model.file import Choice

CHOICE = Choice(what="makefile")


def written(folder: Path, *applications: Application) -> None:
    (made,) = files(applications, CHOICE)
    (folder / "Makefile").write_text(made.text)


def make(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    need("make")
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )


def recorded(folder: Path) -> Recorder:
    """All programs that recipes call. No container is there: `wherry logs` fails."""
    answers = ((("wherry", "plan"), "1.4.0\n", 0), (("wherry", "logs"), "", 2))
    return recorder(folder / "programs", "go", "wherry", "docker", "git", answers=answers)
