"""build.sh, run with a real Docker and a real registry."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import servers
from tests.support.applications import API
from tests.support.buildkit import client
from tests.support.examples import commit
from wherry.generate.build_script import files
from wherry.model.file import Choice

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]
DOCKERFILE = """FROM scratch AS test
COPY refused /

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL version="$VERSION" revision="$REVISION"
COPY main.go /main.go
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with servers.dockerd() as host:
        yield host


@pytest.fixture
def script(tmp_path: Path, engine: str) -> Any:
    """Runs build.sh of a repository whose commit is tagged v1.2.3."""
    root = tmp_path / "it"
    root.mkdir()
    (made,) = files((API,), Choice(what="build-script"))
    (root / "build.sh").write_text(made.text)
    (root / "Dockerfile").write_text(DOCKERFILE)
    (root / "main.go").write_text("package main\n")
    commit(root)
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs/docker").symlink_to(client())
    environment = {"PATH": f"{tmp_path}/programs:{os.environ['PATH']}", "HOME": str(tmp_path), "DOCKER_HOST": engine}

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(root / "build.sh"), *words]
        return subprocess.run(command, env=environment | more, capture_output=True, text=True, check=False)

    run.root = root  # type: ignore[attr-defined]
    return run


def config(registry: str, repository: str, tag: str) -> dict[str, Any]:
    """The image's configuration as the registry has it."""

    def get(path: str) -> Any:
        asking = urllib.request.Request(f"http://{registry}/v2/{repository}/{path}")
        asking.add_header("Accept", "application/vnd.docker.distribution.manifest.v2+json")
        with urllib.request.urlopen(asking, timeout=10) as answer:
            return json.load(answer)

    manifest = get(f"manifests/{tag}")
    found: dict[str, Any] = get(f"blobs/{manifest['config']['digest']}")["config"]
    return found


def test_what_is_committed_is_built_and_pushed_under_its_version(script: Any) -> None:
    with servers.docker_registry() as registry:
        done = script("--push", "--no-scan", IMAGE=f"{registry}/shop/api", WHERRY_OFFLINE="1")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{registry}/shop/api:1.2.3\n"
        labels = config(registry, "shop/api", "1.2.3")["Labels"]
        revision = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=script.root, capture_output=True, text=True, check=True
        )
        assert labels == {"version": "1.2.3", "revision": revision.stdout.strip()}


def test_a_changed_tree_is_built_and_not_pushed(script: Any) -> None:
    (script.root / "main.go").write_text("package main // changed\n")
    refused = script("--push", "--no-scan", IMAGE="127.0.0.1:1/shop/api")
    assert refused.returncode == 1
    assert "no commit describes these files" in refused.stderr
    built = script("-t", "api:changed")
    assert (built.returncode, built.stdout) == (0, "api:changed\n"), built.stderr


def test_a_stage_that_fails_fails_the_script(script: Any) -> None:
    done = script("--target", "test")
    assert done.returncode != 0
    assert done.stdout == ""


def test_without_an_engine_it_says_so(script: Any) -> None:
    done = script(DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 1
    assert done.stderr == "[ERROR] no Docker engine answers; `docker version` says why\n"
