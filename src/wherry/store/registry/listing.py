"""What a repository lists: its tags. A repository in, names out; touches the network through its session.

Lists come in pages, each naming the next (distribution-spec, "Listing Tags"; RFC 8288). The next page is asked for only at
the registry's own origin, once each, and up to a bound (C08, C09).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from wherry.errors import CorruptError
from wherry.kit import jsons
from wherry.kit.ports import Request, Response
from wherry.kit.value import Value
from wherry.store.registry import errors, url
from wherry.store.registry.pull import Repository
from wherry.store.registry.session import Session

PAGE: Final = 1000
PAGES: Final = 1000
MOST: Final = 200_000
LARGEST: Final = 4 << 20
_NEXT = re.compile(r'<([^<>]{1,4096})>\s*;[^,<]*\brel\s*=\s*"?next"?', re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)


class _Tags(Value, frozen=True, kw_only=True):
    tags: tuple[str, ...] | None = None


def tags(repository: Repository) -> tuple[str, ...]:
    """Every tag, each once, in the registry's order; UnavailableError when the repository is not there or not to be read."""
    root = f"{repository.base}/v2/{repository.reference.repository}/tags/list?n={PAGE}"
    found: dict[str, None] = {}
    asked = root
    while asked:
        before, last = len(found), ""
        for response, data in pages(repository.session, asked):
            if response.status != 200:
                doing = f"list the tags of {repository.reference.name}"
                raise errors.failure(errors.said(response), url=asked, doing=doing)
            page = _page(data, asked)
            found |= dict.fromkeys(page)
            last = page[-1] if len(page) >= PAGE else ""
            if len(found) > MOST:
                raise _endless(asked)
        # a full page that names no next one: some leave that out, and cut the list all the same
        asked = url.with_query(root, last=last) if last and len(found) > before else ""
    return tuple(found)


def _page(data: bytes, asked: str) -> tuple[str, ...]:
    page = jsons.decode(data, _Tags, name="a list of tags").tags or ()
    if not all(_TAG.fullmatch(tag) for tag in page):
        raise errors.odd(asked, "it lists a tag that cannot be one")
    return page


def pages(session: Session, asked: str) -> Iterator[tuple[Response, bytes]]:
    """The answer to `asked`, and to each page that the one before it names."""
    seen: set[str] = set()
    while asked:
        if asked in seen or len(seen) >= PAGES:
            raise _endless(asked)
        seen.add(asked)
        response, data = session.whole(Request(method="GET", url=asked), limit=LARGEST, name=url.shown(asked))
        yield response, data
        matched = _NEXT.search(response.header("Link")[:8192]) if response.status == 200 else None
        following = url.joined(asked, matched[1]) if matched else ""
        if following and not url.same_origin(following, session.setup.base):
            raise errors.odd(asked, f"its next page lies elsewhere, at {url.shown(following)}")
        asked = following


def _endless(asked: str) -> CorruptError:
    return errors.odd(asked, "its list has no end")
