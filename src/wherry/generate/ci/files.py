"""CI by its service's name. Applications and a choice in, files out; touches nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from wherry.errors import UsageError
from wherry.generate.ci import github, gitlab
from wherry.generate.names import Applications
from wherry.generate.shell import quoted
from wherry.generate.use import Here, Use
from wherry.model.file import Choice, File

SERVICES: Final[Mapping[str, Callable[[Applications, Choice], tuple[File, ...]]]] = {
    "github": github.files,
    "gitlab": gitlab.files,
}

PLACES: Final[Mapping[str, str]] = {"github": github.FOLDER, "gitlab": gitlab.FILE}
"""Where a service looks for them, in the repository's root."""


def uses(_: Applications, choice: Choice, here: Here) -> tuple[Use, ...]:
    """What hands them to the service."""
    return (Use(command=f"git add {quoted(here(PLACES[choice.variant]))}  # it runs once that is pushed"),)


def files(applications: Applications, choice: Choice) -> tuple[File, ...]:
    """For `choice.variant`, a key of SERVICES. UsageError [same-name], [bad-reference], [ci-docker]."""
    if choice.extras and choice.variant != "github":
        raise UsageError(
            "ci-docker",
            f"{choice.variant}'s pipeline builds without Docker",
            where=f"--for {choice.variant} --{choice.extras[0]}",
            next=f"wherry generate ci --for {choice.variant}",
        )
    return SERVICES[choice.variant](applications, choice)
