"""One compilation in a process of its own, to be killed or run beside others. Folders in, the binary's SHA-256 out."""

from __future__ import annotations

import hashlib
import signal
import sys
from pathlib import Path

import msgspec

from tests.support.compiling import compilation, workplace
from wherry.compile import compile_all
from wherry.errors import WherryError
from wherry.kit.scratch import scratch_folder
from wherry.system.processes import Processes


def main(folder: str, work: str, *flags: str) -> int:
    """Compiles `folder`, keeps in `work`; prints `started` first, so that the parent knows when to strike."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("started", flush=True)
    what = compilation(Path(folder), flags=flags)
    with scratch_folder(f"{work}/runs") as scratch:
        place = msgspec.structs.replace(workplace(Path(work), root=Path(folder)), scratch=scratch)
        try:
            (binary,) = compile_all((what,), place, Processes()).binaries
        except WherryError as error:
            print(error.name, error.where)
            return 1
        print(hashlib.sha256(Path(binary.file).read_bytes()).hexdigest(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
