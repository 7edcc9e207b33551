"""The built-in bases, made offline: `static` from the certificates and time zones of installed wheels, `scratch` from nothing.

A base choice in, a Base for each platform out; touches the wheels' files and what packing touches. The bytes are the same
for every platform; the versions of the two wheels move the digest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.assemble.certificates import extra_certificates
from wherry.assemble.pack import Packer, Purpose, pack
from wherry.kit import snapshot
from wherry.model.base import Base
from wherry.model.image import Layer
from wherry.model.plan import BaseChoice, Packing
from wherry.oci.platform import Platform
from wherry.oci.tar import Entry

#: How the history of an image begins to say that its lowest layer is `static`.
HISTORY: Final = "wherry static base: "
BUNDLE: Final = "etc/ssl/certs/ca-certificates.crt"
NONROOT: Final = 65532
_NOBODY: Final = 65534

#: What runtimes mount upon. A read-only root cannot get them later, and runc takes the mode of /tmp from here
#: (opencontainers/runc#3911).
MOUNT_POINTS: Final = (
    Entry(path="dev", kind="directory", mode=0o755),
    Entry(path="etc", kind="directory", mode=0o755),
    Entry(path="proc", kind="directory", mode=0o555),
    Entry(path="sys", kind="directory", mode=0o555),
    Entry(path="tmp", kind="directory", mode=0o1777),
)
_DIRECTORIES: Final = (
    *MOUNT_POINTS,
    *(Entry(path=path, kind="directory", mode=0o755) for path in ("etc/ssl", "etc/ssl/certs", "home", "run", "usr")),
    *(Entry(path=path, kind="directory", mode=0o755) for path in ("usr/share", "usr/share/zoneinfo")),
    Entry(path="home/nonroot", kind="directory", mode=0o700, uid=NONROOT, gid=NONROOT),
    Entry(path="root", kind="directory", mode=0o700),
)
# Engines mount their own over hosts, hostname and resolv.conf; a bare runc does not, and localhost still needs an address.
_PASSWD: Final = (
    "root:x:0:0:root:/root:/sbin/nologin\n"
    f"nobody:x:{_NOBODY}:{_NOBODY}:nobody:/nonexistent:/sbin/nologin\n"
    f"nonroot:x:{NONROOT}:{NONROOT}:nonroot:/home/nonroot:/sbin/nologin\n"
)
_FILES: Final = (
    ("etc/group", f"root:x:0:\nnobody:x:{_NOBODY}:\nnonroot:x:{NONROOT}:\n"),
    ("etc/hostname", ""),
    ("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("etc/passwd", _PASSWD),
    ("etc/resolv.conf", ""),
)
#: Of the files that are no zones, those that programs read to list zones.
_TABLES: Final = frozenset(("iso3166.tab", "zone.tab", "zone1970.tab"))


def built_in(
    choice: BaseChoice, platforms: tuple[Platform, ...], packing: Packing, root: Path, packer: Packer
) -> tuple[Base, ...]:
    """The base `static` or `scratch` for each platform, in order; the layer is made once for all.

    `root` is where the choice's certificate files are. UsageError [bad-certificate], and what `pack` raises.
    """
    if choice.name == "scratch":
        return tuple(Base(name="scratch", platform=platform, contents="nothing") for platform in platforms)
    extra = extra_certificates(root, choice.certificates)
    layer, contents = static_layer(extra, len(choice.certificates), packing, packer)
    return tuple(Base(name="static", platform=platform, layers=(layer,), contents=contents) for platform in platforms)


def static_layer(extra: bytes, files: int, packing: Packing, packer: Packer) -> tuple[Layer, str]:
    """The one layer of `static` with the certificates `extra`, which came from so many files; and what is in it, for people."""
    contents = contents_of_static() + (f", {files} CA of yours" if files else "")
    purpose = Purpose(role="base", history=f"{HISTORY}{contents}")
    return pack(static_entries(extra), packing, purpose, packer), contents


def contents_of_static() -> str:
    """What is in `static`, with versions: `certificates 2026.10.18, zones 2026f`."""
    return "certificates {}, zones {}".format(*versions())


def versions() -> tuple[str, str]:
    """Of the certificates and of the time zones."""
    import certifi
    import tzdata  # type: ignore[import-untyped] # a data wheel: no types

    return certifi.__version__, tzdata.IANA_VERSION


def static_entries(extra_certificates: bytes = b"") -> tuple[Entry, ...]:
    """The files of `static`; PEM certificates in `extra_certificates` come after the well-known ones."""
    import certifi

    bundle = Path(certifi.where()).read_bytes()
    texts = tuple(Entry(path=path, content=text.encode()) for path, text in _FILES)
    return (*_DIRECTORIES, *texts, Entry(path=BUNDLE, content=bundle + extra_certificates), *_zones())


def directories() -> tuple[Entry, ...]:
    """The directories of `static`, but for those between the zones."""
    return _DIRECTORIES


def _zones() -> Iterator[Entry]:
    """The whole database as compiled, with its tables: no `posix` and `right` copies, no sources."""
    import tzdata

    folder = Path(tzdata.__file__).parent / "zoneinfo"
    for walked, folders, names in os.walk(folder):
        parent = Path(walked)
        folders[:] = [name for name in folders if name != "__pycache__"]
        into = Path("usr/share/zoneinfo", parent.relative_to(folder))
        yield from (Entry(path=str(into / name), kind="directory", mode=0o755) for name in folders)
        for name in names:
            if name in _TABLES or ("." not in name and name != "leapseconds"):
                yield Entry(path=str(into / name), content=snapshot.look(str(parent / name)))
