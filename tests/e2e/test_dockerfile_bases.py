"""A base of somebody's own in a registry of theirs: a generated Dockerfile makes on it what `wherry build` makes on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import containers, dockerfiles, examples, servers
from tests.support.buildkit import Builder
from tests.support.dockerfiles import VERSION, Repository
from tests.support.hub import Hub
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("buildkit")]
#: All that a base may say for itself.
BASE = """FROM {debian}
RUN echo ours >/etc/corporate
ENV CORPORATE=yes
WORKDIR /srv/home
STOPSIGNAL SIGQUIT
HEALTHCHECK CMD ["/bin/false"]
USER 1234
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "exit 3"]
"""
SAME = ("User", "WorkingDir", "Entrypoint", "Cmd", "ExposedPorts", "Volumes")


@pytest.fixture(scope="module")
def source(builder: Builder, hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """An application that stands on such a base, which was pushed where wherry.toml says."""
    need("go", "git", "runc", "docker")
    folder = tmp_path_factory.mktemp("bases")
    with servers.docker_registry() as host:
        name = f"{host}/team/base:1"
        (folder / "base").mkdir()
        (folder / "base/Dockerfile").write_text(BASE.format(debian=hub.image("debian:")))
        log = builder.build(folder / "base", f"--tag={name}")
        assert log.code == 0, log.text
        builder("push", name)
        root = examples.repository("http-api", folder)
        (root / "ca.pem").write_bytes(hub.authority.read_bytes())
        (root / "wherry.toml").write_text(f'[image]\nbase = "{name}"\ncertificates = ["ca.pem"]\n')
        yield dockerfiles.repository(root, folder, hub)


@pytest.mark.parametrize("variant", ["base", "hardened"])
def test_a_base_of_ones_own(variant: str, builder: Builder, hub: Hub, source: Repository) -> None:
    (ours,) = source.images().values()
    (file,) = source.dockerfiles(variant).values()
    (base,) = (line.partition("=")[2] for line in file.read_text().splitlines() if line.startswith("ARG BASE_IMAGE="))
    name, _, digest = base.partition("@")
    assert f'reference = "{name}"\ndigest = "{digest}"\n' in (source.root / "wherry.lock").read_text()
    image = f"own-{variant}"
    log = builder.build(source.root, f"--file={file}", f"--tag={image}", f"--build-arg=VERSION={VERSION}")
    assert log.code == 0, log.text
    if variant == "base":
        assert builder.file(image, "/app/http-api") == source.programs(ours)["http-api"]
    assert builder.file(image, "/etc/corporate") == b"ours\n"
    assert builder.file(image, "/etc/ssl/certs/wherry-1.pem") == hub.authority.read_bytes()
    theirs, own = config(builder, image), json.loads(ours.config.data)["config"]
    assert {key: theirs.get(key) or None for key in SAME} == {key: own.get(key) or None for key in SAME}
    assert theirs["WorkingDir"] == "/srv/home"
    assert theirs["StopSignal"] == "SIGTERM"
    assert theirs["Healthcheck"]["Test"][:2] == ["CMD", "/wherry/probe"]
    assert "CORPORATE=yes" in theirs["Env"]
    rows = containers.hardened("docker", image, port=8080, path="/healthz", environment=builder.variables)
    containers.check_hardened(rows, "/healthz")


def config(builder: Builder, image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(builder("image", "inspect", "--format={{json .Config}}", image))
    return found
