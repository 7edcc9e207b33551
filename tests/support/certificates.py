"""A certificate authority of the test's own. A folder in, PEM files in it out; runs openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.support.tools import need

NAMES = "DNS:localhost,IP:127.0.0.1"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Signs certificates; `ca` is its own. One that is in the folder already is that one."""

    def __init__(self, folder: Path, *, days: int = 2) -> None:
        need("openssl")
        folder.mkdir(exist_ok=True)
        self.folder, self.ca = folder, folder / "ca.pem"
        if not self.ca.exists():
            self._openssl(
                *("req", "-x509", *_KEY, "-days", str(days), "-subj", "/CN=Test CA"),
                *("-keyout", "ca.key", "-out", "ca.pem"),
            )

    def issue(self, name: str, *, names: str = NAMES, days: int = 2) -> tuple[Path, Path]:
        """`NAME.cert` and `NAME.key`; out of date where `days` is below 0."""
        made = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        self._openssl("req", "-new", *_KEY, *made, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy")
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-days", str(days), "-out", f"{name}.cert")
        return self.folder / f"{name}.cert", self.folder / f"{name}.key"

    def server(self, name: str = "server", *, names: str = NAMES, days: int = 2) -> ssl.SSLContext:
        """The server's side of TLS with a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, names=names, days=days))
        return context

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
