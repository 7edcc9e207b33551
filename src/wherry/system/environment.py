"""The process environment, read once. `os.environ` in, an Environment out; reads the user database when HOME is missing."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Final

from wherry.kit.gonames import SETTINGS
from wherry.kit.ports import Environment

#: What every child may have beside PATH. No locale: what Go and git say is read, so it is said in English.
CHILD: Final = frozenset(
    (
        *("USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "CURL_CA_BUNDLE"),
    )
)
#: What opens private modules: the user's agent, helpers and git settings.
PRIVATE: Final = frozenset(
    (
        "SSH_AUTH_SOCK",
        "NETRC",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_COUNT",
    )
)
PRIVATE_PREFIXES: Final = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
OFF: Final = ("", "0", "false", "no", "off")


def environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """What wherry honours of `variables`. Empty ones count as not set (as Go, NO_COLOR and XDG say); relative XDG
    folders are ignored."""
    known = {name: value for name, value in variables.items() if value and "\0" not in value}
    home = known.get("HOME", "") or _home()
    offline = known.get("WHERRY_OFFLINE", "").lower() not in OFF
    return Environment(
        home=home,
        path=known.get("PATH", ""),
        cache_home=_folder(known, "XDG_CACHE_HOME", home, ".cache"),
        config_home=_folder(known, "XDG_CONFIG_HOME", home, ".config"),
        data_home=_folder(known, "XDG_DATA_HOME", home, ".local/share"),
        source_date_epoch=known.get("SOURCE_DATE_EPOCH", ""),
        docker_host=known.get("DOCKER_HOST", ""),
        docker_config=known.get("DOCKER_CONFIG", ""),
        no_color="NO_COLOR" in known,
        ci=known.get("CI", "").lower() not in OFF,
        wherry=tuple(sorted((name, value) for name, value in known.items() if name.startswith("WHERRY_"))),
        offline=offline,
        go=_chosen({**known, "GOPROXY": "off"} if offline else known, SETTINGS),
        child=_chosen({**known, "HOME": home}, CHILD | {"HOME"}),
        private=_chosen(known, PRIVATE | {name for name in known if name.startswith(PRIVATE_PREFIXES)}),
    )


def _chosen(known: Mapping[str, str], names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in known.items() if name in names))


def _folder(known: Mapping[str, str], name: str, home: str, default: str) -> str:
    value = known.get(name, "")
    return value if value.startswith("/") else f"{home.rstrip('/')}/{default}"


def _home() -> str:
    """Without HOME: the user database, and for a user who is not in it a folder of their own (H07)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return f"/tmp/wherry-{os.getuid()}"  # noqa: S108 - made by private_directory, which refuses a foreign one
