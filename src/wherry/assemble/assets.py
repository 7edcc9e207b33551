"""Assets: files of the repository that go into the image as they are. A plan's assets in, entries out; touches the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wherry.assemble.beneath import Root
from wherry.assemble.choose import Found, choose
from wherry.assemble.secrets import holds_key, may_hold_key, secret_part
from wherry.assemble.tree import image_path
from wherry.errors import RefusedError, UsageError
from wherry.kit import snapshot
from wherry.model.plan import Asset
from wherry.oci.tar import Entry

_SHOWN: Final = 5
_LARGEST_KEY: Final = 1 << 16


def asset_entries(assets: tuple[Asset, ...], root: Path) -> tuple[Entry, ...]:
    """The files that `assets` name beneath `root`, owned by root, without their parents.

    A link stays a link when what it leads to is packed too, and otherwise becomes what it leads to. UsageError [asset-missing],
    [asset-empty], [asset-pattern]; RefusedError [asset-outside], [asset-loop], [secret-asset].
    """
    with Root(root) as opened:
        return tuple(entry for asset in assets for entry in _placed(asset, opened))


def _placed(asset: Asset, root: Root) -> tuple[Entry, ...]:
    try:
        return _entries(asset, root)
    except UsageError as error:
        if asset.place:
            error.at(str(asset.place))
        raise


def _entries(asset: Asset, root: Root) -> tuple[Entry, ...]:
    into = image_path(asset.into)
    chosen = choose(asset, root)
    secrets = (*chosen.secrets, *(found.path for found in chosen.found if _is_secret(asset, found)))
    if secrets:
        raise _secret(asset, secrets)
    if not chosen.found:
        raise UsageError(
            "asset-empty",
            f"the asset {asset.source} holds no file that its patterns choose",
            where=asset.source,
            next="correct include and exclude under [[image.assets]] in wherry.toml, or leave the asset out",
        )
    return tuple(_entry(asset, f"{into}/{found.path}" if into else found.path, found) for found in chosen.found)


def _entry(asset: Asset, path: str, found: Found) -> Entry:
    if found.file is None:
        return Entry(path=path, kind="link", mode=0o777, target=found.target)
    return Entry(path=path, mode=asset.mode or (0o555 if found.file.executable else 0o444), content=found.file)


def _is_secret(asset: Asset, found: Found) -> bool:
    """By its name, or its real name behind a link, or its content; never when wherry.toml names it exactly."""
    if found.path in (pattern.removeprefix("/") for pattern in asset.include):
        return False
    parts = (part for part in (*found.path.split("/"), *found.real) if part not in asset.source.split("/"))
    if secret_part(parts):
        return True
    name = found.real[-1] if found.real else ""
    if found.file is None or name in asset.source.split("/") or not may_hold_key(name):
        return False
    content = bytearray(min(found.file.size, _LARGEST_KEY))
    snapshot.read_at(found.file, 0, memoryview(content))
    return holds_key(bytes(content))


def _secret(asset: Asset, paths: tuple[str, ...]) -> RefusedError:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return RefusedError(
        "secret-asset",
        f"the asset {asset.source} would put {paths[0]} into the image"
        + (f", and {len(paths) - 1} more" if paths[1:] else ""),
        where=tuple(f"{asset.source}/{path}" if path else asset.source for path in paths[:_SHOWN])
        + ((more.strip(),) if more else ()),
        why="everyone who pulls an image can read what is in it",
        next=(f'exclude = ["{paths[0]}"] leaves it out', "name the file itself as from, if it must be there"),
    )
