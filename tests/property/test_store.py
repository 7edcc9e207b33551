"""What the store room parses: any input gives a value or an error of ours, and places are written as they are read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wherry.errors import WherryError
from wherry.kit.ports import Response
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.platform import VARIANTS, Platform, best
from wherry.store import documents, entries
from wherry.store import place as places
from wherry.store.archive import Archive
from wherry.store.registry import auth, errors, url

T = TypeVar("T")
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda path: not path.startswith("~")
)


@given(PATHS, st.just("") | TAGS)
def test_a_layout_place_is_read_as_it_is_written(path: str, tag: str) -> None:
    place = places.LayoutPlace(directory=path, tag=tag)
    assert places.parse(str(place)) == place


@given(st.sampled_from(places.SCHEMES), st.text())
def test_any_place_is_read_or_refused(scheme: str, rest: str) -> None:
    place = attempt(lambda: places.parse(f"{scheme}:{rest}"))
    if isinstance(place, WherryError):
        assert place.name in ("bad-place", "bad-reference")
    else:
        assert places.parse(str(place)) == place


def attempt(action: Callable[[], T]) -> T | WherryError:
    """What `action` gives, or its error of ours."""
    try:
        return action()
    except WherryError as error:
        return error


@given(st.binary() | st.text().map(str.encode))
def test_any_index_is_read_or_refused(data: bytes) -> None:
    try:
        found = entries.parse(data, name="index.json")
    except WherryError:
        return
    assert entries.parse(entries.encode(found), name="index.json").entries == found.entries


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["manifests", "layers", "config", "digest", "size", "mediaType", "schemaVersion", "platform"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_document_is_read_or_refused(value: object) -> None:
    import json

    data = json.dumps(value).encode()
    top = Descriptor(media_type="", digest=of_bytes(data), size=len(data))
    with pytest.raises(WherryError):  # nothing this small is a whole image
        documents.stored(lambda _: data, top, reference="x")


class _Says:
    """A response with one header or body."""

    status = 400

    def __init__(self, text: str = "", body: bytes = b"") -> None:
        self.headers = (("WWW-Authenticate", text),)
        self.text, self.body = text, io.BytesIO(body)

    def header(self, _: str) -> str:
        return self.text

    def read(self, size: int) -> bytes:
        return self.body.read(size)

    def close(self) -> None:
        self.body.close()


@given(st.text() | st.from_regex(r'(Basic|Bearer)( ?realm="?[a-z:/."\\,]*)?(,scope=x)?'))
def test_any_challenge_is_read(header: str) -> None:
    found = auth.challenge(cast("Response", _Says(header)))
    assert found is None or found.scheme in ("basic", "bearer")


@given(st.binary(max_size=300))
def test_any_refusal_becomes_words(body: bytes) -> None:
    words = errors.said(cast("Response", _Says(body=body))).words
    assert len(words) <= 2100
    assert words.isprintable()


@given(st.text())
@example("//[")
@example("https://[::1")
@example("//a@b/")
@example("https://x:port/")
def test_any_location_is_followed_or_refused(location: str) -> None:
    asked = "https://reg.example/v2/app/blobs/uploads/"
    target = attempt(lambda: url.joined(asked, location))
    if isinstance(target, WherryError):
        assert target.name == "steered"
    else:
        assert target.startswith("https://")
        assert "@" not in target.partition("//")[2].partition("/")[0]


@given(st.binary(max_size=4000))
@settings(max_examples=50)
def test_any_file_is_an_archive_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with pytest.raises(WherryError):
        Archive(io.BytesIO(data), "x.tar").entries()


PLATFORMS = st.sampled_from(
    [Platform(architecture=name, variant=level) for name in VARIANTS for level in VARIANTS[name]]
)


@given(PLATFORMS, st.lists(PLATFORMS, max_size=6).map(tuple))
def test_the_platform_chosen_is_one_of_those_and_fits(wanted: Platform, there: tuple[Platform, ...]) -> None:
    found = best(wanted, there)
    assert found is None or found in there
    assert found is None or (found.os, found.architecture) == (wanted.os, wanted.architecture)
    if wanted in there:
        assert found == wanted or (found and {found.variant, wanted.variant} <= {"", "v1", "v7", "v8"})


def test_digests_are_paths_only_when_they_are_digests() -> None:
    for text in (
        "sha256:../../x",
        "sha256:" + "A" * 64,
        "sha256:" + "0" * 65,
        "md5:" + "0" * 32,
        "sha256:" + "0" * 64 + "\n",
    ):
        with pytest.raises(WherryError):
            Digest(text)
    assert Path("blobs", Digest("sha256:" + "0" * 64).path) == Path("blobs/sha256", "0" * 64)
