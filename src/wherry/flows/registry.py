"""What a registry holds, by hand: tags, manifests, blobs, and deleting. References in, what is there out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from msgspec.structs import replace

from wherry.errors import UnavailableError, UsageError
from wherry.flows.rooms import store_ports
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.oci import platform as platforms
from wherry.oci import reference as references
from wherry.oci.descriptor import Document
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import naming
from wherry.store.choose import stored_for
from wherry.store.place import RegistryPlace
from wherry.store.registry import delete as deleting
from wherry.store.registry import listing, lookup
from wherry.store.registry.keeper import Registry, repository

_NUMBER = re.compile(r"(\d+)")


class Deletion(Value, frozen=True, kw_only=True):
    """What a deletion would take away."""

    reference: Reference
    """With a tag or a digest, never both."""
    digest: Digest
    """What the tag means now, or the digest itself."""
    tags: tuple[str, ...] = ()


def reference_of(text: str) -> Reference:
    """A reference as its registry is asked for it; `docker://` may stand before it. UsageError [bad-reference] also for
    `registry.example:5000`, which is a host and would be an odd name of Docker Hub's."""
    name, colon, port = text.partition(":")
    if colon and port.isdecimal() and ("." in name or name == "localhost") and references.is_host(text):
        raise UsageError("bad-reference", f"{text} is a registry, and names no repository", next=f"write {text}/NAME")
    return references.in_registry(references.parse(text.removeprefix("docker://")))


def tags(text: str, machine: Machine, *, by_version: bool = False) -> tuple[str, ...]:
    """All tags of a repository, in the registry's order, or by the numbers in them."""
    reference = reference_of(text)
    if reference.tag or reference.digest:
        raise UsageError(
            "bad-reference",
            f"{text} is an image, not a repository",
            next=f"wherry registry tags {shlex.quote(reference.name)}",
        )
    with store_ports(machine) as ports:
        found = listing.tags(repository(reference, ports))
    return tuple(sorted(found, key=version_key)) if by_version else found


def version_key(tag: str) -> tuple[tuple[tuple[int, int, str], ...], bool, str]:
    """Numbers as numbers, so that 1.10 comes after 1.9; `1.2-rc1` before `1.2` (semver.org, 11)."""
    release, _, before = tag.partition("-")
    return _parts(release), not before, before


def manifest(text: str, machine: Machine, *, platform: str = "") -> Document:
    """The manifest or index as the registry holds it, hashed against its digest; of an index, that for `platform`."""
    reference = naming.or_latest(reference_of(text))
    with store_ports(machine) as ports:
        if not platform:
            return repository(reference, ports).manifest(reference.digest or reference.tag)
        stored = Registry(RegistryPlace(reference=reference), ports).open()
        return stored_for(stored, platforms.parse(platform)).manifest


def blob(text: str, machine: Machine) -> Iterator[bytes]:
    """The bytes of `REPOSITORY@sha256:...`; the last of them come only when all of them match."""
    reference = reference_of(text)
    if reference.digest is None:
        raise UsageError("bad-reference", f"{text} names no blob", next="write it as REPOSITORY@sha256:...")
    with store_ports(machine) as ports:
        there = repository(reference, ports)
        yield from there.blob(lookup.blob(there, reference.digest))


def deletion(text: str, machine: Machine) -> Deletion:
    """What deleting `text` would mean; nothing is deleted yet."""
    reference = reference_of(text)
    if not reference.tag and not reference.digest:
        raise UsageError(
            "bad-reference",
            f"{text} names neither tag nor digest",
            next=f"wherry registry delete {shlex.quote(text)}@sha256:...",
        )
    with store_ports(machine) as ports:
        there = repository(reference, ports)
        digest = there.manifest(reference.digest or reference.tag).digest
    exact = replace(reference, tag="") if reference.digest else reference
    return Deletion(reference=exact, digest=digest)


def delete(what: Deletion, machine: Machine) -> str:
    """Deletes it; what was deleted, as a reference. Where a registry deletes no tags alone, the error says the digest."""
    reference = what.reference
    with store_ports(machine) as ports:
        there = repository(reference, ports, actions="pull,push,delete")
        if reference.digest:
            deleting.manifest(there, reference.digest)
            return str(reference)
        try:
            deleting.tag(there, reference.tag)
        except UnavailableError as error:
            if error.name != "delete-refused":
                raise
            raise UnavailableError(
                "delete-refused",
                error.message,
                where=error.where,
                why=error.why,
                next=f"wherry registry delete {shlex.quote(reference.name)}@{shlex.quote(what.digest)}",
            ) from error
    return str(reference)


def _parts(text: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _NUMBER.split(text) if part)
