"""H06: Ctrl-C, SIGTERM and SIGHUP at many moments of a build. It ends soon, leaves no child, and the next run is right."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import examples
from tests.support.cli import COMMAND, variables, wherry
from tests.support.refusals import leftovers
from tests.support.registry import fake_registry
from tests.support.runbook import until
from tests.support.tools import need
from wherry.cli.signals import ECHO
from wherry.runtime.look import hears

pytestmark = pytest.mark.e2e

MOMENTS = 10
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MAIN = "package main\n\nfunc main() {{ println({}) }}\n"


def source(root: Path, number: int) -> None:
    (root / "main.go").write_text(MAIN.format(number))


def repository(root: Path) -> Path:
    root.mkdir()
    (root / "go.mod").write_text("module example.com/app\n\ngo 1.24\n")
    source(root, 0)
    return examples.commit(root)


def children_of(home: Path) -> list[str]:
    """Processes started for this home: every child of wherry gets HOME."""
    marker = f"HOME={home}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def struck(*numbers: signal.Signals, moment: float, place: str, root: Path) -> tuple[int, str]:
    """Exit code and words of a build to `place` that gets the signals, one soon after the other, `moment` seconds after its
    interpreter has begun to run wherry: before that, it is Python that says what an interrupt is."""
    child = subprocess.Popen(
        [*COMMAND, "build", "-o", place], cwd=root, env=variables(root.parent / "home"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: hears(child.pid, signal.SIGTERM) or child.poll() is not None)
    time.sleep(moment)
    began = time.monotonic()
    for number in numbers:
        child.send_signal(number)
        time.sleep(1.2 * ECHO)
    _, said = child.communicate(timeout=120)
    assert time.monotonic() - began < 30
    return child.returncode, said


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A repository that was built once, so that only its own package is compiled in each run."""
    need("go", "git")
    root = repository(tmp_path / "app")
    assert wherry("build", "-o", f"oci:{tmp_path}/home/out", home=tmp_path / "home", cwd=root).code == 0
    return root


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_h06_a_signal_at_any_moment(number: signal.Signals, times: int, app: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    chance = random.Random(f"{number} {times}")
    for attempt in range(1, MOMENTS + 1):
        source(app, attempt)
        code, said = struck(*[number] * times, moment=chance.uniform(0.0, 0.8), place=f"oci:{home}/out", root=app)
        assert "Traceback" not in said, said
        assert "error" not in said, said
        assert code in (130, 0, -number), said
        if code == 130:
            assert "interrupted" in said
        until(lambda: children_of(home) == [])  # a killed group needs a moment to be taken from the process table
    assert leftovers(home) == []
    good(app, tmp_path)


def good(app: Path, tmp_path: Path) -> None:
    """The next run, over caches that saw every interrupt, equals one with fresh caches."""
    over = wherry("build", "-q", "-o", f"oci:{tmp_path}/home/out", home=tmp_path / "home", cwd=app)
    fresh = wherry("build", "-q", "-o", f"oci:{tmp_path}/fresh/out", home=tmp_path / "fresh", cwd=app)
    assert (over.code, over.stdout) == (0, fresh.stdout), over.stderr
    for place in ("home", "fresh"):
        inspected = wherry("inspect", f"oci:{tmp_path}/{place}/out:1.2.3-dirty", home=tmp_path / "home", cwd=app)
        assert inspected.code == 0, inspected.stderr


def test_h06_while_it_pushes(app: Path, tmp_path: Path) -> None:
    """The tag moves last: after each interrupt the registry has the old image or the whole new one."""
    home = tmp_path / "home"
    with fake_registry() as registry:
        name = f"{registry.host}/team/app:1"
        assert wherry("build", "-o", f"docker://{name}", home=home, cwd=app).code == 0
        chance = random.Random(6)
        for attempt in range(1, MOMENTS + 1):
            source(app, 100 + attempt)
            _, said = struck(signal.SIGINT, moment=chance.uniform(0.0, 0.8), place=f"docker://{name}", root=app)
            assert "Traceback" not in said
            pulled = wherry("inspect", f"docker://{name}", home=home, cwd=app)
            assert pulled.code == 0, pulled.stderr


IN_A_CALLBACK = """
import os, signal, time
from wherry.cli.signals import hear

class Callback:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

def slow(timer):
    waits = iter([0.1])
    return lambda *words: (timer(*words), time.sleep(next(waits, 0)))

hear()
try:
    Callback()
    time.sleep(90)
except KeyboardInterrupt:
    print("ended")
"""


@pytest.mark.parametrize("slow", ["", "import signal; signal.setitimer = slow(signal.setitimer)"])
def test_h06_an_interrupt_inside_a_callback_of_the_interpreter_is_not_lost(slow: str) -> None:
    """Also where the machine takes longer for the callback than is waited for it."""
    program = IN_A_CALLBACK.replace("hear()\ntry", f"{slow}\nhear()\ntry")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
