"""What was asked for. Arguments, folder and environment in, a key out; touches nothing.

Two requests share a key only when nothing but files and servers can make their results differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping

import wherry

FORMAT = 2
PREFIXES = ("CGO_", "CONTAINER", "DOCKER_", "GIT_", "GO", "PKG_CONFIG", "PYTHON", "WHERRY_")
NAMES = frozenset(
    (
        *("AR", "CC", "CPATH", "CXX", "C_INCLUDE_PATH", "FC", "GCCGO", "LIBRARY_PATH"),
        *("HOME", "LOGNAME", "PATH", "PWD", "SUDO_UID", "TMPDIR", "USER"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("CURL_CA_BUNDLE", "NETRC", "SOURCE_DATE_EPOCH", "SSL_CERT_DIR", "SSL_CERT_FILE"),
    )
)
"""With PREFIXES: every variable that wherry, Go or git reads and that can make another image or another destination. Those that
settings name besides are kept in the index (`Inputs.variables`)."""


class Request:
    """`arguments` after the program's name (or any canonical form of them); `directory`: the absolute working directory;
    `variables`: the whole environment."""

    __slots__ = ("arguments", "directory", "variables")

    def __init__(self, arguments: tuple[str, ...], directory: str, variables: Mapping[str, str]) -> None:
        self.arguments, self.directory, self.variables = arguments, directory, variables

    def key(self) -> str:
        """Hexadecimal; the same for the same question to the same wherry by the same user."""
        chosen = sorted((name, value) for name, value in self.variables.items() if matters(name))
        program = (wherry.__version__, os.path.dirname(wherry.__file__), sys.executable, sys.version, sys.path)
        host = (os.geteuid(), os.uname().sysname, os.uname().machine)
        parts = (FORMAT, self.arguments, self.directory, chosen, program, host)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def seal(value: str | None) -> str | None:
    """What is kept of a variable's value, which may be a secret: enough to know it again."""
    return None if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()


def matters(name: str) -> bool:
    """True for a variable that is part of the key."""
    return name in NAMES or name.startswith(PREFIXES)
