"""Whom this machine believes. A Trust in, a TLS context out; reads certificates."""

from __future__ import annotations

import ssl
from pathlib import Path

from wherry.errors import UnavailableError
from wherry.kit.files import disk_errors
from wherry.kit.ports import Trust


def tls_context(trust: Trust) -> ssl.SSLContext:
    """Verifies against the machine's CAs (SSL_CERT_FILE honoured by OpenSSL), certifi's where the machine has none, and those of
    `trust`; shows its client certificate. UnavailableError [authority-file] or [client-certificate] for files that are none."""
    context = ssl.create_default_context()
    places = ssl.get_default_verify_paths()
    if not places.cafile and not (places.capath and any(Path(places.capath).iterdir())):
        import certifi

        context.load_verify_locations(certifi.where())
    for path in trust.authorities:
        with disk_errors(path):
            _believe(context, path)
    if trust.certificate:
        with disk_errors(trust.certificate):
            _show(context, trust)
    return context


def _believe(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise UnavailableError(
            "authority-file",
            "a file of certificate authorities holds no certificate",
            where=path,
            next="name a PEM file with -----BEGIN CERTIFICATE----- in it",
        ) from error


def _show(context: ssl.SSLContext, trust: Trust) -> None:
    try:
        context.load_cert_chain(trust.certificate, trust.key or None, password=lambda: "")  # never asks a terminal
    except (ssl.SSLError, ValueError) as error:
        raise UnavailableError(
            "client-certificate",
            "the client certificate and its key cannot be used",
            where=(trust.certificate, trust.key),
            why="they are no PEM, do not belong together, or the key is locked by a password",
            next="name both files in registries.toml, the key without a password",
        ) from error
