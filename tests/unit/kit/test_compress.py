"""Members by our compressors: bytes that never change, and that everybody's tools unpack."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.support.packing import compressed
from tests.support.tools import need
from wherry.errors import UsageError
from wherry.kit.compress import Method, compressor, identity, levels

#: Compressible and not, three members long, the same on every machine.
INPUT = b"".join(hashlib.sha256(b"%d" % (number // 40)).digest() for number in range(80_000))


@pytest.mark.parametrize(
    ("method", "level", "digest"),
    [
        ("gzip", 1, "2b91d13b6b07ab4d88bdc8e1ac98a14fbb73f3ac2d78ca4dac8a25c718fd84ed"),
        ("gzip", 6, "087bead82a8972ecef6f2fea2185ab5bd184241d63a2803943b6d605d9530a10"),
        ("gzip", 12, "06de21700c7c8fd98b1e10cd69e39d525eeab903cefcf5e1ed88cf1270c1b739"),
        ("zstd", 3, "64cbf57618096e759f76d7fe8d43927ee3695baa111054c227a4ccf2fdc14a65"),
        ("zstd", 1, "836442b289e054ec52967a7a1b81d5cb9465d1807c780db992889db9229fbc3c"),
        ("zstd", 19, "4306d054d1d7060d80302bbf8dd4267ed80dacb43a8cc06f414bbca6ce12946f"),
    ],
)
def test_bytes_are_golden(method: Method, level: int, digest: str) -> None:
    """On every architecture. A new libdeflate or zstd may change them, and so every image's digest: say so in the changelog."""
    compress = compressor(method, level)
    blocks = [INPUT[at : at + (1 << 20)] for at in range(0, len(INPUT), 1 << 20)]
    assert hashlib.sha256(b"".join(compress(memoryview(block)) for block in blocks)).hexdigest() == digest


def test_gzip_headers_say_nothing_of_this_machine() -> None:
    assert compressor("gzip", 1)(memoryview(b"x"))[:10] == bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255))


@pytest.mark.parametrize(("method", "tool"), [("gzip", "gzip"), ("zstd", "zstd")])
def test_other_peoples_tools_unpack_it(tmp_path: Path, method: Method, tool: str) -> None:
    need(tool)
    path = tmp_path / f"x.{'gz' if method == 'gzip' else 'zst'}"
    path.write_bytes(compressed(INPUT, method))
    assert subprocess.run([tool, "-t", path], capture_output=True, check=True).stdout == b""
    assert subprocess.run([tool, "-dc", path], capture_output=True, check=True).stdout == INPUT


def test_default_levels_are_named_like_themselves() -> None:
    assert identity("gzip", 0) == identity("gzip", 1) != identity("gzip", 2)
    assert identity("zstd", 0) == identity("zstd", 3) != identity("zstd", 4)
    assert len({identity(method, 0) for method in ("gzip", "zstd", "none")}) == 3


@pytest.mark.parametrize(("method", "level"), [("gzip", 13), ("gzip", -1), ("zstd", 23), ("none", 2)])
def test_levels_that_do_not_exist(method: Method, level: int) -> None:
    with pytest.raises(UsageError) as caught:
        compressor(method, level)
    assert caught.value.name == "bad-level"


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_every_level_works(method: Method) -> None:
    for level in levels(method):
        assert 0 < len(compressor(method, level)(memoryview(INPUT)[:5000])) < 6000
