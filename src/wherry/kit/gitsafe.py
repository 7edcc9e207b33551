"""Git without programs that a repository chose (A01, A02). Nothing in, environment variables for any child that may
start git out.

Git takes settings from GIT_CONFIG_KEY_n after all files, so these win over a planted `.git/config`.
"""

from __future__ import annotations

from typing import Final

Pairs = tuple[tuple[str, str], ...]

OVERRIDES: Final[Pairs] = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("core.untrackedCache", "false"),
    ("diff.external", ""),
    ("diff.ignoreSubmodules", "all"),
    ("protocol.ext.allow", "never"),
)
VARIABLES: Final[Pairs] = (
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
)


def git_environment(own: Pairs = ()) -> Pairs:
    """Variables that keep git from starting hooks, monitors, pagers and external diffs. `own` are settings of the user
    that come first."""
    settings = (*own, *OVERRIDES)
    pairs = [*VARIABLES, ("GIT_CONFIG_COUNT", str(len(settings)))]
    for number, (key, value) in enumerate(settings):
        pairs += [(f"GIT_CONFIG_KEY_{number}", key), (f"GIT_CONFIG_VALUE_{number}", value)]
    return tuple(sorted(pairs))
