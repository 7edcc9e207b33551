"""What the program may write to, and the files that it is given. An application in, volumes, mounts and claims out; touches
nothing."""

from __future__ import annotations

from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.kubernetes import words
from wherry.kit.value import Value
from wherry.model.application import Application

SECRETS: Final = names.SECRETS
TEMPORARY: Final = "/tmp"  # noqa: S108 - a path in the container
VOLUME: Final = 1 << 30
"""Bytes that a cluster is asked for, for each volume that lasts."""
LOGS: Final = 256 << 20
"""Bytes of the node's disk for the container's output, which the kubelet cuts off and counts in."""


class Storage(Value, frozen=True, kw_only=True):
    """One volume of the pod and where the container has it."""

    volume: dict[str, Document]
    mount: dict[str, Document]


def storages(application: Application) -> tuple[Storage, ...]:
    """Scratch directories, volumes that last, then secrets."""
    runs = application.runs
    name = names.service(application)
    made = [_scratch(application, path) for path in _scratches(application)]
    for path in dict.fromkeys(runs.volumes):
        volume = {"name": words.slug(path), "persistentVolumeClaim": {"claimName": claim_name(name, path)}}
        made.append(Storage(volume=volume, mount=_mount(application, path)))
    if runs.secrets:
        made.append(_secrets(name, runs.secrets))
    return tuple(made)


def secret_name(name: str) -> str:
    """The Secret whose keys are files in /run/secrets."""
    return f"{name}-files"


def claim_name(name: str, path: str) -> str:
    """The claim for a volume."""
    return f"{name}-{words.slug(path)}"


def disk(application: Application) -> int:
    """Bytes of the node's disk that the pod may use: its scratch directories and its output."""
    return LOGS + names.SCRATCH * len(_scratches(application))


def claims(application: Application) -> tuple[tuple[str, Document], ...]:
    """Name and specification of each PersistentVolumeClaim."""
    specification: Document = {
        "accessModes": noted(
            ["ReadWriteOnce"], "For several copies: ReadWriteMany, and a storageClassName whose volumes can do that."
        ),
        "resources": {"requests": {"storage": words.quantity(VOLUME)}},
    }
    name = names.service(application)
    return tuple((claim_name(name, path), specification) for path in dict.fromkeys(application.runs.volumes))


def _scratches(application: Application) -> tuple[str, ...]:
    runs = application.runs
    kept = {*runs.volumes, *((SECRETS,) if runs.secrets else ())}
    paths = (TEMPORARY, *(one.path for one in application.scratches))
    return tuple(dict.fromkeys(path for path in paths if path not in kept))


def mounts(application: Application) -> Document:
    """`volumeMounts`; where a home is not among them, that is said."""
    made: list[Document] = [one.mount for one in storages(application)]
    home = application.runs.home
    if home is None or home in application.scratches:
        return made
    return noted(
        made, f"{home.path} stays read-only: an empty volume would hide what the image has there (image.assets)."
    )


def _mount(application: Application, path: str) -> dict[str, Document]:
    """Where an empty volume hides files of the image, that is said: no container could copy them without a shell."""
    inside = f"{path.rstrip('/')}/"
    hidden = [one.into for one in application.assets if f"{one.into.rstrip('/')}/".startswith(inside)]
    note = (
        f"It begins empty and hides what the image has in {', '.join(hidden)}: let those lie elsewhere (image.assets)."
    )
    return {"name": words.slug(path), "mountPath": noted(path, note) if hidden else path}


def _scratch(application: Application, path: str) -> Storage:
    size = {"sizeLimit": words.quantity(names.SCRATCH)}
    return Storage(volume={"name": words.slug(path), "emptyDir": size}, mount=_mount(application, path))


def _secrets(name: str, secrets: tuple[str, ...]) -> Storage:
    files = " ".join(f"--from-file={one}" for one in secrets)
    secret: Document = {
        "secretName": noted(
            secret_name(name), f"Not in these files. kubectl create secret generic {secret_name(name)} {files}"
        ),
        "defaultMode": noted(0o440, "0440: for the group of fsGroup"),
        "items": [{"key": one, "path": one} for one in secrets],
    }
    mount = {"name": words.slug(SECRETS), "mountPath": SECRETS, "readOnly": True}
    return Storage(volume={"name": words.slug(SECRETS), "secret": secret}, mount=mount)
