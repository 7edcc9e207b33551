"""The index.json of a layout as a list of named entries (image-layout.md#indexjson-file). Bytes in and out; touches nothing.

What other tools wrote is kept as it stands, unknown members too: entries are edited as raw JSON.
"""

from __future__ import annotations

import msgspec

from wherry.kit import jsons
from wherry.kit.value import Value
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, decode
from wherry.oci.digest import Digest

REF_NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"
"""What containerd, BuildKit and Docker import an archive's image as."""
LARGEST = 32 << 20


class Entry(Value, frozen=True, kw_only=True):
    """One of `manifests`: as it stands, and as understood."""

    raw: msgspec.Raw
    descriptor: Descriptor

    @property
    def name(self) -> str:
        return self.descriptor.annotations.get(REF_NAME, "")


class Entries(Value, frozen=True, kw_only=True):
    """A layout's index.json."""

    members: dict[str, msgspec.Raw]
    """Everything but `manifests`."""
    entries: tuple[Entry, ...]


EMPTY = Entries(
    members={"schemaVersion": msgspec.Raw(b"2"), "mediaType": msgspec.Raw(f'"{media.OCI_INDEX}"'.encode())}, entries=()
)


def parse(data: bytes, *, name: str) -> Entries:
    """An index.json; CorruptError [json] when it is none."""
    members = jsons.decode(data, dict[str, msgspec.Raw], name=name)
    raws = jsons.decode(bytes(members.pop("manifests", b"[]")), list[msgspec.Raw], name=name)
    return Entries(
        members=members,
        entries=tuple(Entry(raw=raw, descriptor=decode(bytes(raw), Descriptor, name=name)) for raw in raws),
    )


def encode(entries: Entries) -> bytes:
    """The bytes of index.json; equal entries give equal bytes."""
    return msgspec.json.encode({**entries.members, "manifests": [entry.raw for entry in entries.entries]})


def put(entries: Entries, descriptor: Descriptor) -> Entries:
    """`entries` with `descriptor` last, instead of what had its name until now. Only a name of its own is replaced: an entry of
    another tool without a name stays."""
    name = descriptor.annotations.get(REF_NAME, "")
    raw = msgspec.Raw(msgspec.json.encode(descriptor, order="deterministic", enc_hook=str))
    kept = tuple(
        entry
        for entry in entries.entries
        if (entry.name != name if name else entry.name or entry.descriptor.digest != descriptor.digest)
    )
    return Entries(members=entries.members, entries=(*kept, Entry(raw=raw, descriptor=descriptor)))


def drop(entries: Entries, names: frozenset[str]) -> Entries:
    """`entries` without those of these names."""
    return Entries(
        members=entries.members, entries=tuple(entry for entry in entries.entries if entry.name not in names)
    )


def without(entries: Entries, digest: Digest) -> Entries:
    """`entries` but for one of this digest that has no name."""
    kept = tuple(entry for entry in entries.entries if entry.name or entry.descriptor.digest != digest)
    return Entries(members=entries.members, entries=kept)


def matching(entries: Entries, *, tag: str, digest: Digest | None) -> tuple[Entry, ...]:
    """The entries meant by a tag, a digest, both or neither; a tag also finds a full reference ending with it."""
    found = entries.entries
    if tag:
        exact = tuple(entry for entry in found if entry.name == tag)
        found = exact or tuple(entry for entry in found if entry.name.rpartition("/")[2].partition(":")[2] == tag)
    return tuple(entry for entry in found if digest in (None, entry.descriptor.digest))


def names(entries: Entries) -> tuple[str, ...]:
    """What can be asked for, in words: names, or digests where there is no name."""
    return tuple(entry.name or str(entry.descriptor.digest) for entry in entries.entries)
