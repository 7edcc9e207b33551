"""The environment of every `go` that wherry starts (A07). The user's environment and Go settings in, variables out;
touches the disk to resolve PATH.

An allow-list: what is not named here does not reach a child. Go's settings files are read by `toolchain`, shown and
merged by the plan; GOENV=off and an empty GOFLAGS keep Go from reading them a second time.
"""

from __future__ import annotations

import os
from typing import Final

from wherry.kit.gitsafe import git_environment
from wherry.kit.ports import Environment

Pairs = tuple[tuple[str, str], ...]

#: Settings that say where modules and compiled packages come from; all others reach a build only through the plan.
SUPPLY: Final = frozenset(
    (
        "GOAUTH",
        "GOCACHE",
        "GOCACHEPROG",
        "GOINSECURE",
        "GOMODCACHE",
        "GONOPROXY",
        "GONOSUMDB",
        "GOPATH",
        "GOPRIVATE",
        "GOPROXY",
        "GOSUMDB",
        "GOVCS",
    )
)
FIXED: Final[Pairs] = (("GOENV", "off"), ("GOFLAGS", ""), ("GOTOOLCHAIN", "local"))
#: Any of these says that the user has modules which need the user's own rights.
PRIVATE: Final = ("GOPRIVATE", "GONOPROXY")


def go_environment(environment: Environment, settings: Pairs, *, root: str) -> Pairs:
    """Variables for a `go` about the repository `root`; `settings` are `Toolchain.environment`. Sorted, each name once.

    The user's SSH agent, netrc and git settings are in it only when GOPRIVATE or GONOPROXY is set. What a compilation adds comes
    after (`merged`).
    """
    supply = tuple((name, value) for name, value in settings if name in SUPPLY)
    private = environment.private if any(value for name, value in supply if name in PRIVATE) else ()
    plain = tuple(pair for pair in private if not pair[0].startswith("GIT_CONFIG"))
    path = (("PATH", search_path(environment.path, root)),)
    return merged(environment.child, git_environment(root, _git_settings(private)), plain, path, supply, FIXED)


def search_path(path: str, root: str) -> str:
    """`path` without entries that are empty, relative, or lie in `root`: a repository must not offer programs (A13)."""
    inside = os.path.realpath(root) if root else ""
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if _trusted(entry, inside))


def merged(*layers: Pairs) -> Pairs:
    """All pairs, later layers over earlier ones, sorted by name."""
    return tuple(sorted({name: value for layer in layers for name, value in layer}.items()))


def _trusted(entry: str, inside: str) -> bool:
    if not entry.startswith("/"):
        return False
    return not inside or os.path.commonpath((os.path.realpath(entry), inside)) != inside


def _git_settings(private: Pairs) -> Pairs:
    """The user's own GIT_CONFIG_KEY_n settings (for instance url.insteadOf with a token in CI)."""
    known = dict(private)
    count = known.get("GIT_CONFIG_COUNT", "")
    numbers = range(min(int(count), 100)) if count.isdecimal() and len(count) < 4 else range(0)
    pairs = ((known.get(f"GIT_CONFIG_KEY_{n}", ""), known.get(f"GIT_CONFIG_VALUE_{n}", "")) for n in numbers)
    return tuple(pair for pair in pairs if pair[0])
