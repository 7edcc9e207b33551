"""One blob of a repository, by its digest alone. A repository in, a descriptor out; touches the network through its session."""

from __future__ import annotations

from wherry.kit.ports import Request
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest
from wherry.store.registry import errors, head, url
from wherry.store.registry.pull import Repository

KIND = "application/octet-stream"


def blob(repository: Repository, digest: Digest) -> Descriptor:
    """The blob with the size that the registry says it has: reading compares both. UnavailableError [registry-not-found]."""
    address = url.blob(repository.base, repository.reference, digest)
    response = head.look(repository.session, Request(method="HEAD", url=address), instead=head.FIRST)
    if not head.there(response):
        doing = f"find {digest} in {repository.reference.name}"
        raise errors.failure(errors.said(response), url=address, doing=doing)
    response.close()
    size = head.length(response)
    if size is None:
        raise errors.odd(address, "it does not say how long a blob is")
    return Descriptor(media_type=KIND, digest=digest, size=size)
