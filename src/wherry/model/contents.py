"""What an image's layers and settings hold, as read from their bytes. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.plan import Pairs


class File(Value, frozen=True, kw_only=True):
    """Something that a container of the image shows."""

    path: str
    """Absolute, as inside."""
    kind: str
    """file, directory, link, hardlink or device."""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    target: str = ""
    """Of a link as it stands, of a hard link an absolute path."""
    capabilities: bool = False
    """It gives capabilities to who starts it."""
    layer: int = 1
    """From 1, the lowest."""


class Leak(Value, frozen=True, kw_only=True):
    """What looks like a secret, never the secret itself."""

    what: str
    """`a private key`, `a value for DB_PASSWORD`."""
    place: str
    """`/etc/tls.key`, `ENV DB_PASSWORD`, `history, line 3`."""
    layer: int = 0
    """0: not in a layer."""
    hidden: bool = False
    """No container shows it, since an upper layer deletes or replaces it; who has the image has it."""


class Contents(Value, frozen=True, kw_only=True, tag="contents"):
    """An image, read and not run."""

    layers: tuple[str, ...] = ()
    """Digests, lowest first; empty for a package, whose layers are not those of an image."""
    files: tuple[File, ...] = ()
    """What a container shows, sorted by path."""
    leaks: tuple[Leak, ...] = ()
    unpacked: int = 0
    """Bytes of all layers' tars, as `wherry build` counts an image: what a lower layer has is there though an upper one deletes
    it."""
    packed: int | None = None
    """Bytes of all layers as a registry sends them; None: not packed yet."""
    environment: Pairs = ()
    """The image's own variables: PATH says which program is meant."""
