"""What a user asks of a build. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.settings import Settings


class BuildRequest(Value, frozen=True, kw_only=True):
    """One `wherry build`, as words and flags say it; everything may be left out."""

    directory: str = "."
    """The folder the user stands in (or names by -C)."""
    packages: tuple[str, ...] = ()
    """Folders, patterns, import paths, or `module/path@version`; empty: what wherry.toml says, else the only main."""
    names: tuple[str, ...] = ()
    """-t: `registry.example/{name}:{version}`."""
    places: tuple[str, ...] = ()
    """-o: where the images go, in the grammar of `wherry explain bad-place`."""
    push: bool = False
    """Every name, to its registry."""
    load: bool = False
    """Into the engine of this machine, or an error when there is none."""
    settings: Settings = Settings()
    """What flags set: platforms, base, user ..."""
    spelled: tuple[tuple[tuple[str, ...], str], ...] = ()
    """How the user wrote what is in `settings`, for messages: (("image", "base"), "--base x")."""
    assignments: tuple[str, ...] = ()
    """--set: `image.user=1000`, any key of wherry.toml."""
    untrusted: bool = False
    toolchain: str = "local"
    hooks: bool | None = None
    pass_environment: tuple[str, ...] = ()
    locked: bool = False
    """Refuses to build from anything that wherry.lock does not name."""
    cache: bool = True
    """False: nothing kept is believed; Go's own cache is still used."""
    jobs: int = 0
    """Threads for packing and `go build`s at once; 0: as many as there are processors for packing, one `go build`."""
