"""Finding engines, and saying what is missing: sockets, contexts, programs that are not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.ports import HOST, ports
from tests.support.registry import Answer, FakeRegistry, fake_registry
from wherry.cache.noop.outputs import podman_has
from wherry.errors import CorruptError, UnavailableError, WherryError
from wherry.oci.digest import of_bytes
from wherry.oci.platform import Platform
from wherry.store import place as places
from wherry.store.engine import detect
from wherry.store.engine.docker_host import SOCKET, address, plain_host
from wherry.store.engine.names import podman_name
from wherry.store.engine.podman import list_of_images
from wherry.store.engine.programs import KNOWN
from wherry.store.keeper import Ports
from wherry.store.places import at


def context(folder: Path, host: str, *, named: str = "colima", current: str = "colima") -> str:
    """A DOCKER_CONFIG with one context."""
    docker = folder / "docker"
    meta = docker / "contexts/meta" / hashlib.sha256(named.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": named, "Endpoints": {"docker": {"Host": host}}}))
    (docker / "config.json").write_text(json.dumps({"currentContext": current}))
    return str(docker)


@pytest.mark.parametrize(
    ("host", "url", "socket"),
    [
        ("", f"unix://{SOCKET}:/_ping", SOCKET),
        ("unix:///run/user/1/docker.sock", "unix:///run/user/1/docker.sock:/_ping", "/run/user/1/docker.sock"),
        ("tcp://127.0.0.1:2375", "http://127.0.0.1:2375/_ping", ""),
        ("tcp://docker:2375/", "http://docker:2375/_ping", ""),
    ],
)
def test_docker_host(host: str, url: str, socket: str, tmp_path: Path) -> None:
    found = address(ports(tmp_path, DOCKER_HOST=host))
    assert (found.at("/_ping"), found.socket) == (url, socket)


@pytest.mark.parametrize("host", ["ssh://me@there", "npipe:////./pipe/x", "fd://", "docker", "unix://", "tcp://"])
def test_addresses_that_cannot_be_asked(host: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        address(ports(tmp_path, DOCKER_HOST=host))
    assert caught.value.name == "docker-host"


def test_client_certificates_are_not_known(tmp_path: Path) -> None:
    machine = ports(tmp_path, DOCKER_HOST="tcp://docker:2376", DOCKER_TLS_VERIFY="1")
    with pytest.raises(UnavailableError, match="client certificates"):
        address(machine)
    assert plain_host(machine) == ""
    assert plain_host(ports(tmp_path, DOCKER_HOST="tcp://docker:2375")) == "docker:2375"


def test_contexts(tmp_path: Path) -> None:
    config = context(tmp_path, "unix:///home/me/colima.sock")
    assert address(ports(tmp_path, DOCKER_CONFIG=config)).socket == "/home/me/colima.sock"
    assert address(ports(tmp_path, DOCKER_CONFIG=config, DOCKER_CONTEXT="default")).socket == SOCKET
    assert address(ports(tmp_path, DOCKER_CONFIG=config, DOCKER_HOST="unix:///x")).socket == "/x"
    with pytest.raises(UnavailableError, match="names no host"):
        address(ports(tmp_path, DOCKER_CONFIG=config, DOCKER_CONTEXT="../../other"))


def test_nothing_here_is_seen_at_once(tmp_path: Path) -> None:
    """A missing socket costs a look at the disk, and no question: a bare build asks each time."""

    def never(_: object, /) -> NoReturn:
        raise AssertionError("asked")

    machine = ports(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none", PATH=str(tmp_path))
    machine = replace(machine, http=never, run=never)
    assert detect.engines(machine) == ()
    assert detect.default(machine) is None


def test_a_file_or_a_dead_socket_is_no_engine(tmp_path: Path) -> None:
    import socket

    (tmp_path / "file").write_text("")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    for name in ("file", "dead"):
        assert detect.engines(ports(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/{name}", PATH=str(tmp_path))) == ()


@pytest.mark.parametrize("text", ["docker-daemon:app:1", "containers-storage:app:1", "containerd:app:1"])
def test_a_missing_engine_says_how_to_get_it(text: str, tmp_path: Path) -> None:
    missing = {"DOCKER_HOST": f"unix://{tmp_path}/none", "CONTAINERD_ADDRESS": f"{tmp_path}/none"}
    machine = ports(tmp_path, PATH=str(tmp_path), **missing)
    with pytest.raises(UnavailableError) as caught:
        at(places.parse(text), machine).publish(random_image(tmp_path, shape=Shape()))
    assert caught.value.name == "no-engine"
    assert caught.value.next


def test_podmans_names() -> None:
    names = ["app:1", "team/app:1", "reg.example/app:1", "localhost/app:1", "localhost:5000/app:1"]
    assert [podman_name(name) for name in names] == [f"localhost/{names[0]}", f"localhost/{names[1]}", *names[2:]]


def test_no_secret_reaches_an_engines_program(tmp_path: Path) -> None:
    """A podman that writes its environment down, and fails."""
    program = tmp_path / "bin/podman"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/usr/bin/env > {tmp_path}/seen\necho 'no space left' >&2\nexit 125\n")
    program.chmod(0o755)
    machine = ports(tmp_path, PATH=str(program.parent), AWS_SECRET_ACCESS_KEY="canary", STORAGE_DRIVER="vfs")
    with pytest.raises(UnavailableError) as caught:
        at(places.parse("containers-storage:app:1"), machine).publish(random_image(tmp_path))
    assert (caught.value.name, "no space left" in caught.value.output) == ("engine-refused", True)
    seen = (tmp_path / "seen").read_text()
    assert "canary" not in seen
    assert "STORAGE_DRIVER=vfs" in seen
    assert {line.partition("=")[0] for line in seen.splitlines()} <= KNOWN | {"PWD", "SHLVL", "_", "OLDPWD"}
    assert list(Path(machine.scratch).iterdir()) == []


@pytest.fixture
def daemon() -> Iterator[FakeRegistry]:
    """A server that a test turns into a daemon with opinions."""
    with fake_registry() as state:
        yield state


def tcp(daemon: FakeRegistry, folder: Path) -> Ports:
    return ports(folder, DOCKER_HOST=f"tcp://{daemon.host}")


def load(daemon: FakeRegistry, folder: Path, answers: dict[str, Answer]) -> WherryError:
    daemon.extra = lambda call: next((answers[key] for key in answers if call.path.startswith(key)), Answer(404))
    with pytest.raises(WherryError) as caught:
        at(places.parse("docker-daemon:app:1"), tcp(daemon, folder)).publish(random_image(folder))
    return caught.value


PING = {"/_ping": Answer(200, {"Api-Version": "1.41", "Server": "Docker/20.10.24 (linux)"})}


def test_an_error_behind_a_good_status_is_an_error(daemon: FakeRegistry, tmp_path: Path) -> None:
    """Docker begins its answer before it unpacks, so a full disk comes with status 200."""
    body = b'{"stream":"Loading"}\r\n{"errorDetail":{},"error":"no space left on device"}\r\n'
    error = load(daemon, tmp_path, PING | {"/images/load": Answer(200, {}, body)})
    assert (error.name, error.why) == ("engine-refused", "no space left on device")


def test_a_daemons_refusal_is_shown_harmless(daemon: FakeRegistry, tmp_path: Path) -> None:
    error = load(daemon, tmp_path, PING | {"/images/load": Answer(500, {}, b'{"message":"bad \\u001b[2J"}')})
    assert (error.name, error.why) == ("engine-refused", "bad \\x1b[2J")


def test_another_image_under_the_name_is_told(daemon: FakeRegistry, tmp_path: Path) -> None:
    other = json.dumps({"Id": "sha256:" + "0" * 64, "RepoDigests": None}).encode()
    error = load(daemon, tmp_path, PING | {"/images/load": Answer(200), "/images/app:1/json": Answer(200, {}, other)})
    assert isinstance(error, CorruptError)
    assert error.name == "digest-changed"
    assert "sha256:000" in error.why


def test_a_store_that_keeps_digests_is_seen(daemon: FakeRegistry, tmp_path: Path) -> None:
    """Docker with the containerd image store: the id is the manifest's digest, and nothing is renamed."""
    built = random_image(tmp_path)
    said = json.dumps({"Id": built.digest, "RepoDigests": [f"app@{built.digest}"]}).encode()
    answers = {"/_ping": Answer(200, {"Api-Version": "1.50"}), "/images/app:1/json": Answer(200, {}, said)}
    daemon.extra = lambda call: answers.get(call.path, Answer(500))
    published = at(places.parse("docker-daemon:app:1"), tcp(daemon, tmp_path)).publish(built)
    assert (published.reference, published.renamed, published.sent) == (f"app:1@{built.digest}", "", 0)


def test_an_engine_needs_its_own_platform(tmp_path: Path, daemon: FakeRegistry) -> None:
    shape = Shape(platforms=("linux/s390x", "linux/riscv64"))
    machine = replace(tcp(daemon, tmp_path), host=HOST)
    with pytest.raises(WherryError) as caught:
        at(places.parse("docker-daemon:app:1"), machine).publish(random_image(tmp_path, shape=shape))
    assert caught.value.name == "no-platform"
    assert "linux/s390x, linux/riscv64" in caught.value.why
    alone = Shape(platforms=("linux/s390x",))
    other = replace(machine, host=Platform(architecture="amd64"))
    with pytest.raises(UnavailableError):  # one image alone goes in whatever it is for, as far as there is an engine
        at(places.parse("docker-daemon:app:1"), other).publish(random_image(tmp_path, shape=alone))


def test_podmans_list_tells_what_a_name_means(tmp_path: Path) -> None:
    """The same image may have come in several ways: each of its manifests counts, the first one's `digest` alone does not."""
    digest, other = of_bytes(b"manifest"), of_bytes(b"another")
    entry = {"names": ["localhost/app:1"], "digest": other, "big-data-names": ["manifest", f"manifest-{digest}"]}
    listed = tmp_path / "root/overlay-images/images.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(json.dumps([{"names": None}, entry]))
    settings = tmp_path / "storage.conf"
    settings.write_text(f'[storage]\ngraphroot = "{tmp_path}/root"\n')
    machine = ports(tmp_path, CONTAINERS_STORAGE_CONF=str(settings))
    assert list_of_images("localhost/app:1", digest, machine) == str(listed)
    assert list_of_images("localhost/app:2", digest, machine) == ""
    assert list_of_images("localhost/app:1", other, machine) == ""
    assert podman_has(str(listed), "localhost/app:1", digest)
    assert not podman_has(str(listed), "localhost/app:1", other)
    assert not podman_has(str(listed), "localhost/app:2", digest)
