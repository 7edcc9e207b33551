"""What is to be run: a word in, an image out, as layers and settings; reads places. Packages: `flows.package`."""

from __future__ import annotations

import base64
import contextlib
import os
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from wherry.cache.blobs import Blobs
from wherry.errors import UsageError, WherryError
from wherry.flows import rooms
from wherry.kit.files import atomic_writer
from wherry.kit.value import Value, decodable
from wherry.model.base import Base
from wherry.model.plan import Health, ImagePlan
from wherry.model.project import Inferred
from wherry.oci import reference as references
from wherry.oci.config import Config, RunConfig
from wherry.oci.digest import Digest
from wherry.oci.layer import Packed
from wherry.oci.platform import Platform
from wherry.oci.platform import parse as platform_named
from wherry.plan.tiers import Tier
from wherry.runtime.program import CPUINFO, level
from wherry.store import own
from wherry.store import place as places
from wherry.store.base import Bases, Wanted
from wherry.store.entries import FULL_NAME, REF_NAME
from wherry.store.keeper import Ports

NO_PROGRAM = frozenset({"no-such-main", "no-such-package", "no-go-mod", "no-go-files", "bad-package", "no-main"})
"""Errors that mean that no package is called so."""
MEANT = re.compile(r"(?:did you mean |wherry build )(\S+?)\??")
MODULE = re.compile(r"[\w.-]+\.[\w.-]+/\S*@\S+|\S+@(v\d\S*|latest)")
LOCALHOST = "localhost"
"""What podman calls the host of a name that has none."""
TITLE = "org.opencontainers.image.title"
CALLED = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", re.ASCII)
"""A word that containers and their copies in engines can be called; a label may say anything."""


class Program(Value, frozen=True, kw_only=True):
    """A compiled program and where it goes."""

    file: str
    path: str


class Subject(Value, frozen=True, kw_only=True):
    """What is to be run, wherever it came from."""

    title: str
    """For instance podinfo."""
    image: str
    """What people are told: name:tag@digest, or a package."""
    platform: Platform
    platforms: tuple[Platform, ...] = ()
    """All that there is an image for, or that a package is built for."""
    config: RunConfig
    layers: tuple[Packed, ...]
    programs: tuple[Program, ...] = ()
    """Mounted over the empty files of their paths; none for an image."""
    health: Health | None = None
    digest: str = ""
    """Of the image's manifest; empty for a package."""
    plan: ImagePlan | None = None
    """Known for a package: where ports, routes and handlers were found."""
    place: str = ""
    """Where the image lies, in the grammar of `-o`."""
    history: tuple[str, ...] = ()
    """What the config says was run, layer by layer."""
    inferred: tuple[Inferred, ...] = ()
    """What the sources of a package show: routes, handlers of signals."""
    tiers: tuple[Tier, ...] = ()
    """The repository's settings, of a package."""
    settings_root: str = ""
    """What paths in those are relative to: not `root`, for a module by version."""
    root: str = ""
    """Of a package's repository: what its places are relative to."""
    names: tuple[str, ...] = ()
    """What the settings may call a package: all of these; an image: the first of these that they know."""


def sealed(subject: Subject) -> str:
    """A subject as a text that `known_subject` reads."""
    return base64.b64encode(msgspec.msgpack.encode(subject, enc_hook=str)).decode()


def known_subject(result: str) -> Subject | None:
    """A package's subject as the last run kept it; None when its layers were removed meanwhile."""
    try:
        subject = msgspec.msgpack.decode(base64.b64decode(result), type=decodable(Subject), dec_hook=_digest)
    except (msgspec.MsgspecError, ValueError):
        return None
    files = (*(one.file for one in subject.programs), *(one.file for one in subject.layers))
    return subject if all(map(os.path.exists, files)) else None


def _digest(_: type, value: object) -> Digest:
    """The one kind of text in it that msgspec does not know."""
    return Digest(str(value))


def is_package(word: str) -> bool:
    """Whether a word can only be a package: a path, a pattern, a module at a version, or nothing."""
    return (
        not word
        or word == "..."
        or word.startswith((".", "/"))
        or bool(MODULE.fullmatch(word) and "sha256:" not in word)
    )


def place_of(word: str, ports: Ports) -> places.Place | None:
    """Where the image `word` lies: a place as it is said, a name of wherry's store, of a registry when it has a host, of an
    engine that answers; None when it is none of these."""
    scheme, colon, _ = word.partition(":")
    if colon and scheme in places.SCHEMES:
        return places.parse(word)
    try:
        reference = references.parse(word)
    except WherryError:
        return None
    if is_own(reference, ports):
        return places.OwnPlace(reference=reference)
    if reference.host in ("", LOCALHOST):
        from wherry.flows.loaded import loaded

        if found := loaded(reference, ports):
            return found[0]
    return places.RegistryPlace(reference=references.in_registry(reference)) if reference.host else None


@contextlib.contextmanager
def meant(word: str) -> Iterator[None]:
    """Around the building of a word that names no image, and may be a package. UsageError [no-image-or-package] where the
    repository, or a folder without one, has none either; a name with a tag is no program's, so that needs no Go to be known."""
    try:
        yield
    except WherryError as error:
        without_go = error.name == "no-go" and ":" in word
        if is_package(word) or "/" in word.partition(":")[0] or not (without_go or error.name in NO_PROGRAM):
            raise
        near = [f"wherry run {near[1]}" for step in error.next if (near := MEANT.fullmatch(step))]
        raise UsageError(
            "no-image-or-package",
            f"{word!r} is no image and no program here",
            why="neither wherry's store nor an engine has it, nor this repository" + _because(error),
            next=(
                *near,
                "wherry build    makes an image of this repository",
                f"wherry pull REGISTRY/{shlex.quote(word)}    brings one",
            ),
        ) from error


def _because(error: WherryError) -> str:
    return ": no go.mod" if error.name == "no-go-mod" else ""


def is_own(reference: references.Reference, ports: Ports) -> bool:
    """Whether wherry's store has an image of that name."""
    return any(_names(one.name, reference) for one in own.images(ports.data))


def _names(name: str, wanted: references.Reference) -> bool:
    repository, _, tag = name.rpartition(":")
    return repository == wanted.name and wanted.tag in ("", tag)


T = TypeVar("T")


def first_that_fits(look: Callable[[Platform], T], said: str) -> T:
    """What `look` finds for the platform that was said; for this machine's, where none was: its baseline, which most images are
    for, then the highest level that its processor has. UsageError [no-platform] of the first."""
    if said:
        return look(platform_named(said))
    host = rooms.host()
    try:
        return look(host)
    except UsageError as error:
        higher = level(CPUINFO.read_text()) if host.architecture == "amd64" else ""
        if error.name != "no-platform" or not higher:
            raise
        try:
            return look(replace(host, variant=higher))
        except UsageError:
            raise error from None


def image_at(place: places.Place, ports: Ports, kept: Blobs, platform: Platform) -> Subject:
    """The image of `platform` that lies at `place`, its layers here as files. UsageError [no-platform] with those there are."""
    bases, wanted = Bases(ports, kept, kept.records), Wanted(name=str(place), place=place)
    try:
        base = bases.read(wanted, platform)
    except UsageError as error:
        if error.name == "no-platform":
            there = (str(one.platform) for one in bases.platforms(wanted)[:1])
            other = (
                f"--platform {one}, where qemu-user-static is installed if that is another processor" for one in there
            )
            error.with_next(f"build it for {platform}: wherry build --platform {platform}", *other)
        raise
    settings = (base.config.config if base.config else None) or RunConfig()
    name, names = _named(place, bases.top(wanted).descriptor.annotations, settings)
    return Subject(
        title=_last(name) or "app",
        image=f"{name}@{base.top}" if base.top else name,
        names=names,
        platform=base.platform,
        platforms=tuple(one.platform for one in bases.platforms(wanted)),
        config=settings,
        layers=packed_of(base),
        digest=str(base.digest or ""),
        place=str(place),
        history=history_of(base.config),
    )


def history_of(config: Config | None) -> tuple[str, ...]:
    """Commands and comments of an image's history."""
    lines = (f"{one.created_by} {one.comment}".strip() for one in (config.history if config else None) or ())
    return tuple(line for line in lines if line)


def packed_of(base: Base) -> tuple[Packed, ...]:
    """A base's layers as files, brought where they must be."""
    return tuple(
        Packed(file=one.here(), media_type=one.media_type, digest=one.digest, diff_id=one.diff_id, size=one.size)
        for one in base.layers
    )


def _named(place: places.Place, entry: Mapping[str, str], settings: RunConfig) -> tuple[str, tuple[str, ...]]:
    """What people are told of an image, and what settings may call it. Of itself it says its title and its program. A path is
    only where it lies: there its name is that of its entry in the layout, else what it says of itself."""
    title, program = (settings.labels or {}).get(TITLE, ""), posixpath.basename(next(iter(_command(settings)), ""))
    own = tuple(word for word in (title, program) if CALLED.fullmatch(word))
    name = _name(place, entry, own)
    return name, tuple(dict.fromkeys((*own, _last(name))))


def _name(place: places.Place, entry: Mapping[str, str], own: tuple[str, ...]) -> str:
    match place:
        case places.OwnPlace(reference=reference) | places.EnginePlace(reference=reference):
            return str(replace(reference, digest=None)) if reference else "image"
        case places.RegistryPlace(reference=reference):
            return str(replace(reference, digest=None))
        case places.LayoutPlace(directory=path, tag=tag):
            return _in_layout(entry) or _tagged((*own, Path(path).name)[0], tag or entry.get(REF_NAME, ""))
        case places.OciArchivePlace(file=path, tag=tag):
            return _in_layout(entry) or _tagged((*own, Path(path).stem)[0], tag or entry.get(REF_NAME, ""))
        case places.DockerArchivePlace(file=path):
            return _in_layout(entry) or (*own, Path(path).stem)[0]


def _in_layout(entry: Mapping[str, str]) -> str:
    """The whole name of an entry, as Docker would be told it; empty where it has a tag alone, or none."""
    for said in (entry.get(FULL_NAME, ""), entry.get(REF_NAME, "")):
        with contextlib.suppress(UsageError):
            reference = references.parse(said)
            if reference.host or reference.tag:
                return str(replace(reference, digest=None)).removeprefix("docker.io/").removeprefix("library/")
    return ""


def _tagged(name: str, tag: str) -> str:
    return f"{name}:{tag}" if tag else name


def _last(name: str) -> str:
    """`api` of `registry.example.com/team/api:1`."""
    return name.rpartition("/")[2].partition(":")[0]


def _command(settings: RunConfig) -> tuple[str, ...]:
    return settings.entrypoint or settings.cmd or ()


def copy_program(source: str, target: Path) -> None:
    """A copy inside the kernel where that can be; mode 0555."""
    with open(source, "rb") as read, atomic_writer(target, mode=0o555) as write:  # noqa: PTH123
        size = os.fstat(read.fileno()).st_size
        while size > 0 and (count := os.copy_file_range(read.fileno(), write.fileno(), size)):
            size -= count
