"""Image configurations (image-spec config.md; Docker's Healthcheck beside it). Bytes in, values out; touches nothing."""

from __future__ import annotations

import msgspec

from wherry.kit.value import Value
from wherry.oci.descriptor import Wire
from wherry.oci.digest import Digest

Flags = dict[str, dict[str, str]]
"""A set as the spec writes it: names to empty objects."""


class Healthcheck(Value, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """Docker's extension; times in nanoseconds. OCI engines ignore it."""

    test: tuple[str, ...] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    retries: int = 0


class RunConfig(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`config`: how a container of this image starts. Collections are None where a foreign image says null or nothing."""

    user: str = msgspec.field(default="", name="User")
    exposed_ports: Flags | None = msgspec.field(default=None, name="ExposedPorts")
    env: tuple[str, ...] | None = msgspec.field(default=None, name="Env")
    entrypoint: tuple[str, ...] | None = msgspec.field(default=None, name="Entrypoint")
    cmd: tuple[str, ...] | None = msgspec.field(default=None, name="Cmd")
    healthcheck: Healthcheck | None = msgspec.field(default=None, name="Healthcheck")
    volumes: Flags | None = msgspec.field(default=None, name="Volumes")
    working_dir: str = msgspec.field(default="", name="WorkingDir")
    labels: dict[str, str] | None = msgspec.field(default=None, name="Labels")
    stop_signal: str = msgspec.field(default="", name="StopSignal")


class RootFS(Wire, frozen=True, kw_only=True, rename=None, omit_defaults=False):
    diff_ids: tuple[Digest, ...]
    type: str = "layers"


class History(Value, frozen=True, kw_only=True, omit_defaults=True):
    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class Config(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An image configuration."""

    created: str = ""
    author: str = ""
    architecture: str
    os: str
    variant: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: tuple[str, ...] = msgspec.field(default=(), name="os.features")
    config: RunConfig | None = None
    rootfs: RootFS
    history: tuple[History, ...] | None = None
