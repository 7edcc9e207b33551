"""Blobs taken over from another repository of the same registry instead of being sent. A digest and where it lies in, yes or
an upload out; touches the network through a session of its own.

A mount saves bytes and is never needed: whatever a registry says to it but yes, the blob is sent (containerd #14086, ggcr
#1609). Its token asks for both repositories; a token server that refuses that has not refused the push.
"""

from __future__ import annotations

import threading

from msgspec.structs import replace

from wherry.errors import WherryError
from wherry.kit.ports import Request
from wherry.oci.digest import Digest
from wherry.oci.reference import Reference
from wherry.store.registry import url
from wherry.store.registry.pull import Repository
from wherry.store.registry.session import Session


class Mounts:
    """The mounts of one push. Safe to use from several threads."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.begin = url.uploads(repository.base, repository.reference)
        self._sessions: dict[str, Session | None] = {}
        self._lock = threading.Lock()

    def blob(self, digest: Digest, origin: Reference) -> tuple[bool, str]:
        """Whether `digest` is there now, and where else the upload that the registry began instead goes on."""
        own = self.repository.reference
        if origin.host != own.host or origin.repository == own.repository:
            return False, ""
        session = self._session(origin)
        if session is None:
            return False, ""
        target = f"{url.with_query(self.begin, mount=digest)}&from={origin.repository}"
        try:
            response = session.send(Request(method="POST", url=target, headers=(("Content-Length", "0"),)))
            response.close()
            if response.status == 201:
                return True, ""
            self._give_up(origin)
            location = response.header("Location") if response.status == 202 else ""
            return False, url.joined(self.begin, location) if location else ""
        except WherryError:
            self._give_up(origin)
            return False, ""

    def _session(self, origin: Reference) -> Session | None:
        with self._lock:
            if origin.repository not in self._sessions:
                setup = self.repository.session.setup
                scope = f"{setup.scope} repository:{origin.repository}:pull"
                self._sessions[origin.repository] = Session(replace(setup, scope=scope))
            return self._sessions[origin.repository]

    def _give_up(self, origin: Reference) -> None:
        """Asks no more for what that repository has: it said no once."""
        with self._lock:
            self._sessions[origin.repository] = None
