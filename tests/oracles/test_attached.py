"""Signatures and SBOMs go along between registries of other projects, with a list of referrers and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.attachments import copy, source, there
from tests.support.peers import KINDS, peer

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("kind", KINDS)
def test_signatures_go_from_a_list_to_a_tag_and_back(kind: str, tmp_path: Path) -> None:
    """From a layout into this registry, on into one that has the list, and into a layout again."""
    first = source(tmp_path)
    expected = there(first, tmp_path)
    assert len(expected) == 4
    with peer(kind) as host, peer("cuelabs") as listing:
        here, on = f"docker://{host}/team/app:1", f"docker://{listing}/team/app:1"
        for one, other in ((first, here), (here, on), (on, f"oci:{tmp_path}/back:1")):
            assert copy(one, other, tmp_path).attached == 4
            assert there(other, tmp_path) == expected
