"""One blob of a repository, by its digest alone. A repository in, a descriptor out; touches the network through its session."""

from __future__ import annotations

from wherry.kit.ports import Request
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.store.registry import errors, url
from wherry.store.registry.pull import Repository

KIND = "application/octet-stream"


def blob(repository: Repository, digest: Digest) -> Descriptor:
    """The blob with the size that the registry says it has: reading compares both. UnavailableError [registry-not-found]."""
    address = url.blob(repository.base, repository.reference, digest)
    response = repository.session.send(Request(method="HEAD", url=address))
    response.close()
    if response.status != 200:
        answer = errors.Said(status=response.status)
        raise errors.failure(answer, url=address, doing=f"find {digest} in {repository.reference.name}")
    told = response.header("Content-Length")
    if not (told.isascii() and told.isdecimal() and len(told) < 19):
        raise errors.odd(address, "it does not say how long a blob is")
    return Descriptor(media_type=KIND, digest=digest, size=int(told))
