"""What engines call an image without a host, and where they listen. A name in, a name out; touches nothing."""

from __future__ import annotations

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def podman_name(name: str) -> str:
    """As podman names what was built here: without a host it is `localhost`'s."""
    host, slash, _ = name.partition("/")
    return name if slash and ("." in host or ":" in host or host == "localhost") else f"localhost/{name}"
