"""What the kernel says of a started container, against what was decided."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from wherry.flows.held import reduced
from wherry.model.container import Container, User
from wherry.model.observation import Identity
from wherry.oci.platform import Platform

HELD = Identity(
    uid=65532, gid=65532, groups=(), host_uid=65532, no_new_privileges=True, seccomp=2,
    capabilities=(("CapEff", 0), ("CapBnd", 0)), namespaces=("cgroup", "ipc", "mnt", "net", "pid", "uts"),
)  # fmt: skip
DECIDED = Container(
    name="x", image="x", platform=Platform(architecture="amd64"), arguments=("/x",), user=User(uid=65532, gid=65532)
)


def test_what_is_held_as_decided_is_no_difference() -> None:
    assert reduced(DECIDED, HELD) == ()
    assert reduced(DECIDED, replace(HELD, namespaces=None)) == (), "hidden from an ordinary user is not shared"
    assert reduced(replace(DECIDED, capabilities=("CAP_CHOWN",)), replace(HELD, capabilities=(("CapEff", 1),))) == ()
    assert reduced(replace(DECIDED, seccomp="unconfined"), replace(HELD, seccomp=0)) == ()
    assert (
        reduced(replace(DECIDED, network="host"), replace(HELD, namespaces=("cgroup", "ipc", "mnt", "pid", "uts")))
        == ()
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"uid": 0}, "uid 0"),
        ({"no_new_privileges": False}, "no-new-privileges"),
        ({"seccomp": 0}, "seccomp"),
        ({"capabilities": (("CapBnd", 1 << 10),)}, "CapBnd holds NET_BIND_SERVICE"),
        ({"namespaces": ("cgroup", "ipc", "mnt", "pid", "uts")}, "net namespace"),
        ({"namespaces": ("ipc", "mnt", "net", "pid", "uts")}, "cgroup namespace"),
    ],
)
def test_each_hardening_that_is_not_there_is_named(change: dict[str, object], said: str) -> None:
    (found,) = reduced(DECIDED, replace(HELD, **change))
    assert said in found
