"""As little of the OCI Distribution API as the bench needs: put and get on loopback. Bytes in and out; opens sockets."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class RegistryError(Exception):
    """An answer that was not expected."""


@contextmanager
def connected(host: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(host, timeout=60, blocksize=1 << 20)
    try:
        yield connection
    finally:
        connection.close()


def put_blob(host: str, repository: str, digest: str, file: Path) -> None:
    """Sends the file in two requests, without asking whether it is there already."""
    with connected(host) as connection:
        connection.request("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
        location = answer(connection, 202).getheader("Location") or ""
        path = location.removeprefix(f"http://{host}")
        with file.open("rb") as body:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
            connection.request("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", body, headers)
            answer(connection, 201)


def put_manifest(host: str, repository: str, reference: str, document: dict[str, object]) -> str:
    """Sends the document with its own media type; its digest."""
    data = json.dumps(document).encode()
    with connected(host) as connection:
        headers = {"Content-Type": str(document["mediaType"])}
        connection.request("PUT", f"/v2/{repository}/manifests/{reference}", data, headers)
        answer(connection, 201)
    return "sha256:" + hashlib.sha256(data).hexdigest()


def get(host: str, repository: str, kind: str, reference: str) -> bytes:
    """A manifest (`kind` manifests) or blob (blobs)."""
    with connected(host) as connection:
        connection.request("GET", f"/v2/{repository}/{kind}/{reference}", headers={"Accept": ", ".join(MANIFESTS)})
        response = connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise RegistryError(f"{repository} {reference}: {response.status}")
        return data


def answer(connection: http.client.HTTPConnection, expected: int) -> http.client.HTTPResponse:
    response = connection.getresponse()
    text = response.read()
    if response.status != expected:
        raise RegistryError(f"{response.status} and not {expected}: {text[:300].decode(errors='replace')}")
    return response
