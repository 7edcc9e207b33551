"""A registry client for Python programs, over this machine: `docs/registry-client.md` shows what it is good for.

    from wherry import registry

    with registry.client() as client:
        print(client.digest("registry.example/team/app:1.2"))

Credentials, mirrors, proxies and certificates are those that the `wherry` command uses (`docs/registries.md`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from wherry.flows.client import Client
from wherry.flows.copy import Copied, copy_ports
from wherry.kit.ports import Event, Events, silent
from wherry.model.image import Published, Stored, StoredImage
from wherry.oci.descriptor import Descriptor, Document
from wherry.oci.digest import Digest

__all__ = [
    "Client",
    "Copied",
    "Descriptor",
    "Digest",
    "Document",
    "Event",
    "Published",
    "Stored",
    "StoredImage",
    "client",
]


@contextlib.contextmanager
def client(*, events: Events = silent) -> Iterator[Client]:
    """A client whose connections and tokens live as long as the block. `events` hears what happens, from any thread."""
    from wherry.system.machine import real_machine

    with copy_ports(real_machine(events)) as ports:
        yield Client(ports)
