"""Any two layers: the folder they unpack to is the listing they flatten to, whatever the order of the upper one's entries."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.packing import END, member, packed
from wherry.errors import CorruptError
from wherry.oci.unpack import extract, flatten

_PATHS = st.sampled_from([b"a", b"b", b"a/x", b"a/y", b"b/x", b"a/y/z", b"b/x/q"])
_LOWER = st.lists(st.tuples(_PATHS, st.sampled_from([b"0", b"5"])), max_size=6, unique_by=lambda pair: pair[0])
_UPPER = st.lists(st.tuples(_PATHS, st.sampled_from([b"0", b"5", b"w", b"o"])), max_size=6, unique_by=lambda pair: pair)


def _bytes(path: bytes, kind: bytes) -> bytes:
    if kind == b"w":
        above, slash, base = path.rpartition(b"/")
        return member(above + slash + b".wh." + base)
    return member(path + b"/.wh..wh..opq") if kind == b"o" else member(path, kind=kind)


@settings(max_examples=60, deadline=None)
@given(_LOWER, _UPPER)
def test_folder_and_listing_agree(lower: list[tuple[bytes, bytes]], upper: list[tuple[bytes, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers = [packed(folder, b"".join(_bytes(*row) for row in rows) + END) for rows in (lower, upper)]
        try:
            extract(layers, folder / "root")
        except CorruptError as error:
            if error.name != "through-link":  # a file where another entry needs a folder
                raise
            return
        found = {str(path.relative_to(folder / "root")) for path in (folder / "root").rglob("*")}
        listed = set(flatten(layers))
        parents = {str(parent) for path in listed for parent in Path(path).parents} - {"."}
        assert listed <= found
        emptied = found - listed - parents
        assert all((folder / "root" / path).is_dir() for path in emptied), "only folders that nobody named may be left"
