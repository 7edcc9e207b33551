"""Taking things out of a registry. A tag or digest in, nothing out; touches the network through its repository's session.

Many registries forbid it, each in its own words (distribution-spec, "Content Management"): they are told as one.
"""

from __future__ import annotations

from wherry.errors import UnavailableError
from wherry.kit.ports import Request
from wherry.oci.digest import Digest
from wherry.store.registry import errors, url
from wherry.store.registry.pull import Repository

_FORBIDDEN = (405, 501)


def tag(repository: Repository, name: str) -> None:
    """Takes away one tag; what it meant stays. UnavailableError [delete-refused] where tags cannot be taken away alone."""
    advice = "delete the digest instead, which takes away every tag that means it"
    _delete(repository, url.manifest(repository.base, repository.reference, name), f"tag {name}", advice)


def manifest(repository: Repository, digest: Digest) -> None:
    """Takes away a manifest or index and with it every tag that means it."""
    address = url.manifest(repository.base, repository.reference, digest)
    _delete(repository, address, str(digest), "see whoever runs the registry; many keep deleting switched off")


def blob(repository: Repository, digest: Digest) -> None:
    """Takes away a blob. Images that need it are broken from then on."""
    address = url.blob(repository.base, repository.reference, digest)
    _delete(repository, address, f"blob {digest}", "most registries delete blobs themselves, once no image needs them")


def _delete(repository: Repository, address: str, what: str, advice: str) -> None:
    response = repository.session.send(Request(method="DELETE", url=address))
    if response.status in (200, 202, 204):
        response.close()
        return
    answer = errors.said(response)
    if answer.status in _FORBIDDEN or "UNSUPPORTED" in answer.codes or (answer.status == 400 and "@" not in what):
        raise UnavailableError(
            "delete-refused",
            f"{repository.reference.host} does not let {what} of {repository.reference.name} be deleted",
            where=repository.reference.name,
            why=f"it said {answer.status}" + (f": {answer.words}" if answer.words else ""),
            next=advice,
        )
    raise errors.failure(answer, url=address, doing=f"delete {what} of {repository.reference.name}")
