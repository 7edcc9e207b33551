"""A base image read as far as it is needed. A place, a platform and what is kept from other runs in, a Base out; reads the
place, and keeps documents and layers by digest.

What a name means is asked once a run; what a digest means is asked once ever, as long as the cache lasts. Of an index only the
chosen platform's documents are read.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from wherry.errors import CorruptError, RefusedError
from wherry.kit import jsons, parallel
from wherry.kit.ports import Records
from wherry.kit.value import Value
from wherry.model.base import Base
from wherry.model.image import Layer, Stored, StoredImage
from wherry.oci.descriptor import Descriptor, Document, describe
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.platform import Platform
from wherry.oci.reference import Reference
from wherry.store import naming
from wherry.store.baselayer import Kept, LayerSource, Shelf
from wherry.store.documents import Fetch
from wherry.store.keeper import Keeper, Ports
from wherry.store.pick import Candidate, Top, candidates, pick
from wherry.store.place import EnginePlace, Place, RegistryPlace
from wherry.store.places import at

if TYPE_CHECKING:
    from wherry.store.registry.mirrors import Source

AT_ONCE = 4


class Wanted(Value, frozen=True, kw_only=True):
    """One base as a plan names it."""

    name: str
    """In the grammar of `-o`, for people and annotations."""
    place: Place
    digest: str = ""
    """What it must be; empty: what the name means today."""


class _Known(Value, frozen=True, kw_only=True):
    """What a digest turned out to be. Named as JSON text, so that the record keeps the blob in use."""

    digest: str
    size: int
    media_type: str


class Bases:
    """The bases of one run. `lazy`: layers stay where they are until somebody asks for their bytes."""

    def __init__(self, ports: Ports, kept: Kept, records: Records, *, lazy: bool = False) -> None:
        self.ports, self.kept, self.records, self.lazy = ports, kept, records, lazy
        self._shelf = Shelf(kept, records, Path(ports.scratch), ports.events)
        self._found: dict[Wanted, Top] = {}
        self._lock = threading.Lock()

    def read(self, wanted: Wanted, platform: Platform) -> Base:
        """The base for `platform`. UsageError [no-platform] lists what there is; RefusedError [base-moved] when it is not the
        locked one; CorruptError [diff-id], [digest-mismatch], [bomb], [bad-tar] for what is not what it says."""
        found = self.top(wanted)
        image = pick(found, platform, name=wanted.name)
        origin = wanted.place.reference if isinstance(wanted.place, RegistryPlace) else None
        source = LayerSource(blob=found.blob, origin=origin, lazy=self.lazy and origin is not None)
        pairs = tuple(zip(image.layers, image.settings.rootfs.diff_ids, strict=True))
        layers = parallel.each(lambda pair: self._shelf.layer(source, *pair), pairs, at_once=AT_ONCE)
        return Base(
            name=wanted.name,
            platform=image.platform,
            digest=image.digest,
            top=found.descriptor.digest,
            layers=_named(image, layers),
            config=image.settings,
        )

    def top(self, wanted: Wanted) -> Top:
        """What the name means, asked once."""
        with self._lock:
            if wanted not in self._found:
                self._found[wanted] = self._look(wanted)
            return self._found[wanted]

    def platforms(self, wanted: Wanted) -> tuple[Candidate, ...]:
        """Every image there is."""
        return candidates(self.top(wanted))

    def _look(self, wanted: Wanted) -> Top:
        match wanted.place:
            case RegistryPlace(reference=reference):
                if wanted.digest:
                    reference = replace(reference, digest=Digest(wanted.digest))
                return self._at_registry(naming.or_latest(reference))
            case EnginePlace():
                from wherry.store.engine.export import exported

                keeper = exported(wanted.place, self.ports)
            case _:
                keeper = at(wanted.place, self.ports)
        stored = keeper.open()
        if wanted.digest not in ("", stored.descriptor.digest):
            raise RefusedError(
                "base-moved",
                f"the base {wanted.name} is not what is locked",
                where=f"it is {stored.descriptor.digest}",
                why=f"{wanted.digest} is locked",
                next="wherry base lock",
            )
        return _of_stored(stored, keeper)

    def _at_registry(self, reference: Reference) -> Top:
        """By digest nothing is asked that is kept. By tag one HEAD tells whether what is kept is still meant (C07: the bytes are
        compared with that digest, or fetched); offline it is what was meant last."""
        from wherry.store.registry.keeper import readable

        there = readable(reference, self.ports)
        memory = f"base-tag-{reference}"
        digest = reference.digest
        known = self.records.get(memory) if digest is None else None
        if known is not None:
            digest = Digest(known.decode()) if self.ports.offline else there.head(reference.tag)
        document = self._remembered(digest) if digest else None
        if document is None:
            descriptor, data = there.top()
            document = Document(media_type=descriptor.media_type, data=data)
            self._remember(document)
            if not reference.digest:
                self.records.put(memory, str(document.digest).encode())
        return Top(descriptor=describe(document), document=document, fetch=self._cached(there), blob=there.blob)

    def _remembered(self, digest: Digest) -> Document | None:
        data = self.records.get(f"base-top-{digest}")
        try:
            known = jsons.decode(data, _Known, name="base") if data else None
        except CorruptError:
            return None
        path = self.kept.get(digest, known.size) if known else None
        return Document(media_type=known.media_type, data=path.read_bytes()) if known and path else None

    def _remember(self, document: Document) -> None:
        known = _Known(digest=str(document.digest), size=document.size, media_type=document.media_type)
        self.records.put(f"base-top-{document.digest}", msgspec.json.encode(known))
        self.kept.add(document.data)

    def _cached(self, there: Source) -> Fetch:
        """Documents by digest, from the cache where it has them."""

        def fetch(descriptor: Descriptor) -> bytes:
            path = self.kept.get(descriptor.digest, descriptor.size) if _can_be_kept(descriptor) else None
            if path is not None:
                return path.read_bytes()
            data = there.fetch(descriptor)
            if _can_be_kept(descriptor) and of_bytes(data) == descriptor.digest:
                self.kept.add(data)
            return data

        return fetch


def reference_now(wanted: Wanted, ports: Ports) -> Digest | None:
    """The digest that a base's name means today, in as little as it takes; None when it means nothing."""
    match wanted.place:
        case RegistryPlace(reference=reference):
            from wherry.store.registry.keeper import readable

            tagged = naming.or_latest(replace(reference, digest=None))
            there = readable(tagged, ports)
            return there.head(tagged.tag) or there.top()[0].digest
        case _:
            return at(wanted.place, ports).open().descriptor.digest


def _can_be_kept(descriptor: Descriptor) -> bool:
    return descriptor.digest.algorithm == "sha256"


def _of_stored(stored: Stored, keeper: Keeper) -> Top:
    by_digest = {document.digest: document for document in stored.documents}

    def fetch(descriptor: Descriptor) -> bytes:
        if descriptor.digest not in by_digest:
            raise CorruptError("missing-blob", f"{descriptor.digest} is named but not there", where=stored.reference)
        return by_digest[descriptor.digest].data

    return Top(
        descriptor=stored.descriptor, document=by_digest[stored.descriptor.digest], fetch=fetch, blob=keeper.blob
    )


def _named(image: StoredImage, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers with what the config's history says of each."""
    history = [entry.created_by for entry in image.settings.history or () if not entry.empty_layer]
    if len(history) != len(layers):
        return layers
    return tuple(replace(layer, history=said) for layer, said in zip(layers, history, strict=True))
