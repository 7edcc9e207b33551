"""The init: exit codes, signals, orphans, on this machine and for arm64 by qemu."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from scripts.assemble_probe import PROBE, PROGRAMS, TOOLS, assemble, source
from tests.support.programs_in_c import compiled
from tests.support.runbook import until
from tests.support.tools import need
from wherry.probe import init_code
from wherry.probe.elf import ARCHITECTURES, init_elf

HOST = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
EMULATORS = {"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}
#: As the first process of a container: leaves orphans, says when, and stays for as long as it is let.
ORPHANS = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
  for (int i = 0; i < 20; i++)
    if (!fork()) { if (!fork()) { usleep(1000); _exit(0); } _exit(0); }
  puts("left");
  fflush(stdout);
  getchar();
  return 9;
}
"""


@pytest.fixture(params=ARCHITECTURES)
def init(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The words before a program."""
    program = tmp_path / "init"
    program.write_bytes(init_elf(request.param))
    program.chmod(0o755)
    before = []
    if request.param != HOST:
        need(EMULATORS[request.param])
        before = [EMULATORS[request.param]]
    return [*before, str(program)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("/bin/true",), 0), (("/bin/sh", "-c", "exit 7"), 7), (("/bin/sh", "-c", "exit 255"), 255),
        (("/bin/sh", "-c", "kill -9 $$"), 137), (("/bin/sh", "-c", "kill -15 $$"), 143),
        (("/nowhere/at/all",), 127), (("/etc/passwd",), 126), ((), 127),
    ],
)  # fmt: skip
def test_it_ends_as_its_program_does(init: list[str], words: tuple[str, ...], code: int) -> None:
    assert subprocess.run([*init, *words], check=False).returncode == code


def test_arguments_and_variables_are_handed_on(init: list[str]) -> None:
    words = [*init, "/bin/sh", "-c", 'echo "$1" "$2" "$WORD"', "sh", "a b", ""]
    done = subprocess.run(words, env={"WORD": "x"}, capture_output=True, text=True, check=True)
    assert done.stdout == "a b  x\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT])
def test_signals_are_handed_on(init: list[str], number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    script = f"trap 'exit 40' {name}; echo ready; while :; do sleep 0.01; done"
    with subprocess.Popen([*init, "/bin/sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        try:
            assert process.wait(60) == 40
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_program_gets_no_signal_blocked(init: list[str]) -> None:
    done = subprocess.run(
        [*init, "/bin/grep", "SigBlk", "/proc/self/status"], capture_output=True, text=True, check=True
    )
    if len(init) == 1:  # an emulator keeps some for itself
        assert done.stdout.split()[1].strip("0") == ""


def test_orphans_are_collected(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a process namespace of one's own needs root")
    program, init = compiled(tmp_path / "orphans", ORPHANS, "-static"), tmp_path / "init"
    init.write_bytes(init_elf(HOST))
    init.chmod(0o755)
    words = ["unshare", "--pid", "--fork", str(init), str(program)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"left\n"
        (first,) = children(process.pid)
        until(lambda: len(children(first)) == 1)
        (own,) = children(first)
        assert Path(f"/proc/{own}/comm").read_text() == "orphans\n"
        process.stdin.close()
        assert process.wait(20) == 9


def children(pid: int) -> list[int]:
    """Dead ones, too, that nobody has collected."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_it_is_small_and_for_no_other_machine() -> None:
    assert all(len(init_elf(one)) < 500 for one in ARCHITECTURES)
    with pytest.raises(ValueError, match="no init for architecture"):
        init_elf("riscv64")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_code_is_the_assembled_source(architecture: str) -> None:
    need(f"{TOOLS[architecture]}as")
    assert assemble(architecture, "init-") == getattr(init_code, architecture.upper()), (
        "run python scripts/assemble_probe.py"
    )


def test_the_module_is_what_the_script_writes() -> None:
    codes = {"amd64": init_code.AMD64, "arm64": init_code.ARM64}
    assert (PROBE / "init_code.py").read_text() == source(codes, PROGRAMS["init_code.py"][1])
