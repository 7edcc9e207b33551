"""Logging in to a registry and out of it. A host and credentials in, where they are kept out; asks the registry, runs
helpers, writes files of credentials.
"""

from __future__ import annotations

from msgspec.structs import replace

from wherry.kit.ports import Request
from wherry.oci.reference import Reference
from wherry.store.keeper import Ports
from wherry.store.registry import authfile, credential_helper, credentials, errors
from wherry.store.registry.account import Credentials
from wherry.store.registry.keeper import repository
from wherry.store.registry.kept import Kept
from wherry.store.registry.known import Known


def accepted(host: str, account: Credentials, ports: Ports) -> bool:
    """True when the registry takes `account` for somebody; False when it asks nobody who they are, so that it cannot be told.
    UnavailableError [wrong-password] and whatever else asking may raise."""
    kept = Kept()
    kept.credentials((host, ""), lambda: account)
    fresh = replace(ports, kept=kept, known=Known(), records=None)
    session = repository(Reference(host=host, repository=""), fresh, actions="").session
    address = f"{session.setup.base}/v2/"
    response = session.once(Request(method="GET", url=address))  # somebody waits who can try again
    if response.status == 404:
        response.close()
        raise errors.odd(address, "it has no /v2/")
    if response.status != 200:
        raise errors.failure(errors.said(response), url=address, doing=f"log in to {host}")
    response.close()
    return bool(session.tokens.known())


def keep(host: str, account: Credentials, ports: Ports) -> tuple[str, bool]:
    """Keeps `account` for later runs: where, for people; and whether that is a file that anybody can read who can read the
    user's files."""
    path = credentials.files(ports)[0]
    helper = credentials.helper_for(host, authfile.read(path))
    server = credentials.server(host)
    if helper:
        credential_helper.store(helper, server, account, ports)

    def same(key: str) -> bool:
        return credentials.host_of(key) in credentials.keys(host) and credentials.path_of(key) == ""

    authfile.put(path, server, None if helper else account, same)
    return (f"docker-credential-{helper}", False) if helper else (str(path), True)


def forget(host: str, ports: Ports) -> tuple[str, ...]:
    """Forgets the credentials of `host` wherever wherry looks: the helpers and files that had some."""
    found = []
    for path in credentials.files(ports):
        helper = credentials.helper_for(host, authfile.read(path))
        if helper and credential_helper.erase(helper, credentials.server(host), ports):
            found.append(f"docker-credential-{helper}")
        if authfile.remove(path, lambda key: credentials.host_of(key) in credentials.keys(host)) and not helper:
            found.append(str(path))
    return tuple(found)
