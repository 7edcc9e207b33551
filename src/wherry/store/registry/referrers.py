"""What refers to an image: signatures, SBOMs, attestations. A digest in, descriptors out, and back; touches the network
through its repository's session.

By the referrers API; a registry without it is served by an index under the tag `sha256-<hex>` (distribution-spec, "Listing
Referrers", "Referrers Tag Schema"). Everybody writes to that one tag: what others put there stays, whatever its kind, and
after writing it is read again to see that nobody overwrote ours (C10).
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wherry.errors import CorruptError, UnavailableError
from wherry.kit.ports import Request, Response
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, Document, Wire, decode, describe, encode
from wherry.oci.digest import Digest
from wherry.oci.manifest import Index, Manifest
from wherry.store.registry import errors, listing, url
from wherry.store.registry.pull import ACCEPT, Repository

MOST: Final = 10_000
ROUNDS: Final = 6
_OTHER_WAY = (400, 404, 405, 501)


class _Listed(Wire, frozen=True, kw_only=True):
    """An answer of the API; cuelabs says null for an empty list, as Go does by itself."""

    manifests: tuple[Descriptor, ...] | None


def find(repository: Repository, subject: Digest, *, artifact_type: str = "") -> tuple[Descriptor, ...]:
    """What refers to `subject`, of one artifact type if one is named; nothing when nothing does."""
    found = _by_api(repository, subject, artifact_type) if repository.session.facts.referrers is not False else None
    if found is None:
        found = _by_tag(repository, subject)[0]
    return tuple(one for one in found if artifact_type in ("", one.artifact_type))


def attached(repository: Repository, document: Document, response: Response) -> None:
    """After a manifest was put: where it refers to another and the registry did not say that it noted it (OCI-Subject),
    notes it in the tag."""
    if b'"subject"' not in document.data:
        return
    parsed = manifests.parse(document, name=str(document.digest))
    if parsed.subject is None or response.header("OCI-Subject") == parsed.subject.digest:
        return
    repository.session.learn(referrers=False)
    record(repository, parsed.subject.digest, referrer(document))


def referrer(document: Document) -> Descriptor:
    """How `document` is listed among the referrers of its subject."""
    parsed = manifests.parse(document, name=str(document.digest))
    fallback = parsed.config.media_type if isinstance(parsed, Manifest) else ""
    kind = parsed.artifact_type or fallback
    return replace(describe(document), artifact_type=kind, annotations=parsed.annotations)


def record(repository: Repository, subject: Digest, entry: Descriptor) -> None:
    """Adds `entry` to the tag's index unless it is there. UnavailableError [referrers-race] when others overwrite it."""
    tag = tag_of(subject)
    for number in range(ROUNDS):
        entries, etag, raw = _by_tag(repository, subject)
        if any(one.digest == entry.digest for one in entries):
            return
        index = raw or Index(schema_version=2, media_type=media.OCI_INDEX, manifests=())
        data = encode(replace(index, manifests=(*entries, entry)))
        headers = (("Content-Type", media.OCI_INDEX), *((("If-Match", etag),) if etag else ()))
        address = url.manifest(repository.base, repository.reference, tag)
        response = repository.session.send(Request(method="PUT", url=address, headers=headers, body=data))
        if response.status not in (201, 412):
            raise errors.failure(errors.said(response), url=address, doing=f"note what refers to {subject}")
        response.close()
        if number:
            repository.session.wait(number - 1)  # two who write in step would overwrite each other for ever
    raise UnavailableError(
        "referrers-race",
        f"could not note what refers to {subject}: others write there at the same time",
        where=f"{repository.reference.name}:{tag}",
        why="this registry has no referrers API, so everybody shares one tag",
        next="run the same command again",
    )


def tag_of(subject: Digest) -> str:
    """The tag that stands for the referrers of `subject`."""
    return f"{subject.algorithm}-{subject.hex}"[:128]


def _by_api(repository: Repository, subject: Digest, artifact_type: str) -> tuple[Descriptor, ...] | None:
    """None when the registry has no such API."""
    asked = f"{repository.base}/v2/{repository.reference.repository}/referrers/{subject}"
    asked = url.with_query(asked, artifactType=artifact_type) if artifact_type else asked
    found: dict[Digest, Descriptor] = {}
    for response, data in listing.pages(repository.session, asked):
        said = response.header("Content-Type").partition(";")[0].strip()
        if response.status in _OTHER_WAY or (response.status == 200 and said != media.OCI_INDEX):
            response.close()
            repository.session.learn(referrers=False)
            return None
        if response.status != 200:
            raise errors.failure(errors.said(response), url=asked, doing=f"ask what refers to {subject}")
        listed = decode(data, _Listed, name=f"referrers of {subject}").manifests
        found |= {one.digest: one for one in listed or ()}
        _bounded(found, subject)
    repository.session.learn(referrers=True)
    return tuple(found.values())


def _by_tag(repository: Repository, subject: Digest) -> tuple[tuple[Descriptor, ...], str, Index | None]:
    """The tag's entries, its ETag and its index as a whole."""
    asked = url.manifest(repository.base, repository.reference, tag_of(subject))
    name = f"referrers of {subject}"
    request = Request(method="GET", url=asked, headers=ACCEPT)
    response, data = repository.session.whole(request, limit=listing.LARGEST, name=name)
    if response.status == 404:
        response.close()
        return (), "", None
    if response.status != 200:
        raise errors.failure(errors.said(response), url=asked, doing=f"ask what refers to {subject}")
    parsed = manifests.parse(Document(media_type="", data=data), name=name)
    if not isinstance(parsed, Index):
        raise CorruptError("manifest-kind", f"{name} should be an index and is an image", where=tag_of(subject))
    found = {one.digest: one for one in parsed.manifests}
    _bounded(found, subject)
    return tuple(found.values()), response.header("ETag"), parsed


def _bounded(found: dict[Digest, Descriptor], subject: Digest) -> None:
    if len(found) > MOST:
        raise CorruptError("too-many-referrers", f"more than {MOST} things refer to {subject}", where=str(subject))
