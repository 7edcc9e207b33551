"""What an image stands on. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.image import Layer
from wherry.oci.config import Config
from wherry.oci.digest import Digest
from wherry.oci.platform import Platform


class Base(Value, frozen=True, kw_only=True):
    """A base resolved for one platform: its layers are files (or already at the target), its config is read."""

    name: str
    """static, scratch, or a reference."""
    platform: Platform
    digest: Digest | None = None
    """Of the manifest; None for static and scratch, which have none."""
    top: Digest | None = None
    """Of what the name means: the index, or the manifest where there is none."""
    layers: tuple[Layer, ...] = ()
    config: Config | None = None
    contents: str = ""
    """For people: `certificates 2026.10.18, zones 2026f`."""
