"""Somebody who is logged in. A host in, files of credentials and a registry that wants them out; touches the folder."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.support.images import random_image
from tests.support.ports import ports
from wherry.model.image import Published
from wherry.store import place as places
from wherry.store.keeper import Ports
from wherry.store.places import at

USER, PASSWORD = "ada", "canary-pa55word"
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
#: The password by bcrypt, as docker-registry wants it.
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuGlt3abs/NBL6/YsWcJsZCgI4m0U5Jpq\n"


def htpasswd(folder: Path) -> str:
    """docker-registry's configuration for this one user."""
    (folder / "htpasswd").write_text(HTPASSWD)
    return f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}"


def config(folder: Path, *hosts: str, **members: object) -> Path:
    """A folder with a config.json that knows USER at these hosts; `members` are added to it."""
    made = folder / "docker"
    made.mkdir(exist_ok=True)
    (made / "config.json").write_text(json.dumps({"auths": {host: {"auth": PAIR} for host in hosts}, **members}))
    return made


def logged_in(folder: Path, *hosts: str, **members: object) -> Ports:
    """Ports of somebody who is USER at these hosts."""
    return ports(folder, DOCKER_CONFIG=str(config(folder, *hosts, **members)))


def push(folder: Path, reference: str, machine: Ports, *, seed: int = 1) -> Published:
    return at(places.parse(f"docker://{reference}"), machine).publish(random_image(folder / "layers", seed=seed))


def pulled(reference: str, machine: Ports) -> str:
    """The digest of what is there, every byte of it read."""
    keeper = at(places.parse(f"docker://{reference}"), machine)
    stored = keeper.open()
    for image in stored.images:
        for layer in image.layers:
            assert sum(map(len, keeper.blob(layer))) == layer.size
    return str(stored.descriptor.digest)


def helper(folder: Path, name: str, script: str) -> str:
    """A PATH with docker-credential-NAME, a shell script, in front."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{folder}/bin:/usr/bin:/bin"
