"""What is in the stand-ins of well-known images. Debian's packages, this machine's Go and an authority in, layers out.

No script of a package is run: what such scripts would have made, and somebody needs, is written here.
"""

from __future__ import annotations

import re
import subprocess
import tarfile  # noqa: TID251 - not wherry's own: bases must not depend on what is tested with them
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import debian
from tests.support.layer_writer import MERGED, LayerWriter, merged

PACKAGES = (
    *("git", "gcc", "libc6-dev", "ca-certificates"),
    *("busybox-static", "netbase", "media-types", "tzdata-legacy"),
    *("postgresql-17", "redis-server"),
)
"""Of debootstrap; what they need comes with them."""
SMALL = (
    "base-files", "base-passwd", "bash", "coreutils", "dash", "debianutils", "diffutils", "findutils", "grep", "gzip", "hostname",
    "libc-bin", "mawk", "passwd", "sed", "tar", "tzdata", "util-linux",
)  # fmt: skip
COMPILING = (*SMALL, "git", "gcc", "libc6-dev", "openssl")
#: Perl is for seldom used parts of git, the sanitizers are C's own, the rest belongs to scripts that are not run.
UNNEEDED = frozenset((
    "debconf", "dpkg", "init-system-helpers", "libpam-runtime", "ucf", "libasan8", "libhwasan0", "liblsan0", "libtsan2",
    "libubsan1", "libllvm19", "libperl5.40", "perl", "perl-base", "perl-modules-5.40", "postgresql-client-common",
    "postgresql-common",
))  # fmt: skip
HOME, SHELLESS = "/home/nonroot", "/sbin/nologin"
USERS = {
    "root": (0, "/root", SHELLESS),
    "nobody": (65534, "/nonexistent", SHELLESS),
    "nonroot": (65532, HOME, SHELLESS),
}
SCRIPTS = Path(__file__).parents[1] / "data/standins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Makings:
    """What layers are made of."""

    archives: Path
    goroot: Path
    authority: bytes
    """PEM; golang's certificates have it too, so that builds reach the tests' own servers."""


Recipe = Callable[[LayerWriter, Makings], None]


def small_debian(layer: LayerWriter, makings: Makings) -> None:
    """debian:trixie-slim, without what installs packages."""
    _links(layer)
    layer.packages(debian.closure(makings.archives, SMALL, UNNEEDED))
    for name in ("passwd", "group"):
        layer.file(f"etc/{name}", _from_package(makings, "base-passwd", f"usr/share/base-passwd/{name}.master"))
    layer.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    layer.link("usr/bin/awk", "mawk")


def compilers(layer: LayerWriter, makings: Makings) -> None:
    """What golang:trixie has beside Debian and Go."""
    layer.packages(_beside_debian(makings, COMPILING), lambda name: name.endswith(("/lto1", "/lto-wrapper", ".a.gz")))
    layer.link("usr/bin/cc", "gcc")
    layer.file("etc/ssl/certs/ca-certificates.crt", authorities(makings) + makings.authority)
    layer.link("etc/ssl/cert.pem", "certs/ca-certificates.crt")


def go(layer: LayerWriter, makings: Makings) -> None:
    """This machine's Go, without its own tests."""
    unread = re.compile(r"(test|api|doc|misc)(/|$)|.*(^|/)testdata(/|$)|.*_test\.go$")
    layer.folder("usr/local/go")
    layer.tree(makings.goroot, "usr/local/go", lambda name: bool(unread.match(name)))
    for name in ("go", "go/bin", "go/src"):
        layer.folder(name, 0o1777)


def distroless(layer: LayerWriter, makings: Makings) -> None:
    """gcr.io/distroless/static-debian13:nonroot."""
    _links(layer)
    packages = debian.closure(makings.archives, ("base-files", "media-types", "netbase", "tzdata-legacy"), UNNEEDED)
    layer.packages(packages, lambda name: name in ("home", "root", "tmp") or "awk" in name)
    layer.file("etc/passwd", "".join(f"{n}:x:{u}:{u}:{n}:{h}:{s}\n" for n, (u, h, s) in USERS.items()))
    layer.file("etc/group", "".join(f"{name}:x:{row[0]}:\n" for name, row in USERS.items()) + "tty:x:5:\nstaff:x:50:\n")
    layer.file("etc/nsswitch.conf", "hosts: files dns\n")
    layer.file("etc/ssl/certs/ca-certificates.crt", authorities(makings))
    layer.folder("home")
    layer.folder(HOME, 0o700, (65532, 65532))
    layer.folder("root", 0o700)
    layer.folder("tmp", 0o1777)


def c_library(layer: LayerWriter, makings: Makings) -> None:
    """What base-debian13 has more."""
    layer.packages(debian.closure(makings.archives, ("libc6", "libssl3t64"), UNNEEDED | {"libgcc-s1"}))


def alpine(layer: LayerWriter, makings: Makings) -> None:
    """busybox and its links, Alpine's users; no package manager."""
    busybox = _from_package(makings, "busybox-static", "usr/bin/busybox")
    _links(layer)
    for name in ("etc", "etc/ssl", "etc/ssl/certs", "home", "var"):
        layer.folder(name)
    layer.file("bin/busybox", busybox, 0o755)
    for path in sorted({merged(one) for one in _applets(busybox)} - {"usr/bin/busybox"}):
        layer.link(path, "/bin/busybox")
    layer.file("etc/os-release", 'ID=alpine\nNAME="Alpine Linux"\nVERSION_ID=3.23.0\n')
    layer.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n")
    layer.file("etc/group", "root:x:0:root\nnobody:x:65534:\n")
    layer.file("etc/ssl/certs/ca-certificates.crt", authorities(makings))
    for name, mode in (("proc", 0o555), ("root", 0o700), ("tmp", 0o1777), ("var/tmp", 0o1777)):
        layer.folder(name, mode)


def postgres(layer: LayerWriter, makings: Makings) -> None:
    """postgres:18-trixie, but with Debian's version; without compiled queries, which would need LLVM."""
    packages = _beside_debian(makings, ("postgresql-17",))
    layer.packages(packages, lambda name: "llvmjit" in name or "/bitcode" in name)
    for name in ("var/run", "var/run/postgresql"):
        layer.folder(name, 0o3777, (999, 999))
    layer.folder("var/lib/postgresql", 0o1777, (999, 999))
    layer.folder("docker-entrypoint-initdb.d")
    _server(layer, makings, "postgres")


def redis(layer: LayerWriter, makings: Makings) -> None:
    """redis:8-trixie."""
    layer.packages(_beside_debian(makings, ("redis-server", "redis-tools")), lambda name: name.startswith("etc/"))
    layer.folder("data", 0o755, (999, 999))
    _server(layer, makings, "redis")


def authorities(makings: Makings) -> bytes:
    """Debian's certificates in one file, as update-ca-certificates writes it."""
    (archive,) = makings.archives.glob("ca-certificates_*.deb")
    return b"".join(
        data for name, data in sorted(_members(archive).items()) if name.startswith("usr/share/ca-certificates/")
    )


def _server(layer: LayerWriter, makings: Makings, name: str) -> None:
    for file in ("passwd", "group"):
        more = f"{name}:x:999:999::/:/bin/bash\n" if file == "passwd" else f"{name}:x:999:\n"
        text = _from_package(makings, "base-passwd", f"usr/share/base-passwd/{file}.master")
        layer.file(f"etc/{file}", text + more.encode())
    layer.file("usr/local/bin/docker-entrypoint.sh", (SCRIPTS / f"{name}.sh").read_bytes(), 0o755)


def _beside_debian(makings: Makings, names: tuple[str, ...]) -> list[Path]:
    """The archives of `names` that are not in small_debian."""
    below = set(debian.closure(makings.archives, SMALL, UNNEEDED))
    return [path for path in debian.closure(makings.archives, names, UNNEEDED) if path not in below]


def _links(layer: LayerWriter) -> None:
    layer.folder("usr")
    for name in MERGED:
        layer.link(name, f"usr/{name}")
        layer.folder(f"usr/{name}")


def _from_package(makings: Makings, package: str, name: str) -> bytes:
    (archive,) = makings.archives.glob(f"{package}_*.deb")
    return _members(archive)[name]


def _members(archive: Path) -> dict[str, bytes]:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        with tarfile.open(fileobj=process.stdout, mode="r|") as members:
            return {
                merged(one.name): data.read() for one in members if one.isreg() and (data := members.extractfile(one))
            }


def _applets(busybox: bytes) -> set[str]:
    """Paths, as `busybox --list-full` says them."""
    from tests.support.servers import short_folder

    with short_folder() as folder:
        program = folder / "busybox"
        program.write_bytes(busybox)
        program.chmod(0o755)
        done = subprocess.run([str(program), "--list-full"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
