"""A file that wherry writes for people to keep. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.application import Pin


class File(Value, frozen=True, kw_only=True):
    """One generated file, before the line that says how it was made and before what its readers keep in it."""

    path: str
    """Relative to `Application.home`: `Dockerfile`, `deploy/base/deployment.yaml`."""
    text: str
    """Ends with a newline."""
    executable: bool = False
    comment: str = "#"
    """What begins a comment line: `#`, `//`; empty where a format has none (JSON): such a file travels with its neighbours."""
    pins: tuple[Pin, ...] = ()
    """The images that it names as one can pull them: with their digests, where these are known."""
    once: bool = False
    """Written where there is none, then its reader's: no first line, and never made anew."""


class Choice(Value, frozen=True, kw_only=True):
    """What was asked for, as the command line says it; the first line of each file repeats it, so that a file says itself how it
    is made anew."""

    what: str
    """A row of `generate/table.py`: dockerfile, compose, kubernetes ..."""
    variant: str = ""
    """Of that: `alpine`, `dev`, `kustomize`, `github`; empty where there is but one."""
    extras: tuple[str, ...] = ()
    """Names of switches, sorted: `ingress`, `syntax`."""
    digest: str = ""
    """sha256:... of the published image, for what names it; only where one image is meant."""
    release: str = ""
    """The version that the files deploy; told once, so that a tag makes no file stale."""
    packages: tuple[str, ...] = ()
    """Which mains, as the user named them; empty: what wherry.toml says, or the only one."""
