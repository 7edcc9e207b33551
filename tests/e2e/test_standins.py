"""The stand-ins are what they stand for, as far as generated files rely on it: so says an engine that takes them for the real."""

from __future__ import annotations

import json

import pytest

from tests.support.buildkit import Builder
from tests.support.hub import Hub
from tests.support.runbook import until
from tests.support.servers import need_no_chroot
from tests.support.standins import toolchain

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("buildkit")]
ALONE = ("--rm", "--network=none")


def pulled(builder: Builder, hub: Hub, part: str) -> str:
    """The stand-in whose reference has `part`, by its digest, as dockerd got it from the registry of that name."""
    image = hub.image(part)
    builder("pull", "--quiet", image)
    return image


def config(builder: Builder, image: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(builder("image", "inspect", "--format={{json .Config}}", image))
    return found


def test_golang_compiles_with_this_machines_go_and_c(builder: Builder, hub: Hub) -> None:
    image = pulled(builder, hub, "golang:")
    script = """
    go version; go env GOTOOLCHAIN GOPATH GOMODCACHE GOCACHE CGO_ENABLED; pwd; git --version
    echo 'int main(void) { return 42; }' >/tmp/a.c; cc -o /tmp/a /tmp/a.c; /tmp/a || echo "$?"
    """
    said = builder("run", *ALONE, image, "bash", "-ec", script).splitlines()
    version = toolchain()[1]
    assert said[0] == f"go version go{version} linux/amd64"
    assert said[1:6] == ["local", "/go", "/go/pkg/mod", "/root/.cache/go-build", "1"]
    assert said[6] == "/go"
    assert said[7].startswith("git version ")
    assert said[8] == "42"


@pytest.mark.parametrize("name", ["static-debian13", "base-debian13"])
def test_distroless_has_files_and_no_shell(name: str, builder: Builder, hub: Hub) -> None:
    image = pulled(builder, hub, name)
    settings = config(builder, image)
    assert (settings["User"], settings["WorkingDir"]) == ("65532", "/home/nonroot")
    listing = builder.tree(image)
    for path in (
        "etc/passwd",
        "etc/ssl/certs/ca-certificates.crt",
        "usr/share/zoneinfo/Europe/Vienna",
        "etc/nsswitch.conf",
    ):
        assert path in listing, path
    assert listing["tmp"].mode & 0o7777 == 0o1777
    assert (listing["home/nonroot"].uid, listing["home/nonroot"].mode & 0o7777) == (65532, 0o700)
    assert listing["bin"].linkname == "usr/bin"
    assert not {"usr/bin/sh", "usr/bin/bash", "usr/bin/busybox"} & listing.keys()
    assert ("usr/lib/x86_64-linux-gnu/libc.so.6" in listing) == (name == "base-debian13")


def test_alpine_has_a_shell_and_no_package_manager(builder: Builder, hub: Hub) -> None:
    image = pulled(builder, hub, "alpine:")
    said = builder("run", *ALONE, image, "sh", "-c", "id -u; wget --help 2>&1 | head -n 1; command -v apk || echo none")
    assert said.splitlines()[::2] == ["0", "none"]
    assert said.splitlines()[1].startswith("BusyBox ")


def test_postgres_keeps_the_official_images_word(builder: Builder, hub: Hub) -> None:
    """A user, a database and a password from a file; the data in a volume at the new place."""
    need_no_chroot()
    image = pulled(builder, hub, "postgres:")
    variables = ("-e=POSTGRES_USER=ada", "-e=POSTGRES_DB=shop", "-e=POSTGRES_PASSWORD_FILE=/run/secrets/password")
    script = "mkdir -p /run/secrets && echo secret >/run/secrets/password && exec docker-entrypoint.sh postgres"
    to = ("--host=127.0.0.1", "--username=ada", "--dbname=shop")
    ask = ("psql", *to, "--tuples-only", "--no-align")
    with builder.running(image, *variables, "--entrypoint=bash", words=("-c", script)) as container:
        until(lambda: not builder.failure("exec", container, "pg_isready", *to))
        said = builder("exec", "-e=PGPASSWORD=secret", container, *ask, "--command=select current_user, 6 * 7")
        assert said == "ada|42"
        rules = builder("exec", container, "tail", "--lines=1", "/var/lib/postgresql/18/docker/pg_hba.conf")
        assert rules == "host all all all scram-sha-256", "who comes from elsewhere needs the password"
        assert builder("exec", container, "stat", "--format=%U", "/proc/1") == "postgres"
    assert "superuser password is not specified" in builder.failure("run", *ALONE, image)


def test_redis_answers_others_and_is_not_root(builder: Builder, hub: Hub) -> None:
    need_no_chroot()
    with builder.running(pulled(builder, hub, "redis:")) as container:
        until(lambda: not builder.failure("exec", container, "redis-cli", "ping"))
        assert builder("exec", container, "redis-cli", "config", "get", "protected-mode").split() == [
            "protected-mode",
            "no",
        ]
        assert builder("exec", container, "stat", "--format=%U", "/proc/1") == "redis"
        assert builder("exec", container, "redis-cli", "config", "get", "dir").split() == ["dir", "/data"]
