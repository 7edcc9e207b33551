"""An engine's image as a file to read it from. A place and the ports in, a Keeper over a copy out; starts podman, asks Docker.

Docker's own keeper saves a copy by itself. containers-storage keeps layers unpacked, so podman or skopeo packs them again: the
copy's digests are its own.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from wherry.store import naming
from wherry.store.engine.containerd import Containerd
from wherry.store.engine.docker import DockerDaemon
from wherry.store.engine.names import podman_name
from wherry.store.engine.podman import absent
from wherry.store.engine.programs import demand
from wherry.store.keeper import Keeper, Ports
from wherry.store.oci_archive import OciArchive
from wherry.store.place import EnginePlace, OciArchivePlace


def exported(place: EnginePlace, ports: Ports) -> Keeper:
    """A keeper that can read the image with its layers. UnavailableError [no-engine], [engine-refused]."""
    if place.engine == "docker-daemon":
        return DockerDaemon(place, ports)
    if place.engine == "containerd":
        return Containerd(place, ports)
    copy = Path(ports.scratch) / f"podman-{secrets.token_hex(8)}.tar"
    name = podman_name(str(naming.chosen(place)))
    podman, skopeo = ports.which("podman"), ports.which("skopeo")
    if podman:
        demand(ports, podman, "save", "--quiet", "--format", "oci-archive", "--output", str(copy), name)
    elif skopeo:
        demand(ports, skopeo, "copy", "--quiet", f"containers-storage:{name}", f"oci-archive:{copy}")
    else:
        raise absent()
    return OciArchive(OciArchivePlace(file=str(copy)))
