"""Image references (distribution-spec; the grammar of distribution/reference). Text in, a Reference out; touches nothing."""

from __future__ import annotations

import re

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.oci.digest import Digest

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_HOST = re.compile(
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::([0-9]{1,5}))?",
    re.ASCII,
)
DOCKER_HUB = "docker.io"


class Reference(Value, frozen=True, kw_only=True):
    """`host/repository:tag@digest`; `host` is empty for a name that lives only in a local store."""

    host: str = ""
    repository: str
    tag: str = ""
    digest: Digest | None = None

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        return f"{self.host}/{self.repository}" if self.host else self.repository


def parse(text: str) -> Reference:
    """A reference; UsageError [bad-reference] says which part is wrong. The first part is a host when it holds a dot or a colon
    or is `localhost`, as Docker reads it."""
    rest, at, digest = text.partition("@")
    if at and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest, re.ASCII):
        raise _bad(text, f"{digest[:90]!r} is no digest (sha256: and 64 digits)")
    head, slash, tail = rest.partition("/")
    host = head if slash and ("." in head or ":" in head or head == "localhost") else ""
    path, _, tag = (tail if host else rest).partition(":")
    if host and not is_host(host):
        raise _bad(text, f"{host!r} is no host")
    if not _REPOSITORY.fullmatch(path) or len(path) > 255:
        hint = "; names are lower case" if path != path.lower() else ""
        raise _bad(text, f"{path!r} is no repository name{hint}")
    if (":" in rest[len(host) :] or tag) and not _TAG.fullmatch(tag):
        raise _bad(text, f"{tag!r} is no tag")
    return Reference(host=host, repository=path, tag=tag, digest=Digest(digest) if at else None)


def in_registry(reference: Reference) -> Reference:
    """`reference` as a registry is asked for it: Docker Hub's without a host, and one-part names there `library/`'s (C12)."""
    if reference.host not in ("", DOCKER_HUB):
        return reference
    repository = reference.repository if "/" in reference.repository else f"library/{reference.repository}"
    return Reference(host=DOCKER_HUB, repository=repository, tag=reference.tag, digest=reference.digest)


def is_host(text: str) -> bool:
    """True for `HOST` or `HOST:PORT`, in ASCII, as references may begin with it."""
    matched = _HOST.fullmatch(text) if len(text) <= 255 else None
    return bool(matched and (not matched[1] or 0 < int(matched[1]) < 65536))


def _bad(text: str, why: str) -> UsageError:
    scheme, slashes, rest = text[:200].partition("://")
    web = bool(slashes) and scheme.lower() in ("http", "https")
    return UsageError(
        "bad-reference",
        f"{text[:200]!r} is no image reference: " + ("it is the address of a web page" if web else why),
        next=f"leave out {scheme}://: {rest}" if web else "write it like registry.example/team/app:1.2",
    )
