"""The variables of its environment: what belongs to the limits stands beside them, the rest in a ConfigMap, what is secret in a
Secret that no file has. An application in, parts of a container out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.compose.backing import leading
from wherry.generate.kubernetes import words
from wherry.model.application import Application

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SECRETIVE: Final = re.compile("(?:PASSWORD|PASSWD|SECRET|TOKEN|KEY|CREDENTIAL|DSN|URL|URI)S?(?:_|$)", re.ASCII)
"""Addresses of servers hold passwords, too."""


def plain(application: Application) -> dict[str, str]:
    """What the ConfigMap holds: the image's variables, to be changed without a new image, and where secrets lie."""
    runs = application.runs
    return dict(sorted(dict((*runs.usual, *names.secret_files(application), *runs.environment)).items()))


def secret_name(name: str) -> str:
    """The Secret whose keys are variables."""
    return f"{name}-environment"


def reads_secret(application: Application) -> bool:
    """Whether there may be variables that no file should hold."""
    return bool(_private(application) or application.runs.backing)


def needs_secret(application: Application) -> bool:
    """Whether it cannot start without that Secret: some of it leads to a server that the code talks to."""
    return not leading(application).isdisjoint(_private(application))


def sources(application: Application) -> list[Document]:
    """`envFrom`: Kubernetes fills nothing in there, so a `$(` in a value stays one."""
    name = names.service(application)
    made: list[Document] = [{"configMapRef": {"name": name}}] if plain(application) else []
    if reads_secret(application):
        private = _private(application)
        literals = " ".join(f"--from-literal={one}=..." for one in private or ("NAME",))
        needed = needs_secret(application)
        waits = " Until it is there, pods stay in CreateContainerConfigError.\n" if needed else " "
        create = f"kubectl create secret generic {secret_name(name)} {literals}"
        note = f"For {', '.join(private) or 'what nobody else may read'}.{waits}{create}"
        optional = {} if needed else {"optional": True}
        made.append(noted({"secretRef": {"name": secret_name(name), **optional}}, note))
    return made


def of_limits(application: Application) -> list[Document]:
    """`env`: what tells Go of its limits. ValueError for a GOMEMLIMIT that the limit does not leave room for: the plan refuses
    it."""
    runs = application.runs
    made: list[Document] = []
    if runs.go_memory_limit:
        if runs.limits.memory and runs.go_memory_limit >= runs.limits.memory:
            raise ValueError(f"GOMEMLIMIT {runs.go_memory_limit} is not below the limit {runs.limits.memory}")
        reason = f"Below the limit of {runs.limits.memory >> 20} MiB, which Go does not read itself."
        value = noted(words.memory(runs.go_memory_limit), reason)
        made.append({"name": "GOMEMLIMIT", "value": value})
    if runs.go_processors:
        reason = f"The limit of {runs.limits.cpus:g} processors, which the go line {application.sources.go_line} does not read."
        value = noted(str(runs.go_processors), reason)
        made.append({"name": "GOMAXPROCS", "value": value})
    return made


def _private(application: Application) -> tuple[str, ...]:
    """Variables that the code reads, nothing has set, and that may hold a password by their names; a path is none."""
    unset = (name for name in application.runs.variables if name not in plain(application))
    urls = {name for backing in application.runs.backing for name in backing.urls}
    return tuple(
        name
        for name in unset
        if _NAME.fullmatch(name) and (name in urls or _SECRETIVE.search(name)) and not name.endswith("_FILE")
    )
