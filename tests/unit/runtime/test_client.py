"""docker and podman asked about a container's process, by an engine that says what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wherry.errors import WherryError
from wherry.kit.ports import Child, Command, Completed
from wherry.runtime import client
from wherry.runtime.folders import Place
from wherry.runtime.oci import Runtime, Streams

NOWHERE = 1 << 22
"""Above the largest process id."""


def started(folder: Path, engine: Callable[[float], tuple[str, int | None]], patch: pytest.MonkeyPatch) -> Child:
    """`engine`: seconds since the start in; what `inspect` says and the exit code of `run` out. Each question takes a second."""
    (folder / client.COMMAND).write_text('["run"]')
    passed = [0.0]
    patch.setattr(client, "time", SimpleNamespace(monotonic=lambda: passed[0]))

    def run(_: Command, /) -> Completed:
        passed[0] += 1.0
        return Completed(code=0, stdout=f"id {engine(passed[0])[0]} false".encode())

    child = SimpleNamespace(pid=1, wait=lambda _: engine(passed[0])[1])
    runtime: Any = SimpleNamespace(
        name="docker", program="/usr/bin/docker", environment=(), run=run, spawn=lambda *_, **__: child
    )
    place: Any = SimpleNamespace(path=folder, bundle=folder, id="x")
    return client.start(cast("Runtime", runtime), cast("Place", place), Streams())


def test_an_end_that_is_told_late_is_no_other_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is gone, and a busy engine says for seconds that it runs."""
    child = started(
        tmp_path, lambda seconds: (f"running {NOWHERE}", None) if seconds < 8 else ("exited 0", 3), monkeypatch
    )
    assert child.wait(0.0) == 3


def test_a_process_that_is_never_found_is_another_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WherryError) as caught:
        started(tmp_path, lambda _: (f"running {NOWHERE}", None), monkeypatch)
    assert caught.value.name == "remote-engine"
