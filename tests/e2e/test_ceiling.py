"""The static ceiling of real Go programs: nothing they do is above it, and what it cannot know it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.programs_in_c import HOST, compiled
from tests.support.tools import need
from wherry.errors import WherryError
from wherry.formats import elf, pclntab
from wherry.runtime.ceiling.read import Ceiling, ceiling

pytestmark = pytest.mark.e2e

#: Everything a small server does, and starting another program.
BUSY = """package main
import ("fmt"; "net"; "net/http"; "os"; "os/exec"; "os/signal"; "syscall"; "time")
func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	go http.Serve(l, http.FileServer(http.Dir("/usr")))
	r, err := http.Get(fmt.Sprintf("http://%s/", l.Addr()))
	if err != nil { panic(err) }
	r.Body.Close()
	d, _ := os.MkdirTemp("", "x")
	os.WriteFile(d+"/a", make([]byte, 1<<20), 0o600)
	os.Rename(d+"/a", d+"/b"); os.Symlink("b", d+"/c"); os.ReadDir(d); os.Chmod(d+"/b", 0o400); os.Truncate(d+"/b", 3)
	os.RemoveAll(d)
	c := make(chan os.Signal, 1); signal.Notify(c, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1); <-c
	net.LookupHost("localhost"); net.Interfaces(); time.Sleep(time.Millisecond)
	out, err := exec.Command("/bin/echo", "hello").Output()
	if err != nil { panic(err) }
	fmt.Print(string(out))
}
"""
HIDDEN = """package main
import ("os"; "syscall")
var call = syscall.Syscall
func main() { call(uintptr(len(os.Args)), 0, 0, 0); syscall.RawSyscall(uintptr(len(os.Args)+38), 0, 0, 0) }
"""
PER_THREAD = """package main
import "syscall"
func main() { syscall.AllThreadsSyscall(157, 1, 0, 0); syscall.Setgid(5) }
"""
GREETING = 'package main\nfunc main() { println("x") }\n'


def go(folder: Path, source: str, *words: str, **variables: str) -> Path:
    """The static program that `source` compiles to."""
    need("go")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.go").write_text(source)
    (folder / "go.mod").write_text("module example.com/x\n\ngo 1.24\n")
    done = subprocess.run(
        ["go", "build", "-o", "program", *words, "."], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "CGO_ENABLED": "0", **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "program"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go(tmp_path_factory.mktemp("busy"), BUSY, "-ldflags=-w")


def traced(log: Path, *command: str) -> set[str]:
    """Names that strace sees."""
    need("strace")
    subprocess.run(["strace", "-f", "-qq", "-o", str(log), *command], check=True, capture_output=True, timeout=60)
    return set(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))


def test_everything_done_is_below_the_ceiling(busy: Path, tmp_path: Path) -> None:
    seen = traced(tmp_path / "log", str(busy))
    found = ceiling(str(busy))
    assert found.complete, found
    #: The other program's own calls are not this one's.
    other = traced(tmp_path / "other", "/bin/echo", "hello")
    assert len(seen) > 40
    assert seen - found.names <= other
    assert seen >= {"execve", "clone", "openat", "unlinkat"}
    assert found.names >= {"execve", "clone", "sendfile", "unlinkat", "renameat", "symlinkat", "restart_syscall"}
    assert not found.names & {"keyctl", "bpf", "init_module", "perf_event_open", "kexec_load"}
    assert found.runtime_names >= {"futex", "madvise", "tgkill", "epoll_pwait"}


@pytest.mark.parametrize("call", [b"\x0f\x05", b"\xcd\x80"])
def test_a_build_id_is_no_code(busy: Path, tmp_path: Path, call: bytes) -> None:
    """It is random, and may read as a system call; it lies where code may lie."""
    whole, other = bytearray(busy.read_bytes()), tmp_path / "other"
    found = elf.BUILD_ID.search(whole, 0, 0x2000)
    assert found
    whole[found.end() + 8 : found.end() + 10] = call
    other.write_bytes(whole)
    assert ceiling(str(other)) == ceiling(str(busy))


def test_stripped_is_the_same(busy: Path, tmp_path: Path) -> None:
    whole, stripped = ceiling(str(busy)), ceiling(str(go(tmp_path, BUSY, "-ldflags=-s -w", "-trimpath")))
    assert stripped.complete, stripped
    assert stripped.names == whole.names


def test_both_architectures(busy: Path, tmp_path: Path) -> None:
    """The same program: the names differ by what only one of them has."""
    here = ceiling(str(busy))
    there = {"amd64": "arm64", "arm64": "amd64"}[HOST.architecture]
    other = ceiling(str(go(tmp_path, BUSY, GOARCH=there)))
    assert other.complete, other
    assert other.architecture == there
    assert here.names ^ other.names <= {
        "arch_prctl", "rt_sigreturn", "time", "dup2", "access", "open", "pipe", "inotify_init", "fork", "readlink", "epoll_wait",
    }  # fmt: skip


def test_on_arm64_too(tmp_path: Path) -> None:
    """qemu tells which system calls of arm64 it is asked for; the same program, in part: it knows no netlink and no user mode of
    everything."""
    need("qemu-aarch64-static")
    program = go(tmp_path, BUSY.replace("net.Interfaces(); ", ""), GOARCH="arm64")
    done = subprocess.run(
        ["qemu-aarch64-static", "-strace", str(program)], capture_output=True, text=True, timeout=120, check=False
    )
    seen = set(re.findall(r"^\d+ (\w+)\(", done.stderr, re.MULTILINE))
    found = ceiling(str(program))
    assert found.complete, found
    assert len(seen) > 25, done.stderr[-2000:]
    known = {name: name for name in seen} | {"fstatat64": "newfstatat", "fstatat": "newfstatat"}
    assert {known[name] for name in seen} <= found.names | {"execve"}


def names_of(found: Ceiling) -> set[str]:
    return {one.function for one in found.unclear}


def test_what_is_computed_is_said(tmp_path: Path) -> None:
    found = ceiling(str(go(tmp_path, HIDDEN)))
    assert not found.complete
    assert {"syscall.Syscall", "main.main"} <= names_of(found)
    assert any("function value" in one.why for one in found.unclear)


def test_calls_for_every_thread(tmp_path: Path) -> None:
    found = ceiling(str(go(tmp_path, PER_THREAD)))
    assert found.complete, found
    assert {"prctl", "setgid"} <= found.names


def test_no_ceiling_for_what_is_not_go(tmp_path: Path) -> None:
    program = compiled(tmp_path / "c", "int main(void) { return 0; }\n")
    assert "linked dynamically" in ceiling(str(program)).why
    static = compiled(tmp_path / "s", "int main(void) { return 0; }\n", "-static")
    assert "no function table" in ceiling(str(static)).why
    assert "ld-linux" in ceiling(str(go(tmp_path / "pie", GREETING, "-buildmode=pie"))).why, "the loader is libc's"


def test_no_ceiling_with_c(tmp_path: Path) -> None:
    need("gcc")
    source = 'package main\n/*\nstatic int one(void) { return 1; }\n*/\nimport "C"\nfunc main() { println(C.one()) }\n'
    program = go(tmp_path, source, "-ldflags=-extldflags=-static", CGO_ENABLED="1")
    assert "cgo" in ceiling(str(program)).why


def test_damaged_programs_are_errors(tmp_path: Path) -> None:
    program = go(tmp_path, GREETING)
    whole = program.read_bytes()
    table = whole.find(pclntab.MAGICS[0] + b"\x01\x08") if HOST.architecture == "amd64" else -1
    cut, broken = tmp_path / "cut", tmp_path / "broken"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WherryError, match="outside of itself"):
        ceiling(str(cut))
    if table > 0:
        broken.write_bytes(whole[: table + 8] + b"\xff" * 8 + whole[table + 16 :])
        with pytest.raises(WherryError, match="promises"):
            ceiling(str(broken))
