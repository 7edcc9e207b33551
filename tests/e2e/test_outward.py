"""`--network out`: a container's own network leads out from its program's first word, to servers and not to this machine's
loopback; what leads out ends with the container, whoever was killed."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, odd_apps
from tests.support.cli import COMMAND, Done, variables
from tests.support.ports import ports
from tests.support.programs import path_without
from tests.support.programs_in_c import compiled
from tests.support.runbook import Book, book, free_port, get, kill, until
from tests.support.tools import need
from wherry.model.image import Built
from wherry.oci.tar import Entry
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


def run(shelf: Book, *words: str) -> Done:
    """A `wherry run` on a machine with servers."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", MACHINE, "sh", *COMMAND, "run", "-q", *words],
        cwd=shelf.folder, env=variables(shelf.folder / "home", **shelf.environment), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


@pytest.mark.parametrize(
    ("network", "target", "reached"),
    [("out", (ELSEWHERE, "8000"), True), ("own", (ELSEWHERE, "8000"), False), ("out", ("10.0.2.2", "8001"), False)],
    ids=["out", "own", "loopback"],
)
def test_what_a_program_reaches_at_once(shelf: Book, network: str, target: tuple[str, str], reached: bool) -> None:
    before = leading()
    done = run(shelf, image(), "--engine", "runc", "--network", network, "--", *target)
    assert (done.code, "HTTP/1.0 200" in done.stdout) == ((0, True) if reached else (1, False)), done.stderr
    until(lambda: shelf.left() == [] and leading() <= before)  # the servers have its variables, too


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


def test_ports_lead_in_names_are_asked_and_it_ends_with_the_container(shelf: Book) -> None:
    port = free_port()
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "both", "--network", "out", "-p", f"{port}:8080")
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


def test_it_ends_where_everybody_was_killed(shelf: Book) -> None:
    """The next look clears away what a killed foreground run left."""
    process = shelf.popen("run", apps.place("good"), "--name", "killed", "--network", "out")
    until(lambda: bool(shelf.places()) and (shelf.places()[0] / "outward.pid").exists())
    until(lambda: shelf.containers()["killed"]["state"] == "running")
    pid = started(shelf, "killed")
    kill(process.pid)
    process.communicate()
    shelf("ps")
    until(lambda: pid not in leading() and shelf.left() == [])


def test_a_proof_holds_there_too(shelf: Book) -> None:
    done = shelf(
        "prove", apps.place("good"), "--network", "out", "--only", "start,isolation,ports,seccomp,capabilities"
    )
    assert done.code == 0, done.stdout
    assert done.stdout.count("PASS") == 5


def test_without_the_program_it_is_refused(shelf: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shelf.environment, "PATH", path_without("podman", "slirp4netns"))
    done = shelf("run", apps.place("good"), "--network", "out")
    assert (done.code, done.stderr.count("error [no-way-out]")) == (4, 1), done.stderr
    assert "install slirp4netns" in done.stderr
    assert shelf.left() == []


def test_crun_says_that_it_cannot(shelf: Book) -> None:
    need("crun")
    done = shelf("run", apps.place("good"), "--network", "out", "--engine", "crun")
    assert (done.code, done.stderr.count("error [no-way-out]")) == (4, 1), done.stderr
    assert "--engine runc" in done.stderr


def test_one_that_cannot_start_says_why(shelf: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "slirp4netns"
    fake.write_text("#!/bin/sh\necho 'open(\"/dev/net/tun\"): No such file or directory' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setitem(shelf.environment, "PATH", f"{tmp_path}:{os.environ['PATH']}")
    done = shelf("run", apps.place("good"), "--network", "out")
    assert (done.code, done.stderr.count("error [no-way-out]")) == (4, 1), done.stderr
    assert "/dev/net/tun" in done.stderr
    assert shelf.left() == []
