"""One platform's image out of several. A Built or Stored and a platform in, an image out; touches nothing."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.model.image import Built, Image, Stored, StoredImage
from wherry.oci import edit, media
from wherry.oci import manifest as manifests
from wherry.oci.descriptor import Descriptor, Document, decode, describe
from wherry.oci.digest import Digest
from wherry.oci.manifest import DESCRIBES, Index
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


def narrowed(stored: Stored, platforms: tuple[Platform, ...]) -> Stored:
    """`stored` for these platforms alone: one image as it is, or a new index of several, with what describes them.

    UsageError [no-platform] with a list when one of them is not there."""
    chosen = tuple(dict.fromkeys(stored_for(stored, platform).digest for platform in platforms))
    images = tuple(image for image in stored.images if image.digest in chosen)
    if len(images) == 1:
        (image,) = images
        top = describe(image.manifest, platform=image.platform)
        documents: tuple[Document, ...] = (image.manifest, image.config)
    else:
        index = _index_of(stored, frozenset(chosen))
        top = describe(index)
        documents = (index, *stored.documents[1:])
    return replace(stored, descriptor=top, documents=documents, images=images)


def _index_of(stored: Stored, chosen: frozenset[Digest]) -> Document:
    """The top index with fewer rows, all else as it stands. Nested indexes are kept only where they hold what was chosen."""
    known = {document.digest: document for document in stored.documents}

    def wanted(child: Descriptor) -> bool:
        if child.digest in chosen or child.annotations.get(DESCRIBES, "") in chosen:
            return True
        document = known.get(child.digest)
        parsed = manifests.parse(document, name=str(child.digest)) if document else None
        return isinstance(parsed, Index) and any(map(wanted, parsed.manifests))

    document, name = stored.documents[0], stored.reference
    raws = edit.elements(bytes(edit.members(document.data, name=name)["manifests"]), name=name)
    kept = [raw for raw in raws if wanted(decode(bytes(raw), Descriptor, name=name))]
    same = len(kept) == len(raws)
    data = document.data if same else edit.changed(document.data, {"manifests": kept}, name=name)
    return Document(media_type=document.media_type, data=data)


def absent(stored: Stored) -> tuple[Descriptor, ...]:
    """What an index of `stored` names and `stored` does not hold: engines keep only what fits them, and of some media types
    nobody knows what lies beneath."""
    known = {document.digest for document in stored.documents}
    parsed = (manifests.parse(one, name=str(one.digest)) for one in stored.documents if one.media_type in media.INDEXES)
    return tuple(
        child for index in parsed if isinstance(index, Index) for child in index.manifests if child.digest not in known
    )
