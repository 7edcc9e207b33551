"""Files that must not get into an image by accident. Parts of a path or bytes in, yes or no out; touches nothing."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from typing import Final

#: A part of the path, folder or file.
_NAMES: Final = (
    *(".git", ".hg", ".svn", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".terraform"),
    *(".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".dockercfg"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk"),
    *("*.tfstate", "*.tfstate.backup", ".htpasswd", ".vault-token"),
)
#: What people commit on purpose, to show what the real file looks like.
_EXAMPLES: Final = ("*.example", "*.sample", "*.template", "*.dist", "example.env", "sample.env")
_KEY_FILES: Final = ("*.pem", "*.key", "*.crt", "*.cer", "*.p8", "*.pk8")
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")


def secret_part(parts: Iterable[str]) -> str:
    """The part of a path that a secret usually goes by (`.git` of `web/.git/config`), or empty."""
    for part in parts:
        if _matches(part, _NAMES) and not _matches(part, _EXAMPLES):
            return part
    return ""


def may_hold_key(name: str) -> bool:
    """True when the content of a file called `name` has to be looked at."""
    return _matches(name, _KEY_FILES)


def holds_key(content: bytes) -> bool:
    """True for a PEM private key."""
    return _PRIVATE_KEY.search(content) is not None


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)
