"""What engines call an image without a host. A name in, a name out; touches nothing."""

from __future__ import annotations


def podman_name(name: str) -> str:
    """As podman names what was built here: without a host it is `localhost`'s."""
    host, slash, _ = name.partition("/")
    return name if slash and ("." in host or ":" in host or host == "localhost") else f"localhost/{name}"
