"""The generated Go package: vetted, raced and linted as users get it, and put into a main as the documentation says."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.analysis import facts, look
from tests.support.applications import API, JOBS
from tests.support.cli import Done, wherry
from tests.support.containers import Engine
from tests.support.examples import commit, repository
from tests.support.runbook import PATIENCE, until
from tests.support.servers import free_port, need_root
from tests.support.tools import go_tool, need
from wherry.generate.container_test.files import files as container_test
from wherry.generate.header import Command, headed
from wherry.generate.health.files import files as health
from wherry.model.application import Application
from wherry.model.file import Choice

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("health-package")]

PAGE = Path(__file__).parents[2] / "docs/generate/health.md"
TLS = replace(API, runs=replace(API.runs, tls=True))
SILENT = replace(API, runs=replace(API.runs, ports=(), health=None, backing=()))
APPLICATIONS = [API, JOBS, TLS, SILENT]
NAMES = ["api", "jobs", "tls", "no-port"]


def block(language: str) -> str:
    """The page's first block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


def module(application: Application, folder: Path) -> Path:
    """A module with both packages and nothing else."""
    for what, write in (("health", health), ("container-test", container_test)):
        command = Command(choice=Choice(what=what))
        for file in write((application,), command.choice):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(headed(file, command))
    (folder / "go.mod").write_text(f"module {application.sources.module}\n\ngo 1.21\n")
    return folder


def go(folder: Path, *words: str, program: str = "go") -> str:
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("application", APPLICATIONS, ids=NAMES)
def test_vet_and_staticcheck_have_nothing_to_say(application: Application, tmp_path: Path) -> None:
    need("go")
    checker = go_tool("honnef.co/go/tools@v0.8.2", "honnef.co/go/tools/cmd/staticcheck")
    folder = module(application, tmp_path)
    for tags in ("", "container"):
        assert go(folder, "vet", f"-tags={tags}", "./...") == ""
        assert go(folder, f"-tags={tags}", "-checks=all", "./...", program=checker) == ""


@pytest.mark.slow
@pytest.mark.parametrize("application", [API, TLS], ids=["api", "tls"])
def test_its_own_tests_pass_without_a_race(application: Application, tmp_path: Path) -> None:
    need("go", "gcc")
    assert "ok " in go(module(application, tmp_path), "test", "-race", "-count=1", "./internal/health")


@pytest.mark.oracle
def test_it_compiles_with_the_oldest_go_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("go")
    monkeypatch.setenv("GOTOOLCHAIN", "go1.21.13")
    folder = module(API, tmp_path)
    assert "go1.21.13" in go(folder, "version")
    assert "ok " in go(folder, "test", "-count=1", "./internal/health")
    go(folder, "vet", "-tags=container", "./...")


def ran(*words: str | Path, cwd: Path) -> Done:
    done = wherry(*words, home=cwd.parent / "home", cwd=cwd, WHERRY_OFFLINE="1")
    assert done.code == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """examples/http-api with the page's main, as a repository."""
    need("go", "git")
    folder = tmp_path_factory.mktemp("wired")
    folder.chmod(0o755)
    root = repository("http-api", folder)
    ran("generate", "health", cwd=root)
    (root / "main.go").write_text(block("go"))
    ran("generate", cwd=root)
    return commit(root, tag="v1.2.4")


def test_the_page_is_gofmted(wired: Path) -> None:
    assert go(wired, "-l", "main.go", program="gofmt") == ""
    assert go(wired, "vet", "./...") == ""


def test_what_is_wired_is_found(wired: Path) -> None:
    """The example has /healthz and /readyz already, so the package answers there; nothing else is found than before."""
    (main,) = look(wired).mains
    assert list(facts(main, "health-route")) == ["/healthz"]
    assert list(facts(main, "readiness-route")) == ["/readyz"]
    assert facts(main, "graceful-stop") == {"shutdown": "main.go:25"}
    assert facts(main, "health-command") == {"health": "main.go:22"}
    assert list(facts(main, "port")) == ["8080"]
    assert {one.value: one.certainty for one in main.inferred if one.kind == "drain"} == {"10": "found"}
    assert facts(main, "tls") == {}, "asking itself is no client that needs authorities"
    ran("generate", "--check", cwd=wired)


@contextlib.contextmanager
def serving(root: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """The program on a free port."""
    port = free_port()
    source = root / "main.go"
    text = source.read_text()
    try:
        source.write_text(text.replace('":8080"', f'"127.0.0.1:{port}"'))
        go(root, "build", "-o", str(folder / "app"), "-ldflags=-X main.version=9.8.7", ".")
    finally:
        source.write_text(text)
    with subprocess.Popen([folder / "app"], stderr=subprocess.DEVNULL) as child:
        try:
            yield child, port, folder / "app"
        finally:
            child.kill()


def ask(port: int, path: str, method: str = "GET") -> tuple[int, Any]:
    """Status and document; 0 where nobody answers."""
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    except OSError:
        return 0, None
    return status, json.loads(body) if body.startswith(b"{") else body


def told_after_ready(port: int) -> tuple[int, Any]:
    """The first answer to who asks for readiness that is another one."""
    end = time.monotonic() + PATIENCE
    while (told := ask(port, "/readyz"))[0] == 200:
        assert time.monotonic() < end, "it stays ready"
        time.sleep(0.02)
    return told


def test_it_answers_and_drains(wired: Path, tmp_path: Path) -> None:
    with serving(wired, tmp_path) as (child, port, program):
        until(lambda: ask(port, "/healthz")[0] != 0 or child.poll() is not None)
        assert ask(port, "/healthz") == (200, {"status": "alive"})
        assert ask(port, "/readyz") == (200, {"status": "ready", "checks": {"clock": {"status": "ok"}}})
        assert ask(port, "/startupz") == (200, {"status": "started"})
        assert ask(port, "/version")[1]["version"] == "9.8.7"
        assert ask(port, "/healthz", "POST")[0] == 405
        assert ask(port, "/nowhere")[0] == 404
        assert subprocess.run([program, "health"], check=False).returncode == 0
        child.terminate()
        assert told_after_ready(port) == (503, {"status": "not ready", "reason": "draining"})
        assert ask(port, "/healthz")[0] == 200, "draining is no reason for a restart"
        assert child.wait(PATIENCE) == 0
        done = subprocess.run([program, "health"], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "connection refused" in done.stderr


@pytest.mark.xdist_group("prove")
def test_it_is_proved_ready_and_to_drain(wired: Path) -> None:
    need("runc")
    need_root()
    toml = '[prove]\nslow-route = "/slow"\nready-route = "/readyz"\n'
    (wired / "wherry.toml").write_text(toml)
    try:
        done = ran("prove", ".", "--only=start,health,ready,drain", "--json", cwd=wired)
    finally:
        (wired / "wherry.toml").unlink()
    verdicts = {row["check"]: row for row in json.loads(done.stdout)["verdicts"]}
    assert {name: row["outcome"] for name, row in verdicts.items()} == dict.fromkeys(
        ("start", "health", "ready", "drain"), "PASS"
    ), verdicts


def built(wired: Path, folder: Path, *words: str) -> None:
    """The image with the page's settings, where `words` say."""
    (wired / "wherry.toml").write_text(block("toml"))
    try:
        ran("build", *words, "--output", f"docker-archive:{folder}/image.tar", cwd=wired)
    finally:
        (wired / "wherry.toml").unlink()


@pytest.mark.xdist_group("docker")
def test_a_healthcheck_by_the_programs_own_command(wired: Path, tmp_path: Path, docker: Engine) -> None:
    built(wired, tmp_path, "-t", "wired:1")
    docker("load", "--input", str(tmp_path / "image.tar"))
    assert json.loads(docker("inspect", "--format={{json .Config.Healthcheck.Test}}", "wired:1")) == [
        "CMD", "/app/http-api", "health",
    ]  # fmt: skip
    hardened = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--health-interval=1s")
    with docker.running("wired:1", *hardened) as container:
        assert health_of(docker, container, "healthy") == "0"
    with docker.running("wired:1", *hardened, "--health-retries=1", words=("health",)) as container:
        assert docker("wait", container) == "1", "nobody listens there, and 2 is Docker's own"


def health_of(docker: Engine, container: str, wanted: str) -> str:
    """Waits for the state; the exit status of the last check."""
    with contextlib.suppress(AssertionError):  # the state says more
        until(lambda: docker("inspect", "--format={{.State.Health.Status}}", container) == wanted)
    state = json.loads(docker("inspect", "--format={{json .State.Health}}", container))
    assert state["Status"] == wanted, state
    return str(state["Log"][-1]["ExitCode"])
