"""What a recording suggests, and that it suggests nothing for what is well."""

from __future__ import annotations

import pytest

from wherry.flows.advice import advice
from wherry.model.container import Bind, Container, Tmpfs, User
from wherry.model.recording import Bound, FileUse, Intent, Recording, State
from wherry.oci.platform import Platform

CONTAINER = Container(
    name="x",
    image="x",
    platform=Platform(architecture="amd64"),
    arguments=("/app/x",),
    user=User(uid=65532, gid=65532),
    tmpfs=(Tmpfs(path="/tmp"),),
    binds=(Bind(source="/srv", path="/data", writable=True),),
    ports=("8080/tcp",),
)


def lines(*files: tuple[str, Intent, State], bound: tuple[Bound, ...] = ()) -> list[str]:
    uses = tuple(FileUse(path=path, intent=intent, state=state) for path, intent, state in files)
    return [one.line for one in advice(Recording(files=uses, bound=bound, started=True), CONTAINER)]


@pytest.mark.parametrize(
    ("paths", "line"),
    [
        (("/var/lib/app/x", "/var/lib/app/y"), 'writable = ["/var/lib/app"]'),
        (("/.local", "/.local/share/caddy/lock"), 'writable = ["/.local"]'),
        (("/srv/a/b", "/var/log/x"), 'writable = ["/srv/a", "/var/log"]'),
        (("/srv/a/b", "/app/x", "/etc/x", "/data.txt"), 'writable = ["/srv/a"]'),
    ],
)
def test_directories(paths: tuple[str, ...], line: str) -> None:
    assert lines(*((path, "write", "denied") for path in paths)) == [line]


def test_what_may_be_written_is_no_news() -> None:
    assert (
        lines(("/tmp/x", "write", "there"), ("/data/x", "write", "there"), ("/proc/self/oom", "write", "denied")) == []
    )
    assert lines(("/database", "write", "denied")) == ['writable = ["/database"]']
    assert lines(("/app/state", "write", "denied")) == [], "what wherry.toml would refuse is not suggested"


def test_ports() -> None:
    here, there = Bound(protocol="tcp", address="::", port=8080), Bound(protocol="tcp", address="::", port=6060)
    probe = Bound(protocol="tcp", address="::1", port=0)
    assert lines(bound=(here, probe)) == []
    assert lines(bound=(here, there)) == ["ports = [6060]"]
    alone = Bound(protocol="tcp", address="127.0.0.1", port=8080)
    assert lines(bound=(alone,)) == ["# it listens on 127.0.0.1:8080 alone"]


def test_certificates_and_zones() -> None:
    assert lines(("/etc/ssl/certs/ca-certificates.crt", "read", "missing")) == ['base = "static"']
    assert lines(("/usr/share/zoneinfo/Europe/Berlin", "read", "missing")) == ['base = "static"']
    found: tuple[tuple[str, Intent, State], ...] = (
        ("/etc/ssl/certs/ca-certificates.crt", "read", "missing"),
        ("/etc/pki/tls/certs/ca-bundle.crt", "read", "there"),
    )
    assert lines(*found) == []


def test_names() -> None:
    assert lines(("/etc/resolv.conf", "read", "missing")) == ["# --network own"]
    assert lines(("/etc/resolv.conf", "read", "there")) == []
