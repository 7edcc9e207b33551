"""The commands, a file each: options to one frozen value, a flow, its report as text. Imported when they are called for."""

from __future__ import annotations

from importlib import import_module

import click

#: In the order of `--help`. A command lies in the file of its name and is called like it.
VERBS: tuple[str, ...] = (
    *("build", "run", "prove", "profile", "plan", "inspect"),
    *("ps", "logs", "stop", "rm", "exec", "debug", "stats"),
    *("init", "generate", "diff"),
    *("push", "pull", "copy", "annotate", "rebase", "base", "registry"),
    *("doctor", "explain", "cache", "completion"),
)


def load(verb: str) -> click.Command:
    """The command of that name, one of VERBS."""
    found = getattr(import_module(f"{__name__}.{verb}"), verb)
    assert isinstance(found, click.Command)
    return found
