"""The actions that workflows use, by commit. Names in, `uses` lines out; touches nothing.

Whoever takes over an action can move a tag to other code (CVE-2026-33634), and no commit. Each commit was seen at its tag in the
action's own repository, or pinned with that tag in the workflows of the named ones, on 2026-11-27.
"""

from __future__ import annotations

from typing import Final

from wherry.formats.yaml import Noted, beside
from wherry.kit.value import Value


class Action(Value, frozen=True, kw_only=True):
    """One release of an action."""

    name: str
    tag: str
    commit: str
    """The commit itself, never a tag's object."""
    seen: tuple[str, ...]
    """Where: repositories of which one is the action's own, or all are others' workflows."""


CHECKOUT: Final = Action(
    name="actions/checkout",
    tag="v7.0.1",
    commit="3d3c42e5aac5ba805825da76410c181273ba90b1",
    seen=("actions/checkout", "ko-build/ko", "goreleaser/goreleaser", "pypa/cibuildwheel"),
)
SETUP_GO: Final = Action(
    name="actions/setup-go",
    tag="v7.0.0",
    commit="b7ad1dad31e06c5925ef5d2fc7ad053ef454303e",
    seen=("actions/setup-go", "ko-build/ko", "goreleaser/goreleaser"),
)
CACHE: Final = Action(
    name="actions/cache",
    tag="v6.1.0",
    commit="55cc8345863c7cc4c66a329aec7e433d2d1c52a9",
    seen=("docker/build-push-action", "goreleaser/goreleaser"),
)
ATTEST: Final = Action(
    name="actions/attest",
    tag="v4.2.2",
    commit="1e69f48acb82d1966a394da916b4c1698aa569d6",
    seen=("actions/attest", "goreleaser/goreleaser", "pypa/cibuildwheel"),
)


def uses(action: Action, part: str = "") -> Noted:
    """The value of `uses`, with the tag where tools that move pins look for it; `part`: `restore` of actions/cache."""
    return beside(f"{action.name}{f'/{part}' if part else ''}@{action.commit}", action.tag)
