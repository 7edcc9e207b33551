"""An OCI image layout in a folder (image-layout.md). A Built in, a tagged folder out, and back; touches that folder.

Order of writing: `oci-layout` first, so that the folder is a layout as soon as it is anything; blobs; index.json last, replaced
whole. Writers take turns by a lock on `oci-layout`, which dies with its process (E03).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from wherry.errors import CorruptError, UsageError, WherryError
from wherry.kit import jsons
from wherry.kit.files import atomic_write, disk_errors
from wherry.kit.streams import read_limited
from wherry.kit.value import Value
from wherry.model.image import Built, ImageIndex, Published, Stored
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store import documents, entries, naming
from wherry.store.blobs import AT_ONCE, Blobs, open_blob
from wherry.store.content import Content
from wherry.store.entries import Entries, Entry
from wherry.store.place import LayoutPlace

MARKER = "oci-layout"
MARKER_BYTES = b'{"imageLayoutVersion":"1.0.0"}'


class Layout:
    """The keeper of `oci:DIR[:TAG]`."""

    def __init__(self, place: LayoutPlace) -> None:
        self.place = place
        self.directory = Path(place.directory)

    def publish(self, built: Built, /) -> Published:
        """Adds the image under the tag (the place's, else every -t's, else the version); other entries stay as they are."""
        naming.refuse_digest(self.place.digest, self.place)
        pairs = naming.in_layout(built, self.place.tag, several=self.place.several)
        with locked(self.directory):
            blobs = Blobs(self.directory, shared=False)
            known = read_entries(self.directory)
            blobs.add(built)
            new = known
            for tag, full in pairs:
                new = entries.put(new, described(built, name=tag, full=full))
            write_entries(self.directory, new, known, durable=False)
        return Published(
            reference=f"{naming.shown(built, self.place.tag)}@{built.digest}",
            place=str(LayoutPlace(directory=self.place.directory, tag=pairs[0][0])),
            digest=built.digest,
            names=tuple(tag for tag, _ in pairs),
            sent=blobs.written,
            findings=tuple(blobs.findings),
        )

    def put(self, content: Content, references: tuple[Reference, ...] = (), /) -> tuple[Published, ...]:
        """Adds `content` under the place's tag, else the tags of `references`, else without a name."""
        naming.refuse_digest(self.place.digest, self.place)
        pairs = naming.tags_of(references, self.place.tag)
        named = tuple(entry_of(content, tag, naming.in_full(name) if name else "") for tag, name in pairs)
        blobs = keep(self.directory, content, named, shared=False)
        rows = tuple((name, str(put_place(self.place, tag, content))) for tag, name in pairs)
        return with_findings(naming.put_rows(rows, content.digest, blobs.written), blobs)

    def open(self) -> Stored:
        """The one image meant; CorruptError when it is damaged, UsageError [which-image] when several could be meant."""
        require(self.directory)
        found = entries.matching(read_entries(self.directory), tag=self.place.tag, digest=self.place.digest)
        entry = only(found, entries.names(read_entries(self.directory)), str(self.place))
        return documents.stored(Blobs(self.directory, shared=False).fetch, entry.descriptor, reference=str(self.place))

    def file(self, descriptor: Descriptor, /) -> str:
        """Where the blob is, unchecked."""
        return str(Blobs(self.directory, shared=False).path(descriptor.digest))

    def blob(self, descriptor: Descriptor, /) -> Iterator[bytes]:
        return Blobs(self.directory, shared=False).read(descriptor)


def described(built: Built, *, name: str, full: str) -> Descriptor:
    """The entry of index.json for `built` under `name`, with its full reference for those who import it."""
    document = built.content.document if isinstance(built.content, ImageIndex) else built.content.manifest
    return Descriptor(
        media_type=document.media_type,
        digest=document.digest,
        size=document.size,
        platform=None if isinstance(built.content, ImageIndex) else built.content.platform,
        annotations={entries.FULL_NAME: full, entries.REF_NAME: name},
    )


def put_place(place: LayoutPlace, tag: str, content: Content) -> LayoutPlace:
    """Where `content` is found again: by its tag, else by its digest."""
    return LayoutPlace(directory=place.directory, tag=tag, digest=None if tag else content.digest)


def with_findings(published: tuple[Published, ...], blobs: Blobs) -> tuple[Published, ...]:
    """The first one carries what was found wrong, and mended, meanwhile."""
    return (replace(published[0], findings=tuple(blobs.findings)), *published[1:])


def keep(directory: Path, content: Content, named: tuple[Descriptor, ...], *, shared: bool) -> Blobs:
    """Puts `content` into the layout at `directory`, and entries for it. The lock is held for the entries alone, since blobs may
    come from far away; what was pruned meanwhile is brought again.

    When this ends early, a layout that it began stays for the whole blobs in it, which the next run does not move again. It is
    taken away where there are none, and where the disk is full: its room is what is needed then."""
    blobs = Blobs(directory, shared=shared)
    with contextlib.ExitStack() as stack:
        with locked(directory) as begun:
            alone = stack.enter_context(blobs.writing())
        try:
            blobs.put(content)
            with locked(directory):
                while blobs.missing(content):
                    blobs.put(content)
                known = read_entries(directory)
                new = known
                for descriptor in named:
                    new = entries.put(new, descriptor)
                write_entries(directory, new, known, durable=shared)
        except BaseException as error:
            if begun.fresh and (_is_full(error) or not blobs.any_whole()):
                with contextlib.suppress(WherryError), locked(directory, wait=False):
                    if alone():
                        _undo(directory, begun.folders)
            raise
    return blobs


def _is_full(error: BaseException) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)


def entry_of(content: Content, name: str, full: str) -> Descriptor:
    """The entry of index.json for `content`; without names it is found by its digest."""
    said = {entries.FULL_NAME: full, entries.REF_NAME: name}
    return replace(content.descriptor, annotations={key: value for key, value in said.items() if value})


def only(found: tuple[Entry, ...], names: tuple[str, ...], place: str) -> Entry:
    """The single entry meant. Several entries for one digest are one."""
    if len({entry.descriptor.digest for entry in found}) == 1:
        return found[0]
    listed = ", ".join(names[:20]) or "nothing"
    if found:
        raise UsageError(
            "which-image", f"{place} holds several images", why=f"it holds {listed}", next="name one of them"
        )
    raise UsageError(
        "no-such-image",
        f"there is no such image at {place}",
        why=f"it holds {listed}",
        next="name one of them behind the last colon" if names else "build into it: wherry build -o PLACE",
    )


class Begun(Value, frozen=True, kw_only=True):
    """What this process made of a layout."""

    fresh: bool
    """It was empty, or not there."""
    folders: tuple[Path, ...]
    """Those that were not there, the innermost first."""


@contextlib.contextmanager
def locked(directory: Path, *, wait: bool = True) -> Iterator[Begun]:
    """Makes `directory` a layout if it is empty or new, and holds its lock; UsageError [not-a-layout] when it cannot be. What was
    made is taken away again when nothing could be put into it. Without `wait`: UnavailableError [disk] while another holds it."""
    if directory.exists() and not directory.is_dir():
        raise not_a_layout(directory, "it is a file")
    folders = tuple(folder for folder in (directory, *directory.parents) if not folder.exists())
    while True:
        descriptor, empty = _open_marker(directory, folders)
        fresh = False
        try:
            with disk_errors(directory / MARKER):
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                status = os.fstat(descriptor)
                if not status.st_nlink:  # who held it took the layout away
                    continue
                if not status.st_size:  # new, or a writer died between making it and this line
                    fresh = empty
                    os.write(descriptor, MARKER_BYTES)
            require(directory)
            yield Begun(fresh=fresh, folders=folders)
            return
        except BaseException:
            if fresh:
                _undo(directory, folders)
            raise
        finally:
            os.close(descriptor)


def _open_marker(directory: Path, folders: tuple[Path, ...]) -> tuple[int, bool]:
    """A descriptor of the marker, and whether nothing was in the folder."""
    try:
        with disk_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            others = [child.name for child in directory.iterdir()]
            if others and MARKER not in others:
                raise not_a_layout(directory, f"it holds {min(others)!r} and no {MARKER}")
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            return os.open(directory / MARKER, flags, 0o644), not others
    except WherryError:
        _remove_empty(folders)
        raise


def _undo(directory: Path, folders: tuple[Path, ...]) -> None:
    """Takes away a layout that this process began and holds the lock of, with blobs that nobody else counts on."""
    blobs = directory / "blobs"
    with contextlib.suppress(OSError):
        if (directory / "index.json").exists():
            return
        for _ in range(AT_ONCE):  # any other thread of `put` may end a blob meanwhile, and begins none
            shutil.rmtree(blobs, ignore_errors=True)
        if not blobs.exists():
            (directory / MARKER).unlink()
            _remove_empty(folders)


def _remove_empty(folders: tuple[Path, ...]) -> None:
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def require(directory: Path) -> None:
    """Returns when `directory` is a layout of the version we know; UsageError [not-a-layout] otherwise."""
    if not (directory / MARKER).is_file():
        other = "it is a file" if directory.exists() else "there is no such folder"
        why = f"it has no file {MARKER}" if directory.is_dir() else other
        raise not_a_layout(directory, why).with_next("name a folder that holds images: oci:DIR or oci:DIR:TAG")
    with open_blob(directory / MARKER, MARKER) as file:
        data = read_limited(file, limit=4096, name=str(directory / MARKER))
    check_version(data, str(directory))


def check_version(data: bytes, name: str) -> None:
    """Returns when an `oci-layout` file says the version we know."""
    version = jsons.decode(data, dict[str, str], name=f"{name}/{MARKER}").get("imageLayoutVersion", "")
    if version != "1.0.0":
        raise not_a_layout(name, f"its version is {version[:20]!r}, not 1.0.0")


def not_a_layout(directory: Path | str, why: str) -> UsageError:
    """The error for a folder that is something else."""
    return UsageError(
        "not-a-layout",
        f"this is no OCI layout: {why}",
        where=str(directory),
        next="name a layout, or a folder that is empty or does not exist yet",
    )


def read_entries(directory: Path) -> Entries:
    """The layout's index.json; none yet counts as empty."""
    path = directory / "index.json"
    try:
        with disk_errors(path), open_blob(path, "index.json") as file:
            return entries.parse(read_limited(file, limit=entries.LARGEST, name=str(path)), name=str(path))
    except CorruptError as error:
        if error.name == "missing-blob":
            return entries.EMPTY
        raise


def write_entries(directory: Path, new: Entries, old: Entries, *, durable: bool) -> None:
    """Replaces index.json whole, unless nothing changed."""
    if new != old:
        atomic_write(directory / "index.json", entries.encode(new), durable=durable)


def top_digest(directory: Path, name: str) -> Digest | None:
    """What `name` means in the layout now."""
    return next((entry.descriptor.digest for entry in read_entries(directory).entries if entry.name == name), None)


def names_of(place: LayoutPlace, digest: Digest) -> tuple[str, ...]:
    """Every name of `digest` in the layout; an empty one where it is there without a name."""
    return tuple(
        entry.name for entry in read_entries(Path(place.directory)).entries if entry.descriptor.digest == digest
    )


def forget_nameless(place: LayoutPlace, digest: Digest) -> None:
    """Takes away what lists `digest` without a name; its blobs stay."""
    with locked(Path(place.directory)):
        known = read_entries(Path(place.directory))
        write_entries(Path(place.directory), entries.without(known, digest), known, durable=False)
