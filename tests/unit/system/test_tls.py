"""TLS: who is believed, and what is said when nobody should be."""

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.answers import say, serving
from tests.support.tools import need
from wherry.errors import UnavailableError
from wherry.kit.ports import Request, Trust
from wherry.system.http import Network

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key.pem and a self-signed cert.pem for localhost."""
    need("openssl")
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:localhost"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", names, "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


def trusting(certificate: Path) -> Trust:
    return Trust(authorities=(str(certificate / "cert.pem"),))


def ask(url: str, trust: Trust | None = None) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        Network()(Request(method="GET", url=url, timeout=5, trust=trust or Trust())).read(1)
    return caught.value


def test_an_unknown_authority_is_not_believed(certificate: Path) -> None:
    with serving(say(OK), context=server_side(certificate)) as server:
        error = ask(f"https://localhost:{server.port}/")
    assert error.name == "certificate"
    assert "self-signed" in error.message.replace("self signed", "self-signed")
    assert server.seen == []


def test_a_named_authority_is_believed(certificate: Path) -> None:
    with serving(say(OK), context=server_side(certificate)) as server:
        url = f"https://localhost:{server.port}/"
        assert Network()(Request(method="GET", url=url, trust=trusting(certificate))).read(9) == b"ok"


def test_the_users_own_authorities_count(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    with serving(say(OK), context=server_side(certificate)) as server:
        assert Network()(Request(method="GET", url=f"https://localhost:{server.port}/")).status == 200


def test_a_certificate_for_another_name_is_not_believed(certificate: Path) -> None:
    with serving(say(OK), context=server_side(certificate)) as server:
        error = ask(f"https://127.0.0.1:{server.port}/", trusting(certificate))
    assert error.name == "certificate-name"
    assert "127.0.0.1" in error.message


def test_tls_to_a_plain_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(1 << 16)

        threading.Thread(target=answer, daemon=True).start()
        error = ask(f"https://localhost:{listening.getsockname()[1]}/")
    assert error.name == "tls"
    assert "plain HTTP" in error.next[0]
