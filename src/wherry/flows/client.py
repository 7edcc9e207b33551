"""A registry client for other programs: what `wherry.registry` offers, over ports that live as long as the client.

Connections, tokens and what registries can do are kept from call to call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.flows.copy import Copied, CopyRequest, copied, place_of
from wherry.flows.registry import reference_of, version_key
from wherry.kit.text import one_line
from wherry.model.image import Stored
from wherry.oci.descriptor import Descriptor, Document
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import artifact, naming
from wherry.store.keeper import Ports
from wherry.store.place import RegistryPlace
from wherry.store.registry import delete, listing, lookup, referrers
from wherry.store.registry.keeper import Registry, repository
from wherry.store.registry.pull import Repository

#: RFC 6838, 4.2: type and subtype.
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}", re.ASCII)


class Client:
    """Reads from, writes to and copies between registries, as long as its `with` block lasts. Safe to use from several threads.

    References are written as everywhere: `registry.example/team/app:1.2`, `...@sha256:...`, `alpine` for Docker Hub's. Every
    byte that comes is compared with its digest and size. Errors are `wherry.errors.WherryError`.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def digest(self, reference: str) -> Digest | None:
        """What a tag means now, by the registry's word and in one request; None when there is no such tag."""
        named = _image(reference)
        return self._there(named).head(named.digest or named.tag)

    def manifest(self, reference: str) -> Document:
        """The manifest or index as it lies there: its bytes, media type, digest and size."""
        named = _image(reference)
        return self._there(named).manifest(named.digest or named.tag)

    def image(self, reference: str) -> Stored:
        """The image for each platform: manifests and configs, read and checked; layers are only described."""
        return Registry(RegistryPlace(reference=_image(reference)), self._ports).open()

    def blob(self, reference: str) -> Iterator[bytes]:
        """The bytes of `REPOSITORY@sha256:...`. The last chunk comes only when all of them match: whoever stops before has
        proved nothing."""
        named = _digest(reference)
        there = self._there(named[0])
        return there.blob(lookup.blob(there, named[1]))

    def tags(self, repository: str, *, by_version: bool = False) -> tuple[str, ...]:
        """All tags, in the registry's order or by the numbers in them."""
        found = listing.tags(self._there(reference_of(repository)))
        return tuple(sorted(found, key=version_key)) if by_version else found

    def referrers(self, reference: str, *, artifact_type: str = "") -> tuple[Descriptor, ...]:
        """Signatures, SBOMs and whatever else refers to an image; of one artifact type if one is named."""
        named = _image(reference)
        there = self._there(named)
        subject = named.digest or there.manifest(named.tag).digest
        return referrers.find(there, subject, artifact_type=artifact_type)

    def attach(
        self,
        reference: str,
        data: bytes,
        *,
        artifact_type: str,
        annotations: Mapping[str, str] = MappingProxyType({}),
    ) -> Digest:
        """Attaches `data` to an image, as an artifact that refers to it; the artifact's digest. Equal data are attached once.

        `artifact_type` is a media type. A registry without the referrers API gets the index under the tag `sha256-...` that the
        specification wants."""
        refuse_attachment(data, artifact_type, annotations)
        named = _image(reference)
        subject = self._there(named).manifest(named.digest or named.tag)
        content = artifact.made(subject, data, kind=artifact_type, annotations=tuple(sorted(annotations.items())))
        place = replace(named, tag="", digest=content.digest)
        Registry(RegistryPlace(reference=place), self._ports).put(content, (place,))
        return content.digest

    def copy(self, source: str, *destinations: str, platforms: tuple[str, ...] = (), referrers: bool = False) -> Copied:
        """Copies an image, index or artifact from one place to others: registries (`registry.example/app:1`), layouts
        (`oci:DIR`), archives, engines. Digests stay; what is there is not sent, what lies elsewhere there is mounted."""
        request = CopyRequest(source=source, destinations=destinations, platforms=platforms, referrers=referrers)
        return copied(place_of(source), tuple(map(place_of, destinations)), request, self._ports)

    def delete(self, reference: str) -> None:
        """Deletes what `REPOSITORY@sha256:...` names and every tag of it, or with `REPOSITORY:TAG` that tag alone, where the
        registry allows it."""
        named = reference_of(reference)
        there = self._there(named, "pull,push,delete")
        if named.digest:
            delete.manifest(there, named.digest)
        elif named.tag:
            delete.tag(there, named.tag)
        else:
            raise _unclear(reference, "a tag or a digest, so that nothing is deleted by mistake")

    def _there(self, reference: Reference, actions: str = "pull") -> Repository:
        return repository(reference, self._ports, actions=actions)


def refuse_attachment(data: object, kind: object, annotations: Mapping[str, object]) -> None:
    """UsageError [bad-option] for what cannot be attached: a text, no media type, an annotation that is no text."""
    why = ""
    if not isinstance(data, bytes):
        why = f"data is bytes, not {type(data).__name__}"
    elif not isinstance(kind, str) or not _MEDIA_TYPE.fullmatch(kind):
        why = f"artifact_type is a media type such as application/spdx+json, not {kind!r}"
    elif not all(isinstance(text, str) for pair in annotations.items() for text in pair):
        why = "annotations are texts by their names"
    if why:
        raise UsageError("bad-option", why, next="help(wherry.registry.Client.attach)")


def _image(text: str) -> Reference:
    return naming.or_latest(reference_of(text))


def _digest(text: str) -> tuple[Reference, Digest]:
    named = reference_of(text)
    if named.digest is None:
        raise _unclear(text, "a digest: REPOSITORY@sha256:...")
    return named, named.digest


def _unclear(text: str, wanted: str) -> UsageError:
    return UsageError("bad-reference", f"{one_line(text[:200])} does not say enough", next=f"write {wanted}")
