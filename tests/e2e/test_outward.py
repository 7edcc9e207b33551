"""`--network out`: a container's own network leads out from its program's first word, to servers and not to this machine's
loopback; what leads out ends with the container, whoever was killed."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, odd_apps
from tests.support.cli import COMMAND, Done, variables
from tests.support.ports import ports
from tests.support.programs import path_without
from tests.support.programs_in_c import compiled
from tests.support.runbook import Book, book, get, kill, until
from tests.support.servers import free_port, need_no_chroot
from tests.support.strangers import Stranger, handed, stranger
from tests.support.tools import need
from wherry.model.image import Built
from wherry.oci.tar import Entry
from wherry.runtime import outward
from wherry.store import place as places
from wherry.store.places import at

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]

#: Says at once whether it reaches an address.
SOURCE = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  int one = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(one, (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 1; }
  char head[] = "GET / HTTP/1.0\r\n\r\n", answer[16] = "";
  if (write(one, head, strlen(head)) < 0 || read(one, answer, sizeof answer - 1) < 0) return 2;
  printf("%s\n", answer);
  return strncmp(answer, "HTTP/1.0 200", 12) ? 3 : 0;
}
"""
ELSEWHERE = "198.51.100.1"
"""Of documentation (RFC 5737); here in a network of the test's own, with a server on 8000, and on 8001 of its loopback."""
TUN = 'open("/dev/net/tun"): No such file or directory'
MACHINE = f"""
ip link set lo up && ip addr add {ELSEWHERE}/32 dev lo || exit 9
python3 -m http.server 8000 --bind {ELSEWHERE} --directory /proc/self/fdinfo >/dev/null 2>&1 & first=$!
python3 -m http.server 8001 --bind 127.0.0.1 --directory /proc/self/fdinfo >/dev/null 2>&1 & second=$!
n=0; until [ $((n += 1)) = 200 ] || [ "$(grep -c ':1F4[01] 00000000:0000 0A' /proc/net/tcp)" = 2 ]; do sleep 0.05; done
"$@"; code=$?
kill $first $second; exit $code
"""


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    need("go", "slirp4netns", "unshare", "ip", "python3")
    with book() as found:
        yield found


@functools.cache
def image() -> str:
    folder = apps.session_folder() / "outward"
    (folder / "layers").mkdir(parents=True)
    program = compiled(folder / "reaches", SOURCE, "-static")
    tree = odd_apps.tree(Entry(path="app/reaches", mode=0o555, content=program.read_bytes()))
    fault = odd_apps.Fault(base="hello", archives=(tree,), config={"entrypoint": ("/app/reaches",), "cmd": None})
    made = odd_apps.changed(apps.made("hello").image, fault, folder / "layers")
    where = f"oci:{folder}/layout:reaches"
    at(places.parse(where), ports(folder)).publish(Built(name="reaches", version="1", content=made))
    return where


@pytest.fixture(params=["runc", "crun"])
def engine(request: pytest.FixtureRequest) -> str:
    need(request.param)
    return str(request.param)


def run(shelf: Book, *command: str) -> Done:
    """A wherry, or whoever starts one, on a machine with servers."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", MACHINE, "sh", *command],
        cwd=shelf.folder, env=variables(shelf.folder / "home", **shelf.environment), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


@pytest.mark.parametrize(
    ("network", "target", "reached"),
    [("out", (ELSEWHERE, "8000"), True), ("own", (ELSEWHERE, "8000"), False), ("out", ("10.0.2.2", "8001"), False)],
    ids=["out", "own", "loopback"],
)
def test_what_a_program_reaches_at_once(
    shelf: Book, engine: str, network: str, target: tuple[str, str], reached: bool
) -> None:
    before = leading()
    done = run(shelf, *COMMAND, "run", "-q", image(), "--engine", engine, "--network", network, "--", *target)
    assert (done.code, "HTTP/1.0 200" in done.stdout) == ((0, True) if reached else (1, False)), done.stderr
    shelf.until_nothing_is_left()
    until(lambda: leading() <= before)  # the servers have its variables, too


def leading() -> set[int]:
    """Processes of slirp4netns that have not ended."""
    found = set()
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if folder.name.isdigit() and (folder / "comm").read_text() == "slirp4netns\n":
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                found |= {int(folder.name)} if state != "Z" else set()
    return found


def started(shelf: Book, name: str) -> int:
    """The process that leads out of the container `name`."""
    identity = shelf.json("inspect", name)["id"]
    pid = int((shelf.run / "containers" / identity / "outward.pid").read_text())
    assert pid in leading()
    return pid


def test_ports_lead_in_names_are_asked_and_it_ends_with_the_container(shelf: Book, engine: str) -> None:
    port = free_port()
    words = ("--engine", engine, "--name", "both", "--network", "out", "-p", f"{port}:8080")
    shelf.good("run", "-q", "-d", apps.place("good"), *words)
    assert get(port, "/healthz")
    pid, inside = started(shelf, "both"), shelf.containers()["both"]["pid"]
    assert Path(f"/proc/{inside}/root/etc/resolv.conf").read_text() == "nameserver 10.0.2.3\n"
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert int(status["CapEff"], 16) & ~(1 << 10) == 0, "it is confined itself"
    shelf.good("rm", "--force", "both")
    until(lambda: pid not in leading())
    assert shelf.left() == []


def test_it_ends_with_a_program_that_stops(shelf: Book, engine: str) -> None:
    shelf.good("run", "-q", "-d", apps.place("good"), "--engine", engine, "--name", "brief", "--network", "out")
    pid = started(shelf, "brief")
    shelf.until_it_listens("brief")
    done = shelf("stop", "brief")
    assert "stopped in peace" in done.stderr, done.stderr
    until(lambda: pid not in leading())
    shelf.good("rm", "brief")
    assert shelf.left() == []


def test_it_ends_where_everybody_was_killed(shelf: Book, engine: str) -> None:
    """The next look clears away what a killed foreground run left."""
    process = shelf.popen("run", apps.place("good"), "--engine", engine, "--name", "killed", "--network", "out")
    until(lambda: bool(shelf.places()) and (shelf.places()[0] / "outward.pid").exists())
    until(lambda: shelf.containers()["killed"]["state"] == "running")
    pid = started(shelf, "killed")
    kill(process.pid)
    process.communicate()
    shelf("ps")
    until(lambda: pid not in leading())
    shelf.until_nothing_is_left()


def test_it_ends_where_the_program_cannot_start(shelf: Book, engine: str) -> None:
    before = leading()
    done = shelf("run", apps.place("good"), "--engine", engine, "--network", "out", "-w", "/app/good")
    assert (done.code, done.stderr.count("error [bad-workdir]")) == (3, 1), done.stderr
    shelf.until_nothing_is_left()
    until(lambda: leading() <= before)


def test_a_proof_holds_there_too(shelf: Book, engine: str) -> None:
    only = "start,isolation,ports,seccomp,capabilities"
    done = shelf("prove", apps.place("good"), "--engine", engine, "--network", "out", "--only", only)
    assert done.code == 0, done.stdout
    assert done.stdout.count("PASS") == 5


def test_without_the_program_it_is_refused(shelf: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shelf.environment, "PATH", path_without("podman", "slirp4netns"))
    done = shelf("run", apps.place("good"), "--network", "out")
    assert (done.code, done.stderr.count("error [no-way-out]")) == (4, 1), done.stderr
    assert "install slirp4netns" in done.stderr
    assert shelf.left() == []


@pytest.mark.parametrize("said", [TUN, ""], ids=["tun", "silent"])
def test_one_that_cannot_start_says_why(
    shelf: Book, engine: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "slirp4netns"
    noise = "WARNING: Support for seccomp is experimental"
    fake.write_text(f"#!/bin/sh\nprintf '%s\\n' '{noise}' '{said}' 'child failed(1)' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setitem(shelf.environment, "PATH", f"{tmp_path}:{os.environ['PATH']}")
    done = shelf("run", apps.place("good"), "--engine", engine, "--network", "out")
    assert (done.code, done.stderr.count("error [no-way-out]")) == (4, 1), done.stderr
    assert f"why    slirp4netns: {said or 'child failed(1)'}\n" in done.stderr, done.stderr
    shelf.until_nothing_is_left()


def test_a_runtime_that_lingers_needs_who_ends_it(tmp_path: Path) -> None:
    """busybox's tail knows no --pid: then there is no network, rather than one that stays."""
    need("busybox")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "tail").symlink_to(shutil.which("busybox") or "")
    hook = outward.hooks("/bin/false", str(tmp_path), lingers=True)["createRuntime"][0]
    done = subprocess.run([hook["path"], *hook["args"][1:]], env={"PATH": str(tools)}, check=False)
    assert done.returncode == 1
    assert outward.trouble(tmp_path).startswith("slirp4netns: tail: unrecognized option '--pid=")


@pytest.fixture(params=["with subordinate ids", "without"])
def user(request: pytest.FixtureRequest) -> Iterator[Stranger]:
    with stranger(subordinate=request.param != "without") as made:
        handed(Path(image().removeprefix("oci:").rpartition(":")[0]), made)
        yield made


#: A machine as udev makes it: /dev/net/tun is for all; and crun's: with one version of control groups.
OPEN = """
mount -t tmpfs none /mnt; mknod /mnt/tun c 10 200; chmod 666 /mnt/tun; mount --bind /mnt/tun /dev/net/tun; umount -l /mnt
umount /sys/fs/cgroup/unified 2>/dev/null
exec "$@"
"""


def test_an_ordinary_user_gets_out_by_runc(shelf: Book, engine: str, user: Stranger) -> None:
    need_no_chroot()
    before, layout = leading(), user.home / "layout"
    words = ("run", "-q", "--engine", engine, "--network", "out", f"oci:{layout}:reaches", "--", ELSEWHERE, "8000")
    done = run(shelf, "unshare", "--mount", "sh", "-c", OPEN, "sh", *user.wherry(*words))
    if engine == "runc":
        assert (done.code, "HTTP/1.0 200" in done.stdout) == (0, True), done.stderr
    else:
        assert (done.code, done.stderr.count("error [no-way-out]")) == (4, 1), done.stderr
        assert "next   --engine runc, or as root" in done.stderr
    until(lambda: leading() <= before)
