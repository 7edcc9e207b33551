"""Labels and annotations of a published image. What was found and the pairs in, new documents out; touches nothing.

Annotations go on every manifest and on the index, labels into every config; what is there under the same name is replaced.
"""

from __future__ import annotations

from wherry.assemble.revise import Remade, Revised, reconfigured, revised, with_config, with_members
from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.image import Stored, StoredImage
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.config import RunConfig
from wherry.oci.descriptor import Annotations, Document, describe
from wherry.oci.manifest import Manifest

Pairs = tuple[tuple[str, str], ...]


class Changes(Value, frozen=True, kw_only=True):
    """What to set. `created`: the config's new time, where a config is written at all; empty keeps the old one."""

    annotations: Pairs = ()
    labels: Pairs = ()
    created: str = ""


def annotated(stored: Stored, changes: Changes) -> Revised:
    """`stored` with `changes`. UsageError [no-annotations] for Docker's format, which has no place for them; [no-labels] for
    an artifact, which has no config to hold them."""
    docker = [one for one in stored.documents if one.media_type in (media.DOCKER_MANIFEST, media.DOCKER_INDEX)]
    if changes.annotations and docker:
        raise UsageError(
            "no-annotations",
            "this image is in Docker's format, which has no annotations",
            where=stored.reference,
            next="set labels instead: --label NAME=VALUE",
        )
    if changes.labels and not stored.images:
        raise UsageError("no-labels", "this is no image, so it has no labels", where=stored.reference)
    if not stored.images and stored.descriptor.media_type not in media.INDEXES:
        return _artifact(stored, changes)
    return revised(stored, lambda image: _image(image, changes), lambda found: _merged(found, changes.annotations))


def _artifact(stored: Stored, changes: Changes) -> Revised:
    top = stored.documents[0]
    made = with_members(top, {"annotations": _merged(stored.annotations, changes.annotations)})
    return Revised(descriptor=describe(made), documents=(made, *stored.documents[1:]), replaced=())


def _image(image: StoredImage, changes: Changes) -> Remade:
    config = _labelled(image, changes) if changes.labels else image.config
    parsed = manifests.parse(image.manifest, name=str(image.digest))
    assert isinstance(parsed, Manifest)
    wanted: dict[str, object] = {}
    if changes.annotations:
        wanted["annotations"] = _merged(parsed.annotations, changes.annotations)
    if config.digest != image.config.digest:
        wanted["config"] = with_config(image.manifest, config)
    return Remade(manifest=with_members(image.manifest, wanted), config=config)


def _labelled(image: StoredImage, changes: Changes) -> Document:
    labels = _merged((image.settings.config or RunConfig()).labels or {}, changes.labels)
    created: dict[str, object] = {"created": changes.created} if changes.created else {}
    return reconfigured(image.config, {"Labels": labels}, created)


def _merged(found: Annotations, pairs: Pairs) -> Annotations:
    return found | dict(pairs)
