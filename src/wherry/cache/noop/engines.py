"""What decides which engine a build without a destination goes to, as inputs. Variables in, Inputs out; reads folders."""

from __future__ import annotations

import os
from collections.abc import Mapping

from wherry.cache.noop.inputs import Inputs, Tree

PODMAN = "podman"


def engine_inputs(variables: Mapping[str, str], podman: str) -> Inputs:
    """Docker's settings and contexts, podman's settings of storage, and where podman is (empty: nowhere). Whether an engine
    answers is an output's business (`DockerOutput`, `QuietSocket`)."""
    folder = variables.get("DOCKER_CONFIG") or f"{variables.get('HOME', '')}/.docker"
    contexts = f"{folder}/contexts/meta"
    return Inputs(
        paths=(f"{folder}/config.json", f"{folder}/contexts", contexts, *_storage(variables)),
        trees=(Tree(root=contexts),) if os.path.isdir(contexts) else (),
        programs=((PODMAN, podman),),
    )


def _storage(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The files that say where podman keeps images (containers-storage.conf(5))."""
    named = variables.get("CONTAINERS_STORAGE_CONF", "")
    own = f"{variables.get('HOME', '')}/.config/containers/storage.conf"
    files = (named, own, "/etc/containers/storage.conf", "/usr/share/containers/storage.conf")
    return tuple(file for file in files if file.startswith("/"))
