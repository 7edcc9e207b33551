"""Wherry's own profile as kernels enforce it: what must fail fails, what programs need works, and engines load it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.bundles import bundle, once
from tests.support.containers import Engine
from tests.support.programs_in_c import HOST, compiled
from wherry.formats.seccomp import encode, to_docker
from wherry.runtime.seccomp import default_seccomp

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

#: Name, arguments of syscall(2), what must come of it; "-": it works; "refused": ENOSYS, or EPERM where the engine knows no
#: other answer (Docker 20.10 drops a profile's `defaultErrnoRet`).
TRIES = (
    ("unshare", "SYS_unshare, 0x10000000L", "EPERM"),
    ("setns", "SYS_setns, 0L, 0L", "EPERM"),
    ("mount", "SYS_mount, 0L, 0L, 0L, 0L, 0L", "EPERM"),
    ("pivot_root", "SYS_pivot_root, 0L, 0L", "EPERM"),
    ("chroot", 'SYS_chroot, "/tmp"', "EPERM"),
    ("keyctl", "SYS_keyctl, 0L, -3L, 0L", "EPERM"),
    ("add_key", "SYS_add_key, 0L, 0L, 0L, 0L, 0L", "EPERM"),
    ("bpf", "SYS_bpf, 0L, 0L, 0L", "EPERM"),
    ("perf_event_open", "SYS_perf_event_open, 0L, 0L, 0L, 0L, 0L", "EPERM"),
    ("ptrace", "SYS_ptrace, 16L, 0L, 0L, 0L", "EPERM"),
    ("process_vm_readv", "SYS_process_vm_readv, 1L, 0L, 0L, 0L, 0L, 0L", "EPERM"),
    ("io_uring_setup", "SYS_io_uring_setup, 1L, 0L", "EPERM"),
    ("userfaultfd", "SYS_userfaultfd, 0L", "EPERM"),
    ("vmsplice", "SYS_vmsplice, 0L, 0L, 0L, 0L", "EPERM"),
    ("kexec_load", "SYS_kexec_load, 0L, 0L, 0L, 0L", "EPERM"),
    ("init_module", "SYS_init_module, 0L, 0L, 0L", "EPERM"),
    ("clock_settime", "SYS_clock_settime, 0L, 0L", "EPERM"),
    ("settimeofday", "SYS_settimeofday, 0L, 0L", "EPERM"),
    ("swapon", "SYS_swapon, 0L, 0L", "EPERM"),
    ("reboot", "SYS_reboot, 0L, 0L, 0L, 0L", "EPERM"),
    ("clone of a user namespace", "SYS_clone, 0x10000011L, 0L, 0L, 0L, 0L", "refused"),
    ("clone of a network, high bits set", "SYS_clone, 0xff00000040000011L, 0L, 0L, 0L, 0L", "refused"),
    ("clone3", "SYS_clone3, 0L, 0L", "ENOSYS"),
    ("personality without randomisation", "SYS_personality, 0x40000L", "refused"),
    ("personality asked", "SYS_personality, 0xffffffffL", "-"),
    ("vsock", "SYS_socket, 40L, 1L, 0L", "refused"),
    ("vsock, high bits set", "SYS_socket, 0x100000028L, 1L, 0L", "refused"),
    ("kernel crypto socket", "SYS_socket, 38L, 5L, 0L", "refused"),
    ("packet socket", "SYS_socket, 17L, 3L, 0L", "refused"),
    ("inet", "SYS_socket, 2L, 1L, 0L", "-"),
    ("netlink", "SYS_socket, 16L, 3L, 0L", "-"),
    ("unix", "SYS_socket, 1L, 1L, 0L", "-"),
    ("a call nobody knows yet", "990L", "ENOSYS"),
)
REFUSED = {"ENOSYS", "EPERM"}
HEAD = """#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void say(const char *name, long answer) {
  if (getpid() != 1) _exit(0); /* a child of a clone that was allowed */
  printf("%s: %s\\n", name, answer < 0 ? strerrorname_np(errno) : "-");
}
int main(void) {
"""
TAIL = '  if (!fork()) _exit(0);\n  say("fork", wait(0));\n  return 0;\n}\n'


@pytest.fixture(scope="module")
def forbidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static program that tries each of TRIES and says what came of it."""
    body = "".join(f'  say("{name}", syscall({words}));\n' for name, words, _ in TRIES)
    return compiled(tmp_path_factory.mktemp("forbidden") / "rootfs/forbidden", HEAD + body + TAIL, "-static")


def check(said: str) -> None:
    seen = dict(re.findall(r"^(.*): (\S+)$", said, re.MULTILINE))
    wanted = {name: REFUSED if answer == "refused" else {answer} for name, _, answer in TRIES} | {"fork": {"-"}}
    assert seen.keys() == wanted.keys()
    assert {name: answer for name, answer in seen.items() if answer not in wanted[name]} == {}


def test_the_kernel_refuses_what_must_be_refused(forbidden: Path) -> None:
    done = once(bundle(forbidden.parents[1], ["/forbidden"], default_seccomp(HOST.architecture)))
    assert done.returncode == 0, done.stderr
    check(done.stdout)


def test_without_a_profile_the_same_program_gets_through(forbidden: Path) -> None:
    """The program itself can tell: else the test above could not fail."""
    done = once(bundle(forbidden.parents[1], ["/forbidden"], None))
    assert "clone3: EINVAL" in done.stdout
    assert "personality without randomisation: -" in done.stdout


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_engines_load_it_in_dockers_form(
    engine: str, forbidden: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run: Engine = request.getfixturevalue(engine)
    profile, archive = tmp_path / "profile.json", tmp_path / "root.tar"
    profile.write_bytes(encode(to_docker(default_seccomp(HOST.architecture))))
    subprocess.run(["tar", "-cf", archive, "-C", forbidden.parent, "."], check=True)
    image = run("import", str(archive), "localhost/forbidden:1").splitlines()[-1]
    said = run(
        "run", "--rm", "--network=none", "--cap-drop=ALL", "--user=65532:65532", "--security-opt=no-new-privileges",
        f"--security-opt=seccomp={profile}", image, "/forbidden",
    )  # fmt: skip
    check(said)


PYTHON = """
import asyncio, multiprocessing, os, socket, sqlite3, ssl, subprocess, threading
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
child = multiprocessing.get_context("fork").Process(target=print, args=("child",)); child.start(); child.join()
subprocess.run(["/bin/ls", "/"], check=True, stdout=subprocess.DEVNULL)
sqlite3.connect("/tmp/base").execute("create table t(x)")
asyncio.run(asyncio.sleep(0.01)); socket.if_nameindex(); socket.socketpair(); os.getrandom(4); os.memfd_create("x")
print("well", open("/proc/self/status").read().partition("Seccomp:")[2].split()[0])
"""
SHELL = (
    "ls / >/dev/null; id -u; sleep 0.01 & wait; (echo b; echo a) | sort; date >/dev/null && df >/dev/null; echo well"
)
FOLDERS = tuple(one for one in ("/usr", "/lib", "/lib64", "/bin") if Path(one).exists())


@pytest.mark.parametrize(
    ("words", "said"),
    [(("/usr/bin/python3", "-c", PYTHON), "thread\nchild\nwell 2"), (("/bin/bash", "-c", SHELL), "65532\na\nb\nwell")],
    ids=["python", "shell"],
)
def test_common_programs_work(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    if not Path(words[0]).exists():
        pytest.skip(f"no {words[0]} here")
    done = once(bundle(tmp_path, words, default_seccomp(HOST.architecture), binds=FOLDERS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == said
