"""Whether a build's result still lies where it was put. Rows of the index in, yes or no out; reads layouts, asks servers here.

A row is a list that begins with its kind (KINDS); the files of a layout are among the index's paths besides. Registries elsewhere
want TLS and to know who asks: a row `remote` is for the caller to answer, after all others.
"""

from __future__ import annotations

import os
from collections.abc import Callable

REF_NAME = "org.opencontainers.image.ref.name"
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
LARGEST = 32 << 20
REMOTE = "remote"
Row = list[str]
Ask = Callable[[Row], bool]
"""Answers what follows the kind in a row `remote`: `push` or `read`, host, repository, tag, digest."""


def all_there(rows: list[Row], ask: Ask | None = None) -> bool:
    """True when every row holds now. False also when that could not be told."""
    try:
        there = all(KINDS[row[0]](*row[1:]) for row in rows if row[0] != REMOTE)
        return there and all(ask is not None and ask(row[1:]) for row in rows if row[0] == REMOTE)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def layout_names(directory: str, name: str, digest: str) -> bool:
    """True when the layout's index.json gives `name` this digest, and once (image-layout.md#indexjson-file)."""
    import json

    with open(f"{directory}/index.json", "rb") as file:
        entries = json.loads(file.read(LARGEST))["manifests"]
    found = [entry["digest"] for entry in entries if entry.get("annotations", {}).get(REF_NAME, "") == name]
    return found == [digest]


def registry_has(host: str, port: str, repository: str, tag: str, digest: str) -> bool:
    """True when the registry on this machine still gives `tag` this digest (distribution-spec, "Checking if content exists")."""
    return registry_says(host, port, repository, tag) == (200, digest)


def registry_says(host: str, port: str, repository: str, tag: str) -> tuple[int, str]:
    """The status, and the digest that `tag` has there now; empty where it has none."""
    from wherry.cache.noop.wire import ask

    status, headers, _ = ask((host, int(port)), "HEAD", f"/v2/{repository}/manifests/{tag}", MANIFESTS)
    return status, headers.get("docker-content-digest", "")


def docker_has(socket: str, reference: str, identity: str) -> bool:
    """True when Docker still means this image id by `reference`."""
    import json

    from wherry.cache.noop.wire import ask

    status, _, body = ask(socket, "GET", f"/images/{reference}/json")
    return status == 200 and json.loads(body)["Id"] == identity


def podman_has(file: str, reference: str, digest: str) -> bool:
    """True when containers-storage lists `reference` as the image with this digest (containers/storage, images.go)."""
    import json

    with open(file, "rb") as listed:
        entries = json.loads(listed.read(LARGEST))
    wanted = f"manifest-{digest}"
    return any(
        reference in (entry.get("names") or ()) and wanted in (entry.get("big-data-names") or ()) for entry in entries
    )


def is_quiet(socket: str) -> bool:
    """True when no engine answers at a socket where none answered before."""
    if not os.path.exists(socket):
        return True
    from wherry.cache.noop.wire import connected

    try:
        connected(socket).close()
    except (ConnectionRefusedError, PermissionError):
        return True
    return False


KINDS: dict[str, Callable[..., bool]] = {
    "layout": layout_names,
    "registry": registry_has,
    "docker": docker_has,
    "podman": podman_has,
    "quiet": is_quiet,
}
