"""The machine and the tools in words: no paths, no names of the machine. Reads /proc; runs each tool's version command."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from pathlib import Path

from bench.apps import git
from bench.services import Engine, command
from bench.workshop import KO_VERSION, PROJECT, Workshop
from wherry import __version__


def facts(shop: Workshop) -> tuple[tuple[str, str], ...]:
    """Rows of what and how much, for the head of the report."""
    return (
        ("date", dt.datetime.now(dt.UTC).date().isoformat()),
        ("processor", f"{field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores"),
        ("memory", f"{round(int(field('/proc/meminfo', 'MemTotal').split()[0]) / (1 << 20))} GiB"),
        ("system", f"{platform.freedesktop_os_release().get('PRETTY_NAME', 'Linux')}, kernel {platform.release()}"),
        ("load before", " ".join(f"{one:.2f}" for one in os.getloadavg())),
        ("wherry", f"{__version__}, commit {commit()}, Python {platform.python_version()}"),
        ("Go", said(shop.go, "version").removeprefix("go version ")),
        ("ko", KO_VERSION),
        ("Docker", docker_version(shop.docker)),
        ("buildah", shop.buildah.absent or said(*shop.buildah.command[:1], "--version").partition("(")[0].split()[-1]),
        ("registry", said("docker-registry", "--version").split()[-1]),
    )


def field(file: str, name: str) -> str:
    """The first value called `name` in a file of `name: value` lines; `unknown` when there is none."""
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def commit() -> str:
    """Of wherry itself, and whether its own files differ from it."""
    changed = git(PROJECT, "status", "--porcelain", "--", "src")
    return git(PROJECT, "rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def docker_version(engine: Engine) -> str:
    return engine.absent or command(engine, "version", "--format", "{{.Server.Version}}")


def said(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
