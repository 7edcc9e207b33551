"""Files that options name: they in, nothing or one usage error out, before anything runs; looks at those files."""

from __future__ import annotations

from pathlib import Path

from wherry.errors import UsageError
from wherry.model.container import Options


def refuse_missing(options: Options, folder: Path) -> None:
    """UsageError [no-such-file] for a file of variables, [bad-volume] for a secret, that is not there. `folder`: what paths are
    relative to."""
    for name in options.environment_files:
        if not (folder / name).exists() or (folder / name).is_dir():
            raise UsageError(
                "no-such-file",
                f"the file of variables {name} {_what(folder / name)}",
                where=f"--env-file {name}",
                next="name one that is: lines of NAME=VALUE",
            )
    for text in options.secrets:
        name, equals, file = text.partition("=")
        source = file if equals else name
        if source and not (folder / source).is_file():
            raise UsageError(
                "bad-volume",
                f"the secret's file {source} {_what(folder / source)}",
                where=f"--secret {text}",
                next="write the value to that file first"
                if equals
                else f"--secret NAME=FILE, for instance --secret {Path(name).name or 'token'}=./token.txt",
            )


def refuse_unwritable(file: str, option: str) -> None:
    """UsageError [no-such-folder], [usage] for a result's file that cannot come to be. An empty word is no file."""
    target = Path(file)
    if not file:
        return
    if target.is_dir():
        raise UsageError("usage", f"{file} is a folder", where=f"{option} {file}", next="name a file in it")
    if not target.parent.is_dir():
        raise UsageError(
            "no-such-folder",
            f"the folder {target.parent} is not there",
            where=f"{option} {file}",
            next=f"mkdir -p {target.parent}",
        )


def _what(path: Path) -> str:
    return "is no file" if path.exists() else "is not there"
