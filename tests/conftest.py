"""The same machine for every test: this process's environment in, one without the user's habits out; changes os.environ."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.examples import Build, build

#: Where modules and compiled packages come from is the machine's; every other Go setting is the test's.
GO_KEPT = [
    *("GOCACHE", "GOMODCACHE", "GOPATH", "GOTOOLCHAIN"),
    *("GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE"),
]
DROPPED = [
    *("GOFLAGS", "GOOS", "GOARCH", "GOENV", "GOWORK", "GOEXPERIMENT", "CGO_ENABLED"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE"),
    *("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONPATH"),
]
AUTHOR = {"NAME": "Ada Example", "EMAIL": "ada@example.com", "DATE": "2026-01-02T03:04:05Z"}


@pytest.fixture(scope="session", autouse=True)
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty home, no user's or system's git, Go and Docker settings; Go's caches stay shared, or nothing would be quick."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in go_settings().items():
            patch.setenv(name, value)
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        patch.setenv("GO_TOOL_CACHE", str(Path(caches, "wherry-dev")))  # scripts/go-tool
        for name in [*DROPPED, *(name for name in os.environ if name.startswith(("GIT_", "WHERRY_")))]:
            if name not in ("GIT_SSL_CAINFO", "WHERRY_ORACLES", "WHERRY_GOLDEN", "WHERRY_MOUNTS"):
                patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for key, value in AUTHOR.items():
            patch.setenv(f"GIT_AUTHOR_{key}", value)
            patch.setenv(f"GIT_COMMITTER_{key}", value)
        hear_again()
        yield


def hear_again() -> None:
    """Signals that whoever began this ignores (nohup, a shell's job in the background) would be ignored by every child, too, and
    a shell cannot trap them (signal(7), sh(1))."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def go_settings() -> dict[str, str]:
    """The settings of GO_KEPT that are not empty; none where there is no Go."""
    go = shutil.which("go")
    if go is None:
        return {}
    done = subprocess.run([go, "env", *GO_KEPT], capture_output=True, text=True, check=True, cwd="/")
    return {name: value for name, value in zip(GO_KEPT, done.stdout.splitlines(), strict=True) if value}


def pytest_configure() -> None:
    """No example fails by its time: a busy machine is no slow program."""
    patient = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.register_profile("patient", patient)
    hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Second opinions are asked for only by ./test --oracles."""
    if os.environ.get("WHERRY_ORACLES") == "1":
        return
    for item in items:
        if item.get_closest_marker("oracle"):
            item.add_marker(pytest.mark.skip(reason="a slow second opinion: ./test --oracles"))


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds a folder of examples/ by name, each once a session."""
    return functools.cache(lambda name: build(name, tmp_path_factory.mktemp(name)))
