"""The assembly of the health probe and of the init in, `src/wherry/probe/*code.py` out; runs GNU as and objcopy.

    python scripts/assemble_probe.py

Debian: apt-get install binutils-x86-64-linux-gnu binutils-aarch64-linux-gnu. A test assembles again and compares.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

PROBE = Path(__file__).resolve().parent.parent / "src/wherry/probe"
TOOLS = {"amd64": "x86_64-linux-gnu-", "arm64": "aarch64-linux-gnu-"}
#: The module of each program's code, what begins the names of its sources, and what it is called.
PROGRAMS = {"code.py": ("", "health probe"), "init_code.py": ("init-", "init")}
HEADER = '''"""The {0}'s machine code, by scripts/assemble_probe.py from the .s files; touches nothing."""

from __future__ import annotations

from typing import Final
'''


def assemble(architecture: str, prefix: str = "") -> bytes:
    """The code of PROBE/PREFIX+ARCHITECTURE.s; CalledProcessError if it is wrong, FileNotFoundError without the tools."""
    tool = TOOLS[architecture]
    with tempfile.TemporaryDirectory() as folder:
        linkable, code = Path(folder, "probe.o"), Path(folder, "probe.bin")
        subprocess.run(
            [f"{tool}as", "--fatal-warnings", "-o", linkable, PROBE / f"{prefix}{architecture}.s"], check=True
        )
        # Nothing is linked, so nothing may be left to relocate.
        listing = subprocess.run([f"{tool}objdump", "-r", linkable], check=True, capture_output=True, text=True).stdout
        if "RELOCATION" in listing:
            raise SystemExit(f"{architecture}.s is not position independent:\n{listing}")
        subprocess.run([f"{tool}objcopy", "-O", "binary", "-j", ".text", linkable, code], check=True)
        return code.read_bytes()


def source(codes: dict[str, bytes], title: str = "health probe") -> str:
    """The text of the module that holds `codes`."""
    text = HEADER.format(title)
    for architecture, code in codes.items():
        rows = (f'    "{code[at : at + 32].hex()}"\n' for at in range(0, len(code), 32))
        text += f"\n{architecture.upper()}: Final = bytes.fromhex(\n{''.join(rows)})\n"
    return text


def main() -> None:
    """Writes the modules of PROGRAMS."""
    for module, (prefix, title) in PROGRAMS.items():
        codes = {architecture: assemble(architecture, prefix) for architecture in TOOLS}
        (PROBE / module).write_text(source(codes, title))
        for architecture, code in codes.items():
            print(f"{title} for {architecture}: {len(code)} bytes of code")


if __name__ == "__main__":
    main()
