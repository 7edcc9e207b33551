"""Platforms in descriptors: the system always stands there (image-index.md: os is REQUIRED)."""

from __future__ import annotations

import pytest

from wherry.oci.descriptor import encode
from wherry.oci.platform import Platform, parse


@pytest.mark.parametrize(
    "platform",
    [Platform(architecture="amd64"), Platform(architecture="amd64", os="linux"), parse("linux/amd64")],
    ids=["default", "literal", "parsed"],
)
def test_the_system_is_written_wherever_the_value_came_from(platform: Platform) -> None:
    assert encode(platform) == b'{"architecture":"amd64","os":"linux"}'
