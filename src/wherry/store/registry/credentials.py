"""Who we are to a registry. A host and repository in, credentials out; reads the files that hold them, asks helpers.

The first of these that knows the host counts (docs/reference/registries.md):
--authfile alone; else $REGISTRY_AUTH_FILE and $DOCKER_CONFIG/config.json, those that are set; else ~/.docker/config.json,
$XDG_RUNTIME_DIR/containers/auth.json and ~/.config/containers/auth.json.
The host must be equal to the letter, port included (D07). A helper that is named for it must answer (D06).
"""

from __future__ import annotations

import shlex
from pathlib import Path

from wherry.errors import UsageError
from wherry.oci.reference import DOCKER_HUB
from wherry.store.keeper import Ports
from wherry.store.registry import authfile, credential_helper
from wherry.store.registry.account import Credentials
from wherry.store.registry.authfile import AuthFile

HUB_KEYS = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")
HUB_SERVER = "https://index.docker.io/v1/"


def find(host: str, repository: str, ports: Ports) -> Credentials | None:
    """The credentials for `host`/`repository`, or None when there are none; UnavailableError [docker-config] or
    [credential-helper], UsageError [authfile]. Looked up once a run."""
    return ports.kept.credentials((host, repository), lambda: _find(host, repository, ports))


def files(ports: Ports) -> tuple[Path, ...]:
    """Where to look, in order; the first is where a login is written."""
    if ports.authfile:
        return (Path(ports.authfile),)
    folder = ports.variable("DOCKER_CONFIG")
    named = (ports.variable("REGISTRY_AUTH_FILE"), f"{folder}/config.json" if folder else "")
    if any(named):
        return tuple(Path(name) for name in named if name)
    home, runtime = ports.variable("HOME"), ports.variable("XDG_RUNTIME_DIR")
    own = ports.variable("XDG_CONFIG_HOME")
    config = own if own.startswith("/") else f"{home}/.config"
    podman = (f"{runtime}/containers/auth.json" if runtime else "", f"{config}/containers/auth.json")
    return tuple(Path(name) for name in (f"{home}/.docker/config.json", *podman) if name)


def server(host: str) -> str:
    """What Docker calls `host` in its files and to helpers."""
    return HUB_SERVER if host == DOCKER_HUB else host


def keys(host: str) -> tuple[str, ...]:
    """All the names of one registry: more than one for Docker Hub alone."""
    return HUB_KEYS if host in HUB_KEYS else (host,)


def helper_for(host: str, found: AuthFile) -> str:
    """The helper that keeps the credentials of `host`; empty when the file itself does. One for the host, be it empty, is over
    that for all."""
    known = keys(host)
    named = (name for key, name in found.cred_helpers.items() if host_of(key) in known)
    return next(named, found.creds_store)


def host_of(key: str) -> str:
    """The host of a key: `https://HOST/v1/`, `HOST`, `HOST/team/app`."""
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def path_of(key: str) -> str:
    """What a key is narrowed to, or empty; `v1` and `v2` are no paths (Docker writes them)."""
    path = key.removeprefix("https://").removeprefix("http://").partition("/")[2].strip("/")
    return "" if path in ("v1", "v2") else path


def _find(host: str, repository: str, ports: Ports) -> Credentials | None:
    if ports.authfile and not Path(ports.authfile).is_file():
        raise UsageError(
            "authfile",
            "the file that --authfile names is not there",
            where=ports.authfile,
            next=(
                "name a file like Docker's config.json",
                f"wherry registry login {shlex.quote(host)} --authfile FILE",
            ),
        )
    for path in files(ports):
        found = authfile.read(path)
        named = any(host_of(key) in keys(host) and name for key, name in found.cred_helpers.items())
        asked = helper_for(host, found)
        answer = credential_helper.get(asked, server(host), ports) if asked else None
        if answer is None and not named:
            answer = _from_auths(found, host, repository, path)
        if answer is not None or named:
            return answer
    return None


def _from_auths(found: AuthFile, host: str, repository: str, path: Path) -> Credentials | None:
    """The entry with the longest path that `repository` lies in."""
    known = keys(host)
    best: tuple[int, authfile.Entry] | None = None
    for key, entry in found.auths.items():
        scope = path_of(key)
        inside = not scope or repository == scope or repository.startswith(f"{scope}/")
        if host_of(key) in known and inside and (best is None or len(scope) > best[0]):
            best = (len(scope), entry)
    return authfile.credentials(best[1], path) if best else None
