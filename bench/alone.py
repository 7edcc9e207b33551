"""What the work costs that no image tool can avoid, timed by itself: python -m bench.alone pack|send|gzip|sha256 ARGUMENTS...

A file in, a Sample as JSON out; starting Python and importing are not in it. Memory is what came on top of the idle interpreter.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import deflate  # noqa: F401 - imported before the clock starts
import msgspec

from bench import registry
from bench.images import packer
from bench.results import Sample
from wherry.assemble.pack import Purpose, pack
from wherry.kit import compress, snapshot
from wherry.model.image import Layer
from wherry.model.plan import Packing
from wherry.oci.tar import Entry

BLOCK = 1 << 20


def pack_alone(file: str, folder: str) -> Layer:
    """The application's layer with this one binary, as `wherry build` packs it."""
    entries = (
        Entry(path="app", kind="directory", mode=0o755),
        Entry(path="app/" + Path(file).name, mode=0o555, content=snapshot.look(file)),
    )
    return pack(entries, Packing(), Purpose(role="app", history="bench"), packer(Path(folder)))


def send_alone(file: str, folder: str, host: str, repository: str) -> None:
    """Packed, and put into a registry in two requests."""
    layer = pack_alone(file, folder)
    registry.put_blob(host, repository, layer.digest, Path(layer.file))


def gzip_alone(file: str) -> None:
    """Compressed on all processors as wherry compresses, and dropped."""
    shrink = compress.compressor("gzip", 0)

    def member(offset: int) -> int:
        with Path(file).open("rb") as source:
            source.seek(offset)
            return len(shrink(memoryview(source.read(BLOCK))))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sum(pool.map(member, range(0, Path(file).stat().st_size, BLOCK)))


def sha256_alone(file: str) -> None:
    """Hashed on one processor: SHA-256 cannot be spread."""
    import hashlib

    with Path(file).open("rb") as source:
        hashlib.file_digest(source, "sha256")


WORK: dict[str, Callable[..., object]] = {
    "pack": pack_alone,
    "send": send_alone,
    "gzip": gzip_alone,
    "sha256": sha256_alone,
}


def peak_memory() -> int:
    """Most bytes this process ever held, itself and not its parent before it (proc(5), status)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main() -> None:
    name, *arguments = sys.argv[1:]
    if name in ("pack", "send"):
        shutil.rmtree(arguments[1], ignore_errors=True)
    memory, processor, start = peak_memory(), time.process_time(), time.perf_counter()
    WORK[name](*arguments)
    wall, cpu = time.perf_counter() - start, time.process_time() - processor
    print(msgspec.json.encode(Sample(wall=wall, cpu=cpu, memory=peak_memory() - memory)).decode())


if __name__ == "__main__":
    main()
