"""A published image on a new base, without a rebuild. The image, its old base and the new one in, new documents out; touches
nothing.

The image's own layers are named as they were, so they are neither packed nor sent again. Where its documents were wherry's, the
result is byte for byte what a build on the new base would give.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from wherry.assemble.merge import becomes_root, merged
from wherry.assemble.pack import layer_type
from wherry.assemble.revise import Remade, Revised, reconfigured, revised, with_config, with_members
from wherry.assemble.static import HISTORY
from wherry.errors import RefusedError, UsageError, WherryError
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.image import Stored, StoredImage
from wherry.oci import edit, media
from wherry.oci import manifest as manifests
from wherry.oci import reference as references
from wherry.oci.config import History, RunConfig
from wherry.oci.descriptor import Annotations, Descriptor, Document
from wherry.oci.digest import Digest
from wherry.oci.manifest import Manifest
from wherry.oci.platform import Platform, best

BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"


class Basis(Value, frozen=True, kw_only=True):
    """A base in all its platforms."""

    name: str
    """As people write it, for errors."""
    reference: str = ""
    """What the annotation says: a full reference; empty for a base of no registry."""
    digest: Digest | None
    """Of its top document; None for wherry's own bases, which have none."""
    images: tuple[StoredImage, ...]

    def __str__(self) -> str:
        """With its digest; what wherry made, with what is in it."""
        if self.digest is None:
            lines = (line.created_by for image in self.images for line in image.settings.history or ())
            return ", ".join((self.name, *filter(None, [next(lines, "").removeprefix(HISTORY)])))
        return self.name if "@" in self.name else f"{self.name}@{self.digest}"


class Move(Value, frozen=True, kw_only=True):
    """From which base to which. `created`: the configs' new time; empty keeps the old one."""

    old: Basis
    new: Basis
    created: str = ""


def rebased(stored: Stored, move: Move) -> Revised:
    """`stored` on the new base. RefusedError [not-on-base] when an image's first layers are not the old base's; UsageError
    [no-platform] when the new base lacks one of its platforms."""
    only_images(stored)
    made = revised(stored, lambda image: _image(image, move), lambda found: renamed(found, move.new, None))
    findings = tuple(finding for image in stored.images for finding in _kept_user(image, move))
    return msgspec.structs.replace(made, findings=(*made.findings, *findings))


def only_images(stored: Stored) -> None:
    """UsageError [not-an-image] for an artifact."""
    if not stored.images:
        raise UsageError("not-an-image", "only images stand on a base", where=stored.reference)


def own_layers(image: StoredImage, old: Basis) -> tuple[Descriptor, ...]:
    """The layers that stand on the old base; RefusedError [not-on-base]."""
    base = image_for(old, image.platform)
    below = base.settings.rootfs.diff_ids
    above = image.settings.rootfs.diff_ids
    for number, (theirs, ours) in enumerate(zip(below, above, strict=False), 1):
        if theirs != ours:
            raise _other(image, old, f"layer {number} of {len(below)} is {ours}, the base's is {theirs}")
    if len(below) > len(above):
        raise _other(image, old, f"it has {len(above)} layers, the base alone has {len(below)}")
    if old.digest and below == above and base.config.digest == image.config.digest:
        raise _other(image, old, "it is that base itself: nothing would be left of it")
    return image.layers[len(below) :]


def renamed(found: Annotations, new: Basis, image: StoredImage | None) -> Annotations:
    """`found` naming the new base, where it named one at all; an image's names the base's image for its platform. Wherry's own
    bases have no digest to be named by."""
    if BASE_DIGEST not in found and image is None:
        return found
    kept = {name: value for name, value in found.items() if name not in (BASE_NAME, BASE_DIGEST)}
    if new.digest is None:
        return kept
    kept[BASE_DIGEST] = image.digest if image else new.digest
    return kept | ({BASE_NAME: new.reference} if new.reference else {})


def _image(image: StoredImage, move: Move) -> Remade:
    below, new = image_for(move.old, image.platform), image_for(move.new, image.platform)
    own = own_layers(image, move.old)
    docker = image.manifest.media_type == media.DOCKER_MANIFEST
    config = _config(image, below, new, move.created)
    parsed = manifests.parse(image.manifest, name=str(image.digest))
    assert isinstance(parsed, Manifest)
    raws = edit.elements(bytes(edit.members(image.manifest.data, name="layers")["layers"]), name="layers")
    wanted: dict[str, object] = {
        "config": with_config(image.manifest, config),
        "layers": [*(_relabelled(layer, docker=docker) for layer in new.layers), *raws[len(raws) - len(own) :]],
    }
    annotations = renamed(parsed.annotations, move.new, new)
    if not docker and annotations != parsed.annotations:
        wanted["annotations"] = annotations or None
    return Remade(manifest=with_members(image.manifest, wanted), config=config)


def _config(image: StoredImage, below: StoredImage, new: StoredImage, created: str) -> Document:
    empty = RunConfig()
    settings = image.settings
    run = merged(settings.config or empty, below.settings.config or empty, new.settings.config or empty)
    above = settings.rootfs.diff_ids[len(below.settings.rootfs.diff_ids) :]
    members = edit.members(image.config.data, name=str(image.config.digest))
    diff_ids = (*new.settings.rootfs.diff_ids, *above)
    changes: dict[str, object] = {
        "rootfs": msgspec.Raw(edit.changed(bytes(members["rootfs"]), {"diff_ids": diff_ids}, name="rootfs")),
        "history": _history(image, below, new),
    }
    if created:
        changes["created"] = created
    return reconfigured(image.config, run, changes)


def _history(image: StoredImage, below: StoredImage, new: StoredImage) -> tuple[History, ...]:
    """The new base's history, then the image's own: one line a layer, made up where a config did not keep count. Where the old
    base's stands in front, all behind it is the image's own, also what made no layer."""
    ours, theirs = _lines(image), _lines(below)
    begin = len(theirs) if ours[: len(theirs)] == theirs else _count(ours, len(below.layers))
    return (*_lines(new), *ours[begin:])


def _lines(image: StoredImage) -> tuple[History, ...]:
    history = image.settings.history or ()
    if sum(not line.empty_layer for line in history) == len(image.layers):
        return history
    return tuple(History(created=image.settings.created) for _ in image.layers)


def _count(history: tuple[History, ...], layers: int) -> int:
    """Lines of the first `layers` layers, and of what made no layer before the next one was begun by the image itself."""
    left = layers
    for number, line in enumerate(history):
        if left == 0 and not line.empty_layer:
            return number
        left -= not line.empty_layer
    return len(history)


def _relabelled(layer: Descriptor, *, docker: bool) -> Descriptor:
    """A base's layer by the name that the image's format has for it; its bytes are the same."""
    if layer.media_type not in media.LAYER.values():
        return layer
    kind = layer_type("docker" if docker else "oci", media.compression(layer.media_type))
    return Descriptor(media_type=kind, digest=layer.digest, size=layer.size)


def _kept_user(image: StoredImage, move: Move) -> tuple[Finding, ...]:
    empty = RunConfig()
    ours, below = image.settings.config or empty, image_for(move.old, image.platform).settings.config or empty
    if not becomes_root(ours, below, image_for(move.new, image.platform).settings.config or empty):
        return ()
    message = f"the new base runs as root; {image.platform} still runs as {ours.user}"
    return (Finding(name="kept-user", message=message, severity="note"),)


def image_for(base: Basis, platform: Platform) -> StoredImage:
    """The base's image that one for `platform` stands on; UsageError [no-platform]."""
    found = best(platform, tuple(image.platform for image in base.images))
    for image in base.images:
        if image.platform == found:
            return image
    listed = ", ".join(str(image.platform) for image in base.images) or "none"
    raise UsageError("no-platform", f"{base.name} has no image for {platform}", why=f"it has {listed}")


def _other(image: StoredImage, old: Basis, why: str) -> RefusedError:
    return RefusedError(
        "not-on-base",
        f"the image for {image.platform} does not stand on {old.name}",
        where=str(image.digest),
        why=why,
        next="name the base it was built on: --old-base REF@DIGEST",
    )


def base_of(stored: Stored) -> tuple[str, tuple[Digest, ...]]:
    """Name and digests of the base, as the annotations of the images say, or those of the index; empty where none does, or where
    they hold something else. Each image may name its own platform's image of the base."""
    ours = {image.digest for image in stored.images}
    said = [_annotations(document) for document in stored.documents if document.digest in ours]
    said = [one for one in (*said, stored.annotations) if _is(Digest, one.get(BASE_DIGEST, ""))]
    name = next((one[BASE_NAME] for one in said if _is(references.parse, one.get(BASE_NAME, ""))), "")
    return name, tuple(dict.fromkeys(Digest(one[BASE_DIGEST]) for one in said[: len(ours)]))


def _is(read: Callable[[str], object], text: str) -> bool:
    """Whether anybody can read `text` as that."""
    try:
        read(text)
    except WherryError:
        return False
    return True


def _annotations(document: Document) -> Annotations:
    known = document.media_type in (*media.INDEXES, *media.MANIFESTS)
    return manifests.parse(document, name=str(document.digest)).annotations if known else {}
