"""Containers under each engine. An engine's name and options in, a running container and what the kernel says of it out.

The program in the image is a few lines of C that do what their first argument says.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import apps, odd_apps, servers
from tests.support.ports import ports
from tests.support.programs_in_c import compiled
from wherry.flows import attend
from wherry.flows.container import Made, RunRequest, make, placed
from wherry.flows.followed import Followed
from wherry.flows.live import Log
from wherry.flows.session import Session
from wherry.kit.ports import Machine
from wherry.model.container import Container, Options
from wherry.model.image import Built
from wherry.oci.tar import Entry
from wherry.runtime import engines
from wherry.runtime.folders import Place
from wherry.runtime.kernel_log import KernelLog
from wherry.store import place as places
from wherry.store.places import at
from wherry.system.machine import real_machine

SOURCE = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void stop(int number) { (void)number; _exit(7); }
int main(int argc, char **argv) {
  char host[256] = "";
  const char *what = argc > 1 ? argv[1] : "wait";
  if (!strcmp(what, "exit")) { fprintf(stderr, "going\n"); return atoi(argv[2]); }
  if (!strcmp(what, "read")) {
    FILE *file = fopen(argv[2], "r");
    if (!file || !fgets(host, sizeof host, file)) return 3;
    fputs(host, stdout);
    return 0;
  }
  if (!strcmp(what, "eat")) for (;;) { memset(malloc(1 << 20), 1, 1 << 20); usleep(500); }
  signal(SIGTERM, strcmp(what, "stay") ? stop : SIG_IGN);
  gethostname(host, sizeof host);
  printf("host %s\n", host);
  fflush(stdout);
  for (;;) pause();
}
"""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One engine on this machine, its containers in a folder of their own."""

    engine: str
    machine: Machine
    patch: pytest.MonkeyPatch

    def made(self, place: str, options: Options = Options()) -> Made:  # noqa: B008 - immutable
        """What wherry decides for the image at `place`."""
        with Session(self.machine) as session:
            return make(RunRequest(subject=place, options=options, engine=self.engine), self.machine, session)

    @contextlib.contextmanager
    def started(self, place: str, options: Options = Options()) -> Iterator[Running]:  # noqa: B008
        """A container that runs until the block ends."""
        made, log = self.made(place, options), Log()
        with contextlib.ExitStack() as held:
            ready = held.enter_context(placed(made, self.machine))
            kernel = held.enter_context(contextlib.closing(KernelLog()))
            streams = held.enter_context(attend.pipes(log.write))
            child = engines.start(ready.runtime, ready.place, streams)
            streams.close()
            followed = Followed(child, ready.place, self.machine.kill)
            one = attend.Attended(
                container=ready.container, place=ready.place, runtime=ready.runtime, child=followed, log=kernel
            )
            try:
                yield Running(one=one, log=log, machine=self.machine)
            finally:
                engines.delete(ready.runtime, ready.place)
                assert child.wait(PATIENCE) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One that runs, or has run."""

    one: attend.Attended
    log: Log
    machine: Machine

    @property
    def container(self) -> Container:
        return self.one.container

    @property
    def place(self) -> Place:
        return self.one.place

    @property
    def pid(self) -> int:
        return self.one.place.pid()

    def said(self, text: str) -> str:
        """Its output, once `text` is in it."""
        end = time.monotonic() + PATIENCE
        while text not in self.log.text() and time.monotonic() < end:
            time.sleep(0.005)
        assert text in self.log.text()
        return self.log.text()


@contextlib.contextmanager
def case(engine: str, folder: Path) -> Iterator[Case]:
    """The engine `engine` with a daemon or storage of its own where it has one; needs root."""
    servers.need_root()
    folder.chmod(0o755)
    with contextlib.ExitStack() as held:
        patch = held.enter_context(pytest.MonkeyPatch.context())
        open_to_others = held.enter_context(servers.short_folder())  # or root would have no user namespace
        open_to_others.chmod(0o711)
        patch.setenv("WHERRY_RUN_DIR", str(open_to_others / "run"))
        for name in ("CACHE", "DATA"):
            patch.setenv(f"WHERRY_{name}_DIR", str(folder / name.lower()))
        if engine == "docker":
            patch.setenv("DOCKER_HOST", held.enter_context(servers.dockerd()))
        elif engine == "podman":
            for name, value in held.enter_context(servers.podman()).items():
                patch.setenv(name, value)
        yield Case(engine=engine, machine=real_machine(), patch=patch)


@functools.cache
def image() -> str:
    """The place of the image with the program of SOURCE, and a folder and a file that are its user's and nobody else's."""
    folder = apps.session_folder() / "contained"
    (folder / "layers").mkdir(parents=True)
    program = compiled(folder / "does", SOURCE, "-static")
    tree = odd_apps.tree(
        Entry(path="app/does", mode=0o555, content=program.read_bytes()),
        Entry(path="data", kind="directory", mode=0o750, uid=65532, gid=65532),
        Entry(path="data/seed", mode=0o640, content=b"sown\n", uid=65532, gid=65532),
        Entry(path="etc/key", mode=0o400, content=b"turned\n", uid=65532, gid=65532),
    )
    fault = odd_apps.Fault(
        base="hello", archives=(tree,), config={"entrypoint": ("/app/does",), "cmd": ("wait",), "env": ("A=image",)}
    )
    made = odd_apps.changed(apps.made("hello").image, fault, folder / "layers")
    where = f"oci:{folder}/layout:does"
    at(places.parse(where), ports(folder)).publish(Built(name="does", version="1", content=made))
    return where
