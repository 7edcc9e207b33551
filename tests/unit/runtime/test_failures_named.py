"""Words of podman and runc that have a name of their own here."""

from __future__ import annotations

import pytest

from wherry.runtime.failures import failure

SAID = {
    "Error: OCI runtime error: crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2": (
        "hybrid-cgroups",
        "--engine runc",
    ),
    'exec failed: unable to start container process: exec: "/etc/passwd": permission denied': (
        "not-executable",
        "its mode must hold x: 0555",
    ),
    "exec /data/seed: permission denied": ("not-executable", "its mode must hold x: 0555"),
}


@pytest.mark.parametrize(("said", "means"), SAID.items())
def test_words_with_a_name(said: str, means: tuple[str, str]) -> None:
    error = failure(said)
    assert (error.name, error.next[0]) == means
    assert error.why
