"""A PATH on which some programs are missing. Names in, a PATH out; makes folders of links below the temporary folder."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path


@functools.cache
def path_without(*programs: str) -> str:
    """This process's PATH; a folder that holds one of `programs` is replaced by one with links to all its others."""
    return os.pathsep.join(
        _without(Path(folder), programs) for folder in os.environ["PATH"].split(os.pathsep) if folder
    )


def _without(folder: Path, programs: tuple[str, ...]) -> str:
    if not any((folder / program).exists() for program in programs):
        return str(folder)
    copy = Path(tempfile.mkdtemp(prefix="wherry-path-"))
    copy.chmod(0o755)  # other users may look for programs too
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for file in folder.iterdir():
        if file.name not in programs:
            (copy / file.name).symlink_to(file)
    return str(copy)
