"""Where an image can lie, in the grammar of `-o`. Text in, a Place out; touches nothing.

    oci:DIR[:TAG]   oci-archive:FILE[:TAG]   docker-archive:FILE[:REF]   docker-daemon:[REF]   containers-storage:[REF]
    containerd:[REF]   docker://REF   store:NAME[:TAG]

For reading, `@sha256:...` may follow each. A path may hold colons: of a layout only the last part that is a legal tag counts as
one (`oci:a:b/c:1.0` is the folder `a:b/c`), and a colon at the end says that all before it is path (`oci:a:b:` is `a:b`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.oci import reference as references
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class LayoutPlace(Value, frozen=True, kw_only=True):
    """An OCI image layout in a folder."""

    directory: str
    tag: str = ""
    digest: Digest | None = None
    several: bool = False
    """Several images go there in one run, so their names are part of their tags."""

    def __str__(self) -> str:
        return "oci:" + _joined(self.directory, self.tag, self.digest)


class OciArchivePlace(Value, frozen=True, kw_only=True):
    """A tar of an OCI image layout."""

    file: str
    tag: str = ""
    digest: Digest | None = None

    def __str__(self) -> str:
        return "oci-archive:" + _joined(self.file, self.tag, self.digest)


class DockerArchivePlace(Value, frozen=True, kw_only=True):
    """What `docker save` writes and `docker load` reads."""

    file: str
    reference: Reference | None = None

    def __str__(self) -> str:
        return "docker-archive:" + _joined(self.file, str(self.reference or ""), None)


class EnginePlace(Value, frozen=True, kw_only=True):
    """A container engine of this machine. Without a reference: the names asked for by -t, or `name:version`."""

    engine: str
    """docker-daemon, containers-storage or containerd."""
    reference: Reference | None = None

    def __str__(self) -> str:
        return f"{self.engine}:{self.reference or ''}"


class RegistryPlace(Value, frozen=True, kw_only=True):
    """A repository of a registry; `reference` has a host."""

    reference: Reference

    def __str__(self) -> str:
        return f"docker://{self.reference}"


class OwnPlace(Value, frozen=True, kw_only=True):
    """Wherry's own store. Without a reference: the names asked for by -t, or `name:version`."""

    reference: Reference | None = None

    def __str__(self) -> str:
        return f"store:{self.reference or ''}"


Place = LayoutPlace | OciArchivePlace | DockerArchivePlace | EnginePlace | RegistryPlace | OwnPlace


def parse(text: str) -> Place:
    """`SCHEME:REST` as a Place; UsageError [bad-place] names the nearest scheme, [bad-reference] what is wrong with a name."""
    scheme, colon, rest = text.partition(":")
    read = _SCHEMES.get(scheme) if colon else None
    if read is None:
        raise UsageError("bad-place", f"{text[:200]!r} is no place for an image", next=_meant(text[:100]))
    if "\0" in rest:
        raise _bad(text, "it holds a NUL")
    return read(text, rest)


def _meant(text: str) -> str:
    """How to write what a text without a known scheme may stand for."""
    scheme, colon, _ = text.partition(":")
    host, slash, _ = text.partition("/")
    if text in FORMS:
        return f"write {FORMS[text]}"
    if slash and ("." in host or ":" in host) and references.is_host(host):
        return f"for a registry write docker://{text}"
    if text and not colon:
        return f"for a folder write oci:{text}"
    if near := closest(scheme, SCHEMES):
        return f"did you mean {FORMS[near]}?"
    return f"for a folder write {FORMS['oci']}, for a registry {FORMS['docker']}"


def _layout(text: str, rest: str) -> Place:
    path, tag, digest = _path_and_tag(text, rest)
    return LayoutPlace(directory=path, tag=tag, digest=digest)


def _oci_archive(text: str, rest: str) -> Place:
    path, tag, digest = _path_and_tag(text, rest)
    return OciArchivePlace(file=path, tag=tag, digest=digest)


def _docker_archive(text: str, rest: str) -> Place:
    """As skopeo reads it, a reference begins behind the first colon; where none can, all is path."""
    path, colon, name = rest.partition(":")
    try:
        reference = references.parse(name) if name else None
    except UsageError:
        path, reference = rest, None
    if colon and rest.endswith(":"):
        path, reference = rest[:-1], None
    return DockerArchivePlace(file=_checked(text, path), reference=reference)


def _engine(text: str, rest: str) -> Place:
    return EnginePlace(engine=text.partition(":")[0], reference=references.parse(rest) if rest else None)


def _registry(text: str, rest: str) -> Place:
    if not rest.startswith("//") or len(rest) == 2:
        raise _bad(text, "it names no repository of a registry")
    return RegistryPlace(reference=references.in_registry(references.parse(rest[2:])))


def _own(_: str, rest: str) -> Place:
    return OwnPlace(reference=references.parse(rest) if rest else None)


_SCHEMES: dict[str, Callable[[str, str], Place]] = {
    "oci": _layout,
    "oci-archive": _oci_archive,
    "docker-archive": _docker_archive,
    "docker-daemon": _engine,
    "containers-storage": _engine,
    "containerd": _engine,
    "docker": _registry,
    "store": _own,
}
SCHEMES = tuple(_SCHEMES)
#: How each is written.
FORMS = {
    "oci": "oci:DIR or oci:DIR:TAG",
    "oci-archive": "oci-archive:FILE.tar",
    "docker-archive": "docker-archive:FILE.tar",
    "docker-daemon": "docker-daemon: or docker-daemon:NAME:TAG",
    "containers-storage": "containers-storage: or containers-storage:NAME:TAG",
    "containerd": "containerd: or containerd:NAME:TAG",
    "docker": "docker://REGISTRY/NAME:TAG",
    "store": "store: or store:NAME:TAG",
}


def _path_and_tag(text: str, rest: str) -> tuple[str, str, Digest | None]:
    head, at, tail = rest.rpartition("@")
    digest = Digest(tail) if at and _DIGEST.fullmatch(tail) else None
    rest = head if digest else rest
    path, colon, tag = rest.rpartition(":")
    if not colon or (tag and not _TAG.fullmatch(tag)):
        path, tag = rest, ""
    return _checked(text, path), tag, digest


def _checked(text: str, path: str) -> str:
    if not path:
        raise _bad(text, "it names no file or folder")
    if path == "~" or path.startswith("~/"):
        raise _bad(
            text, f"~ is not expanded inside a word; write $HOME{path[1:]}, or ./{path} for a folder of that name"
        )
    return path


def _joined(path: str, name: str, digest: Digest | None) -> str:
    closing = ":" if not name and ":" in path else ""
    return path + (f":{name}" if name else closing) + (f"@{digest}" if digest else "")


def _bad(text: str, why: str) -> UsageError:
    step = f"write it like {FORMS[text.partition(':')[0]]}"
    return UsageError("bad-place", f"{text[:200]!r} is no place for an image: {why}", next=step)
