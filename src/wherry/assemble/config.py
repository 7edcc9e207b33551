"""The image configuration. A plan, its base and layers in, a config document out; touches nothing."""

from __future__ import annotations

import datetime as dt
from typing import Final

from wherry.model.base import Base
from wherry.model.image import Layer
from wherry.model.plan import Health, ImagePlan
from wherry.oci import media
from wherry.oci.config import Config, Healthcheck, History, RootFS, RunConfig
from wherry.oci.descriptor import Document, encode
from wherry.probe.elf import ARCHITECTURES

APP: Final = "app"
PROBE: Final = "wherry/probe"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECOND: Final = 1_000_000_000


def config_document(plan: ImagePlan, base: Base, layers: tuple[Layer, ...]) -> Document:
    """The config of one platform's image. Of a base it keeps the environment, the working directory and the history; all else
    is the plan's. `layers` are all layers, the base's first."""
    created = timestamp(plan.created)
    below = base.config
    run = below.config if below and below.config else RunConfig()
    config = Config(
        created=created,
        architecture=base.platform.architecture,
        os=base.platform.os,
        variant=base.platform.variant,
        os_version=base.platform.os_version,
        os_features=base.platform.os_features,
        config=RunConfig(
            user=plan.user,
            env=_environment(plan, run.env or ()),
            entrypoint=plan.entrypoint or (f"/{APP}/{plan.targets[0].name}",),
            cmd=plan.arguments or None,
            working_dir=plan.working_directory or run.working_dir or "/",
            exposed_ports={port: {} for port in plan.ports} or None,
            volumes={volume: {} for volume in plan.volumes} or None,
            labels=dict(plan.labels) or None,
            stop_signal=plan.stop_signal,
            healthcheck=_healthcheck(plan.health, base.platform.architecture),
        ),
        rootfs=RootFS(diff_ids=tuple(layer.diff_id for layer in layers)),
        history=_history(below, base.layers, layers, created),
    )
    media_type = media.DOCKER_CONFIG if plan.packing.format == "docker" else media.OCI_CONFIG
    return Document(media_type=media_type, data=encode(config))


def timestamp(seconds: int) -> str:
    """RFC 3339, in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_probe(health: Health | None, architecture: str) -> bool:
    """True when the image carries wherry's own health probe."""
    return health is not None and not health.command and architecture in ARCHITECTURES


def _environment(plan: ImagePlan, below: tuple[str, ...]) -> tuple[str, ...]:
    """The base's variables in their order, then the plan's, which win; PATH always, so that `docker exec` finds the program."""
    merged = dict(variable.partition("=")[::2] for variable in below)
    path = merged.get("PATH", PATH)
    merged = {"PATH": f"{path}:/{APP}", **{name: value for name, value in merged.items() if name != "PATH"}}
    merged |= dict(plan.environment)
    return tuple(f"{name}={value}" for name, value in merged.items())


def _healthcheck(health: Health | None, architecture: str) -> Healthcheck | None:
    """In OCI configs too: Docker reads it there, and others pass over what they do not know (considerations.md#extensibility)."""
    if health is None or not (health.command or has_probe(health, architecture)):
        return None
    return Healthcheck(
        test=("CMD", *health.words(f"/{PROBE}")),
        interval=round(health.interval * _SECOND),
        timeout=round(health.timeout * _SECOND),
        start_period=round(health.start_period * _SECOND),
        retries=health.retries,
    )


def _history(
    below: Config | None, base_layers: tuple[Layer, ...], layers: tuple[Layer, ...], created: str
) -> tuple[History, ...]:
    """One entry a layer, as engines expect; the base's own where it accounts for just its layers."""
    kept = (below.history or ()) if below else ()
    if sum(not entry.empty_layer for entry in kept) != len(base_layers):
        kept = tuple(History(created=created, created_by=layer.history) for layer in base_layers)
    ours = layers[len(base_layers) :]
    return (*kept, *(History(created=created, created_by=layer.history) for layer in ours))
