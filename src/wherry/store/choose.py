"""One platform's image out of several. A Built or Stored and a platform in, an image out; touches nothing."""

from __future__ import annotations

from wherry.errors import UsageError
from wherry.model.image import Built, Image, Stored, StoredImage
from wherry.oci.platform import Platform, best


def built_for(built: Built, platform: Platform) -> Image:
    """The image an engine on `platform` gets: the only one whatever it is for, else the best match; UsageError
    [no-platform]."""
    if len(built.images) == 1:
        return built.images[0]
    found = best(platform, tuple(image.platform for image in built.images))
    for image in built.images:
        if image.platform == found:
            return image
    raise missing(built.name, platform, tuple(image.platform for image in built.images))


def stored_for(stored: Stored, platform: Platform) -> StoredImage:
    """The image of `stored` for `platform`; UsageError [no-platform] with those that are there."""
    found = best(platform, tuple(image.platform for image in stored.images))
    for image in stored.images:
        if image.platform == found:
            return image
    raise missing(stored.reference, platform, tuple(image.platform for image in stored.images))


def missing(name: str, platform: Platform, there: tuple[Platform, ...]) -> UsageError:
    """The error for a platform that an image does not have."""
    listed = ", ".join(dict.fromkeys(map(str, there))) or "none"
    return UsageError("no-platform", f"{name} has no image for {platform}", why=f"it has {listed}")
