"""Settings of several origins laid over one another. Tiers in, one set of settings whose values know where they came from out;
touches nothing.

Lowest first: the user's own file, wherry.toml, WHERRY_ variables, flags; inside one tier a main's own settings over the common
ones. Tables are merged key by key, lists and single values replaced whole.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from wherry.kit.value import Value
from wherry.model.place import Place
from wherry.model.plan import Origin
from wherry.model.settings import (
    BuildSettings,
    GenerateSettings,
    ImageSettings,
    MainSettings,
    ProveSettings,
    RunSettings,
    Settings,
)

Keys = tuple[str | int, ...]
Places = dict[Keys, tuple[Place | None, str]]
T = TypeVar("T")


class Source(Value, frozen=True, kw_only=True):
    """Where a value came from."""

    origin: Origin = "default"
    place: Place | None = None
    trusted: bool = True
    """False for a file of the repository: its author is not the user (A07)."""
    text: str = ""
    """As the user wrote it, for messages."""
    directory: str = "."
    """What paths are relative to: the file's folder, as seen from the project root."""


class Tier(Value, frozen=True, kw_only=True):
    """Settings of one origin. `places` says where each key stands, for those that were read from a file."""

    origin: Origin
    settings: Settings = Settings()
    trusted: bool = True
    directory: str = "."
    """The file's folder, as seen from the project root."""
    places: tuple[tuple[Keys, Place | None, str], ...] = ()
    """Keys, place if it is a file's, and the text as the user wrote it: a line, `WHERRY_IMAGE_USER=bob`, `--base x`."""


class Effective(Value, frozen=True, kw_only=True):
    """What counts for one main: the tiers merged."""

    platforms: tuple[str, ...] | None = None
    build: BuildSettings = BuildSettings()
    image: ImageSettings = ImageSettings()
    run: RunSettings = RunSettings()
    prove: ProveSettings = ProveSettings()
    generate: GenerateSettings = GenerateSettings()
    sources: dict[Keys, Source] = {}

    def source(self, *keys: str | int) -> Source:
        """Where the value under `keys` came from; default when nobody set it. Nested keys fall back to what holds them."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.sources:
                return self.sources[keys[:length]]
        return Source()


class Part(Value, frozen=True, kw_only=True):
    """One piece of one tier, as it counts for one main, with the keys before it in its file."""

    tier: Tier
    settings: MainSettings
    prefix: Keys = ()


def effective(tiers: tuple[Tier, ...], names: tuple[str, ...] = ()) -> Effective:
    """The settings for the main that the file may call by any of `names` (common ones only: no names)."""
    parts = tuple(part for tier in tiers for part in _parts(tier, names))
    merged, sources = MainSettings(), dict[Keys, Source]()
    for part in parts:
        merged = merge(merged, part.settings)
        sources |= _sources(part)
    return Effective(
        platforms=merged.platforms,
        build=merged.build or BuildSettings(),
        image=merged.image or ImageSettings(),
        run=merged.run or RunSettings(),
        prove=merged.prove or ProveSettings(),
        generate=merged.generate or GenerateSettings(),
        sources=sources,
    )


def known_as(tiers: tuple[Tier, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    """What the settings call the main that an image means by one of `words`, the likeliest first: that very word, else the only
    folder or import path that ends with it."""
    keys = dict.fromkeys(key for tier in tiers for key in tier.settings.main or {})
    for word in words:
        found = [word] if word in keys else [key for key in keys if key.rpartition("/")[2] == word]
        if len(found) == 1:
            return tuple(found)
    return ()


def packages(tiers: tuple[Tier, ...]) -> tuple[tuple[str, ...], Source]:
    """The `packages` of the highest tier that names some."""
    for tier in reversed(tiers):
        if tier.settings.packages is not None:
            places = {keys: (place, text) for keys, place, text in tier.places}
            return tier.settings.packages, _source(tier, places, ("packages",))
    return (), Source()


def merge(low: T, high: T) -> T:
    """`high` over `low`: structs field by field, dicts key by key, all else replaced; None says nothing."""
    if high is None:
        return low
    if isinstance(low, msgspec.Struct) and type(low) is type(high):
        fields = {name: merge(getattr(low, name), getattr(high, name)) for name in low.__struct_fields__}
        return type(low)(**fields)
    if isinstance(low, dict) and isinstance(high, dict):
        return {**low, **high}  # type: ignore[return-value]  # T is a dict here
    return high


def _parts(tier: Tier, names: tuple[str, ...]) -> tuple[Part, ...]:
    said = tier.settings
    common = MainSettings(**{name: getattr(said, name) for name in MainSettings.__struct_fields__})
    own = ((key, settings) for key, settings in (tier.settings.main or {}).items() if key in names)
    return (
        Part(tier=tier, settings=common),
        *(Part(tier=tier, settings=settings, prefix=("main", key)) for key, settings in own),
    )


def _sources(part: Part) -> dict[Keys, Source]:
    found: dict[Keys, Source] = {}
    places = {keys: (place, text) for keys, place, text in part.tier.places}
    for keys in _set_keys(msgspec.to_builtins(part.settings)):
        for length in range(1 if keys[0] == "platforms" else 2, len(keys) + 1):  # [build] and so on are no values
            found[keys[:length]] = _source(part.tier, places, part.prefix + keys[:length])
    return found


def _source(tier: Tier, places: Places, keys: Keys) -> Source:
    near = (keys[:length] for length in range(len(keys), 0, -1))
    place, text = next((places[one] for one in near if one in places), (None, ""))
    return Source(origin=tier.origin, place=place, trusted=tier.trusted, text=text, directory=tier.directory)


def _set_keys(value: Any) -> list[Keys]:
    """The path of every value that is not None, lists and their members too."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    deeper = [(key, *rest) for key, one in items if one is not None for rest in ((), *_set_keys(one))]
    return [keys for keys in deeper if keys]
