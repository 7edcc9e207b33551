"""What the application's program was linked with, as far as it says what it needs. A Scene in, Links out; reads the program.

Go's linker leaves out what cannot be reached, so a function that is there may be called, and one that is not there cannot. Those
that were inlined are named, too. What every HTTP server holds says nothing (tls.Client, Dialer.DialContext).
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Final

from wherry.errors import CorruptError
from wherry.flows.looks.scene import Scene
from wherry.formats import elf, pclntab
from wherry.model.observation import Nothing, Unseen
from wherry.model.trials import Links

HTTP_CLIENT: Final = "net/http.(*Transport).dialConn"
#: Functions of which one is enough, the most telling first.
TLS: Final = (
    *("crypto/x509.SystemCertPool", HTTP_CLIENT, "crypto/tls.dial", "crypto/tls.DialWithDialer"),
    *("crypto/tls.(*Dialer).DialContext", "net/smtp.(*Client).StartTLS"),
    "google.golang.org/grpc/credentials.(*tlsCreds).ClientHandshake",
)
NAMES: Final = (
    *(
        f"net.(*Resolver).Lookup{kind}"
        for kind in ("Host", "IPAddr", "IP", "NetIP", "CNAME", "SRV", "MX", "TXT", "NS", "Addr")
    ),
    *("net.Dial", "net.DialTimeout", "net.(*Dialer).Dial", HTTP_CLIENT),
)
USERS: Final = ("os/user.Current", "os/user.Lookup", "os/user.LookupId")
ZONES: Final = ("time.LoadLocation",)
CHILDREN: Final = ("os.StartProcess", "syscall.ForkExec", "syscall.StartProcess", "syscall.forkExec")
OWN_ZONES: Final = ("time/tzdata.loadFromEmbeddedTZData", "time/tzdata.init.0")
OWN_CERTIFICATES: Final = ("golang.org/x/crypto/x509roots/fallback.init.0",)
SEARCH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_LINKS: Final = 20


def links(scene: Scene) -> dict[str, object]:
    """links."""
    return {"links": linked(program_of(scene))}


def linked(program: Path | None) -> Links | Nothing:
    """What the Go program in this file holds."""
    if program is None:
        return Unseen(why="its program was not found")
    with program.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return Unseen(why=f"{program.name} is empty")
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        functions = pclntab.parse(data, name=program.name) if elf.is_elf(data[:64]) else None
    except CorruptError as error:
        return Unseen(why=error.message)
    if functions is None:
        return Unseen(why=f"{program.name} is no Go program, so what it needs is not known")
    names = b"\0" + functions.names

    def first(wanted: tuple[str, ...]) -> str:
        return next((one for one in wanted if f"\0{one}\0".encode() in names), "")

    return Links(
        tls=first(TLS),
        own_certificates=bool(first(OWN_CERTIFICATES)),
        zones=first(ZONES),
        own_zones=bool(first(OWN_ZONES)),
        names=first(NAMES),
        users=first(USERS),
        children=first(CHILDREN),
    )


def program_of(scene: Scene) -> Path | None:
    """The file on this machine of the program that the container starts; links are followed inside its root."""
    container, root = scene.made.container, Path(scene.made.root.path)
    word = container.arguments[0]
    for one in scene.made.subject.programs:
        if word in (one.path, Path(one.path).name):
            return Path(one.file)
    search = dict(container.environment).get("PATH", SEARCH).split(":")
    candidates = (word,) if "/" in word else tuple(f"{folder}/{word}" for folder in search)
    return next((file for path in candidates if (file := within(root, path)) and file.is_file()), None)


def within(root: Path, path: str) -> Path | None:
    """Where `path` of the container is below `root`, links followed as the container would; None when there is no such file."""
    left, done, links_seen = [one for one in reversed(path.split("/")) if one not in ("", ".")], Path("/"), 0
    while left:
        part = left.pop()
        if part == "..":
            done = done.parent
            continue
        here = root / (done / part).relative_to("/")
        if not here.is_symlink():
            done /= part
            continue
        links_seen += 1
        target = str(here.readlink())
        if links_seen > MOST_LINKS:
            return None
        done = Path("/") if target.startswith("/") else done
        left.extend(one for one in reversed(target.split("/")) if one not in ("", "."))
    file = root / done.relative_to("/")
    return file if file.exists() else None
