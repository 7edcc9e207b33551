"""Files of the repository that the image holds as they are. A draft in, COPY lines out; touches nothing.

What Docker cannot say itself (patterns, modes for files alone) becomes a list of the files that git knows.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

from wherry.errors import UsageError
from wherry.formats import dockerfile
from wherry.generate.dockerfile.draft import Draft, told
from wherry.model.plan import Asset

AUTHORITIES: Final = "/etc/ssl/certs"


def copies(draft: Draft) -> tuple[str, ...]:
    """Of all assets, in their order, and of authorities. UsageError [asset-empty] for one whose patterns choose nothing that git
    knows."""
    tracked = draft.application.sources.tracked
    return (*(row for asset in draft.application.assets for row in _copies(asset, tracked)), *_authorities(draft))


def _authorities(draft: Draft) -> tuple[str, ...]:
    """Files of their own, so that the base's bundle stays as it is."""
    rows = tuple(
        dockerfile.copy((told(path, "image.certificates"),), f"{AUTHORITIES}/wherry-{number}.pem", "--chmod=0444")
        for number, path in enumerate(draft.application.certificates, 1)
    )
    return (dockerfile.comment("More authorities: Go reads each file of that folder."), *rows) if rows else ()


def _copies(asset: Asset, tracked: tuple[str, ...]) -> tuple[str, ...]:
    if not (asset.mode or asset.include or asset.exclude):
        return (dockerfile.copy((told(asset.source, "an asset"),), _folder(asset, "")),)
    folders: dict[str, list[str]] = {}
    for path in _chosen(asset, tracked):
        inside = posixpath.relpath(path, asset.source) if path != asset.source else ""
        folders.setdefault(posixpath.dirname(inside), []).append(told(path, "an asset"))
    flags = (f"--chmod={asset.mode:04o}",) if asset.mode else ()
    return tuple(dockerfile.copy(paths, _folder(asset, folder), *flags) for folder, paths in sorted(folders.items()))


def _folder(asset: Asset, inside: str) -> str:
    """Where they go: with `/` at its end, since a file lands in it."""
    return told(posixpath.join(posixpath.normpath(posixpath.join(asset.into, inside)), ""), "an asset's folder")


def _chosen(asset: Asset, tracked: tuple[str, ...]) -> tuple[str, ...]:
    below = "" if asset.source == "." else f"{asset.source}/"
    included = _matcher(asset.include) if asset.include else lambda _: True
    excluded = _matcher(asset.exclude)
    found = tuple(
        path
        for path in tracked
        if path == asset.source
        or (path.startswith(below) and included(path.removeprefix(below)) and not excluded(path.removeprefix(below)))
    )
    if not found:
        raise UsageError(
            "asset-empty",
            f"git knows no file of the asset {asset.source} that its patterns choose",
            where=str(asset.place or asset.source),
            why="with patterns or a mode, a Dockerfile has to name each file",
            next="git add the files, or leave mode, include and exclude out",
        )
    return found


def _matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    import pathspec

    return pathspec.GitIgnoreSpec.from_lines(patterns).match_file
