"""D10: TLS is never quietly weaker. A docker-registry with certificates of the test's own authority, and all that can be
wrong with them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import servers
from tests.support.accounts import logged_in, pulled, push
from tests.support.answers import Server, say, serving
from tests.support.certificates import Authority
from tests.support.forward import Forward, forward
from tests.support.ports import ports
from wherry.errors import WherryError
from wherry.kit.ports import Request, Trust
from wherry.model.registries import Registries, Rule
from wherry.plan.registries import parse
from wherry.store.keeper import Ports
from wherry.store.registry.reach import certificates
from wherry.system.http import Network

pytestmark = pytest.mark.e2e
NAME = "registry.internal"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue("server", names=f"DNS:localhost,DNS:{NAME}")
    made.issue("client")
    return made


@pytest.fixture(scope="module")
def registry(authority: Authority) -> Iterator[int]:
    """The port of a registry that only TLS opens."""
    with started(authority, "") as host:
        yield int(host.rpartition(":")[2])


@pytest.fixture(scope="module")
def strict(authority: Authority) -> Iterator[int]:
    """One that wants to see a client's certificate."""
    with started(authority, f", clientcas: ['{authority.ca}']") as host:
        yield int(host.rpartition(":")[2])


def started(authority: Authority, more: str) -> AbstractContextManager[str]:
    folder = authority.folder
    return servers.docker_registry(http=f"tls: {{certificate: {folder}/server.cert, key: {folder}/server.key{more}}}")


@pytest.fixture
def proxy(registry: int, strict: int) -> Iterator[Forward]:
    """The way to names that no name server knows: loopback is plain HTTP by its name alone."""
    with forward() as state:
        state.places = {f"{NAME}:443": registry, f"{NAME}:5000": strict}
        yield state


def through(folder: Path, proxy: Forward, rules: str = "") -> Ports:
    """Ports that go through the proxy, with what registries.toml says."""
    network = Network((("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}"),))
    registries = parse(rules, str(folder / "registries.toml"))
    return replace(ports(folder), http=network, registries=lambda: registries)


def test_an_authority_of_ones_own(authority: Authority, proxy: Forward, tmp_path: Path) -> None:
    machine = through(tmp_path, proxy, f'[registry."{NAME}"]\nca = "{authority.ca}"\n')
    assert push(tmp_path, f"{NAME}/team/app:1", machine).digest == pulled(f"{NAME}/team/app:1", machine)
    assert all(head.startswith(b"CONNECT") for head in proxy.heads)


def failed(folder: Path, machine: Ports, reference: str = f"{NAME}/team/app:1") -> WherryError:
    with pytest.raises(WherryError) as caught:
        push(folder, reference, machine)
    error = caught.value
    assert not any(word in error.message for word in ("urllib3", "SSLError", "object at"))
    return error


def test_without_it_there_is_one_error_that_names_the_setting(proxy: Forward, tmp_path: Path) -> None:
    error = failed(tmp_path, through(tmp_path, proxy))
    assert error.name == "certificate"
    assert f'[registry."{NAME}"] ca' in error.next[0]


def test_the_authority_of_another_host_does_not_count(authority: Authority, proxy: Forward, tmp_path: Path) -> None:
    for other in (f"{NAME}:5000", f"www.{NAME}", "internal"):
        machine = through(tmp_path, proxy, f'[registry."{other}"]\nca = "{authority.ca}"\n')
        assert failed(tmp_path, machine).name == "certificate"


@pytest.mark.parametrize("said", ['ca = "{}"', 'plain-http = false\nca = "{}"'])
def test_a_registry_on_this_machine_that_wants_tls(
    said: str, authority: Authority, registry: int, tmp_path: Path
) -> None:
    rules = f'[registry."localhost:{registry}"]\n{said.format(authority.ca)}\n'
    machine = replace(ports(tmp_path), http=Network(), registries=lambda: parse(rules, "registries.toml"))
    reference = f"localhost:{registry}/team/app:1"
    assert push(tmp_path, reference, machine).digest == pulled(reference, machine)


def test_one_of_which_nothing_is_said_is_asked_plainly_and_the_setting_is_named(registry: int, tmp_path: Path) -> None:
    rules = f'[registry."localhost:{registry}"]\nplain-http = false\n'
    error = failed(tmp_path, ports(tmp_path), f"localhost:{registry}/team/app:1")
    assert (error.name, rules.partition("\n")[0] in error.next[0]) == ("registry-refused", True)
    machine = replace(ports(tmp_path), registries=lambda: parse(rules, "registries.toml"))
    assert failed(tmp_path, machine, f"localhost:{registry}/team/app:1").name == "certificate"


def test_client_certificates(authority: Authority, proxy: Forward, tmp_path: Path) -> None:
    folder = authority.folder
    named = f'[registry."{NAME}:5000"]\nca = "{authority.ca}"\n'
    shown = f'{named}client-certificate = "{folder}/client.cert"\nclient-key = "{folder}/client.key"\n'
    reference = f"{NAME}:5000/team/app:1"
    assert failed(tmp_path, through(tmp_path, proxy, named), reference).name == "client-certificate"
    assert push(tmp_path, reference, through(tmp_path, proxy, shown)).sent


def test_the_folders_of_docker_and_podman(authority: Authority, proxy: Forward, tmp_path: Path) -> None:
    own = tmp_path / "home/.config/containers/certs.d" / f"{NAME}:5000"
    own.mkdir(parents=True)
    (own / "ca.crt").write_bytes(authority.ca.read_bytes())
    reference = f"{NAME}:5000/team/app:1"
    assert failed(tmp_path, through(tmp_path, proxy), reference).name == "client-certificate"
    for name in ("client.cert", "client.key"):
        (own / name).write_bytes((authority.folder / name).read_bytes())
    assert push(tmp_path, reference, through(tmp_path, proxy), seed=2).sent
    assert certificates(NAME, (str(own.parent),)) == Trust(), "the port is part of the name"
    assert certificates("../..", (str(own),)) == Trust()


@pytest.mark.parametrize(("file", "name"), [("ca.csr", "authority-file"), ("gone.pem", "disk")])
def test_files_that_are_none(file: str, name: str, authority: Authority, proxy: Forward, tmp_path: Path) -> None:
    (authority.folder / "ca.csr").write_text("no certificate\n")
    machine = through(tmp_path, proxy, f'[registry."{NAME}"]\nca = "{authority.folder}/{file}"\n')
    error = failed(tmp_path, machine)
    assert (error.name, file in error.where[0]) == (name, True)


def test_a_certificate_without_its_key(authority: Authority, proxy: Forward, tmp_path: Path) -> None:
    pair = f'client-certificate = "{authority.folder}/client.cert"\nclient-key = "{authority.folder}/server.key"\n'
    machine = through(tmp_path, proxy, f'[registry."{NAME}"]\n{pair}')
    assert failed(tmp_path, machine).name == "client-certificate"


@pytest.mark.parametrize(
    ("names", "days", "name"),
    [(f"DNS:{NAME}", -1, "certificate-expired"), ("DNS:other.internal", 2, "certificate-name")],
)
def test_what_is_wrong_with_a_certificate(
    names: str, days: int, name: str, authority: Authority, tmp_path: Path
) -> None:
    context = authority.server("wrong", names=names, days=days)
    with serving(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), context=context) as server, forward() as way:
        way.places = {f"{NAME}:443": server.port}
        machine = through(tmp_path, way, f'[registry."{NAME}"]\nca = "{authority.ca}"\n')
        assert failed(tmp_path, machine).name == name
        assert server.seen == []


def test_https_that_fails_is_never_tried_without(tmp_path: Path) -> None:
    """A port that speaks plain HTTP: no request reaches it, whoever is logged in."""
    with plain_port() as server, forward() as way:
        way.places = {f"{NAME}:443": server.port, f"{NAME}:80": server.port}
        quick = through(tmp_path, way, 'timeout = "1s"\n')
        machine = replace(logged_in(tmp_path, NAME), http=quick.http, registries=quick.registries)
        assert failed(tmp_path, machine).name in ("tls", "connection-lost", "no-answer")
        assert not [request for request in server.seen if b"HTTP/1" in request]


def plain_port() -> AbstractContextManager[Server]:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return serving(answer)


def test_plain_http_is_for_the_named_host_alone() -> None:
    """Not for its token server either: that is another host."""
    with serving(say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        network = Network((("HTTP_PROXY", f"http://127.0.0.1:{server.port}"),))
        plain = Registries(rules=(Rule(host=NAME, trust=Trust(plain=True)),))
        assert network(Request(method="GET", url=f"http://{NAME}/v2/", trust=plain.of(NAME).trust)).status == 200
        for other in (f"auth.{NAME}", "internal", f"{NAME}:5000"):
            with pytest.raises(WherryError) as caught:
                network(Request(method="GET", url=f"http://{other}/token", trust=plain.of(other).trust))
            assert caught.value.name == "plain-http"
