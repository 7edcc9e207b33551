"""Observations for judges: a good container, and what is different about it in; an Observed out."""

from __future__ import annotations

from typing import Any

from wherry.model.container import Container, User
from wherry.model.observation import Identity, Observed
from wherry.oci.platform import Platform

CONTAINER = Container(
    name="app",
    image="app:1@sha256:0",
    platform=Platform(architecture="amd64"),
    arguments=("/app/app",),
    user=User(uid=65532, gid=65532),
    ports=("8080/tcp",),
)
IDENTITY = Identity(
    uid=65532,
    gid=65532,
    groups=(),
    host_uid=65532,
    capabilities=tuple((name, 0) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")),
    no_new_privileges=True,
    seccomp=2,
    namespaces=("cgroup", "ipc", "mnt", "net", "pid", "uts"),
)


def observed(container: Container = CONTAINER, /, **looks: Any) -> Observed:
    """What was seen of `container`; looks that are not said are Unseen."""
    return Observed(container=container, **looks)
