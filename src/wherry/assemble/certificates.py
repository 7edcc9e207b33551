"""Extra certificate authorities. PEM files in, the certificates to append to a bundle out; touches those files."""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from pathlib import Path
from typing import Final

from wherry.assemble.beneath import Root
from wherry.errors import RefusedError, UsageError, WherryError
from wherry.kit import snapshot

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LARGEST: Final = 4 << 20


def extra_certificates(root: Path, names: tuple[str, ...]) -> bytes:
    """The certificates in the files `names` beneath `root`, re-written one like another; UsageError [bad-certificate] for files
    that are missing, hold none, or hold anything else, such as a private key."""
    return b"".join(_certificates(root, name) for name in names)


def _certificates(root: Path, name: str) -> bytes:
    blocks = _BLOCK.findall(_read(root, name).decode("ascii", "replace"))
    if not blocks:
        raise _bad(name, "it holds no PEM block")
    return b"".join(_certificate(name, label, body) for label, body in blocks)


def _read(root: Path, name: str) -> bytes:
    try:
        with Root(root) as opened:
            file = opened.file(opened.resolve((), name, name=name))
        data = bytearray(min(file.size, _LARGEST))
        snapshot.read_at(file, 0, memoryview(data))
    except RefusedError as error:
        raise _bad(name, "it lies outside the repository") from error
    except (OSError, WherryError) as error:
        raise _bad(name, "it is missing or cannot be read") from error
    return bytes(data)


def _certificate(name: str, label: str, body: str) -> bytes:
    import ssl

    if label != "CERTIFICATE":
        raise _bad(name, f"it holds a {label}")
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
    except (binascii.Error, ssl.SSLError) as error:
        raise _bad(name, "a certificate in it is damaged") from error
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")).encode()


def _bad(name: str, why: str) -> UsageError:
    return UsageError(
        "bad-certificate",
        f"{name} cannot be a file of certificate authorities: {why}",
        where=name,
        next="name a PEM file of certificates in image.certificates",
    )
