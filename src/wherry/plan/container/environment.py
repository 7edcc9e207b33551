"""The container's variables: the image's, what Go must know of the limits, the user's. Touches nothing.

Of this machine's environment nothing comes in that was not named (F09).
"""

from __future__ import annotations

import math
import re
from typing import Final

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.container import Limits, Options
from wherry.model.plan import Decision, Pairs
from wherry.plan.container.facts import Facts

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}", re.ASCII)
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Of an image that says none, as Docker and podman add it (moby, oci/defaults.go)."""
MOST: Final = 4096
"""Variables; and as many KiB of them all, a quarter of what execve(2) takes."""
SHARE: Final = 0.9
"""Of the memory limit that Go's soft limit is: the rest is for what Go does not count (stacks of C, the binary, tmpfs)."""


class Variables(Value, frozen=True, kw_only=True):
    """Variables in the order they were said, and why some are there."""

    pairs: Pairs
    decisions: tuple[Decision, ...] = ()


def environment(options: Options, facts: Facts, limits: Limits) -> Variables:
    """UsageError [container-option] for a name that is none or a variable that this machine does not have."""
    known = dict(variable.partition("=")[::2] for variable in facts.config.env or ())
    given = dict(said(options, facts))
    derived = {name: one for name, one in of_limits(limits).items() if name not in known and name not in given}
    merged = known | {name: one.value for name, one in derived.items()} | given
    merged = {"PATH": PATH, **merged}
    merged.setdefault("HOME", facts.home)  # as Docker, podman, runc and crun do
    pairs = tuple((name, value) for name, value in merged.items() if name and "\0" not in name + value)
    if len(pairs) > MOST or sum(len(name) + len(value) for name, value in pairs) > MOST << 10:
        raise UsageError(
            "container-option", "there are too many variables, or too large ones", next="fewer -e, or a file by -v"
        )
    return Variables(pairs=pairs, decisions=tuple(derived.values()))


def of_limits(limits: Limits) -> dict[str, Decision]:
    """GOMEMLIMIT, since Go does not read the memory limit (golang/go#75164), and GOMAXPROCS, since it reads the processors' only
    where control groups are mounted, and of the innermost alone (golang/go#81180)."""
    found = {}
    if limits.memory:
        value = f"{int(limits.memory * SHARE) >> 10}KiB"
        reason = f"{SHARE:.0%} of the limit, which Go does not read"
        found["GOMEMLIMIT"] = Decision(name="gomemlimit", value=value, reason=reason)
    if limits.cpus:
        number = str(max(1, math.ceil(limits.cpus)))
        found["GOMAXPROCS"] = Decision(
            name="gomaxprocs", value=number, reason=f"the limit of {limits.cpus:g} processors"
        )
    return found


def said(options: Options, facts: Facts) -> Pairs:
    """The user's variables: files first, then -e in order."""
    found: list[tuple[str, str]] = []
    for name, text in facts.files:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                found += _pair(line.strip("\r"), facts.variables, f"{name}:{number}")
    for text in options.environment:
        found += _pair(text, facts.variables, f"-e {text.partition('=')[0][:40]}")
    return tuple(found)


def _pair(text: str, variables: Pairs, where: str) -> Pairs:
    name, equals, value = text.partition("=")
    if not NAME.fullmatch(name):
        raise UsageError(
            "container-option", f"{name[:40]!r} is no name of a variable", where=where, next="NAME=value, or NAME alone"
        )
    if equals:
        return ((name, value),)
    return tuple((one, here) for one, here in variables if one == name)
