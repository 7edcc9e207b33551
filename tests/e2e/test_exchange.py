"""Images go between wherry and everybody else: what it pushes the others pull and run, what they made it copies; digests
are equal everywhere."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.cli import wherry
from tests.support.containers import Engine
from tests.support.examples import Build
from tests.support.tools import crane, need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

VERSION = "1.2.3"


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with servers.docker_registry() as host:
        yield host


@pytest.fixture(scope="module")
def containerd() -> Iterator[str]:
    with servers.containerd() as address:
        yield address


def run(*command: str, **variables: str) -> str:
    need(command[0])
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def digest(name: str) -> str:
    """What skopeo says of a registry's name."""
    raw = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{name}"], capture_output=True, check=True
    ).stdout
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


class Traveller:
    """wherry in a folder and a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, **variables: str) -> str:
        done = wherry(*words, home=self.folder / "home", cwd=self.folder, **variables)
        assert done.code == 0, f"{words}\n{done.stderr}"
        return done.stdout.strip()


@pytest.fixture
def traveller(tmp_path: Path) -> Traveller:
    return Traveller(tmp_path)


@pytest.fixture
def pushed(example: Build, registry: str, traveller: Traveller) -> str:
    """`greet`, pushed by wherry."""
    built = example("cli")
    name = f"{registry}/{traveller.folder.name.lower()}/greet:1"
    said = traveller("push", f"oci:{built.layout}:{VERSION}", "-t", name)
    assert said == f"{name}@{digest(name)}"
    return name


GREETED = ("-name", "you")


def greets(said: str) -> None:
    assert said.startswith("good ")
    assert said.endswith(", you")


def test_docker_pulls_and_runs_it(pushed: str, docker: Engine) -> None:
    assert f"Digest: {digest(pushed)}" in docker("pull", pushed)
    greets(docker("run", "--rm", "--network=none", pushed, *GREETED))


def test_podman_pulls_and_runs_it(pushed: str, podman: Engine) -> None:
    podman("pull", "--tls-verify=false", pushed)
    known = json.loads(podman("image", "inspect", pushed))[0]
    assert digest(pushed) in {one.rpartition("@")[2] for one in known["RepoDigests"]}
    greets(podman("run", "--rm", "--network=none", pushed, *GREETED))


def test_containerd_pulls_and_runs_it(pushed: str, containerd: str) -> None:
    ctr = ("ctr", "--address", containerd)
    run(*ctr, "images", "pull", "--plain-http", "--snapshotter=native", pushed)
    row = run(*ctr, "images", "ls", f"name=={pushed}").splitlines()[1].split()
    assert row[2] == digest(pushed)
    greets(run(*ctr, "run", "--rm", "--snapshotter=native", pushed, "greet", "/app/greet", *GREETED))


def test_crane_finds_it_whole(pushed: str, tmp_path: Path) -> None:
    program = crane()
    assert run(program, "digest", "--insecure", pushed) == digest(pushed)
    run(program, "validate", "--insecure", "--remote", pushed)
    run(program, "pull", "--insecure", "--format=oci", pushed, str(tmp_path / "pulled"))
    rows = json.loads((tmp_path / "pulled/index.json").read_text())["manifests"]
    assert [row["digest"] for row in rows] == [digest(pushed)]


def test_skopeo_and_umoci_unpack_it(pushed: str, tmp_path: Path) -> None:
    run("skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{pushed}", f"oci:{tmp_path}/copied:1")
    assert digest(pushed) in (tmp_path / "copied/index.json").read_text()
    run("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/copied:1", str(tmp_path / "bundle"))
    greets(run(str(tmp_path / "bundle/rootfs/app/greet"), *GREETED))


def made_by_docker(folder: Path, name: str, docker: Engine) -> None:
    (folder / "Dockerfile").write_text(f"FROM {name}\nLABEL made=docker\nCOPY Dockerfile /made\nENV PATH=$PATH:/made\n")
    docker("pull", name)
    docker("build", "--quiet", "--tag", name.replace("greet:1", "made:docker"), str(folder))
    docker("push", "--quiet", name.replace("greet:1", "made:docker"))


def made_by_podman(name: str, podman: Engine) -> None:
    """Loaded from an archive: of what it pulled from a registry it would name the blobs there instead of packing them."""
    with tempfile.TemporaryDirectory() as folder:
        run("skopeo", "copy", "--src-tls-verify=false", f"docker://{name}", f"docker-archive:{folder}/x.tar:{name}")
        podman("load", "--input", f"{folder}/x.tar")
    made = name.replace("greet:1", "made:podman")
    podman("tag", name, made)
    podman("push", "--tls-verify=false", "--format=v2s2", made)


def made_by_skopeo(name: str, folder: Path) -> None:
    """Layers packed anew with zstd."""
    run("skopeo", "copy", "--src-tls-verify=false", f"docker://{name}", f"docker-archive:{folder}/x.tar:{name}")
    zstd = ("--format=oci", "--dest-compress-format=zstd")
    run("skopeo", "copy", *zstd, f"docker-archive:{folder}/x.tar", f"oci:{folder}/zstd:1")
    there = name.replace("greet:1", "made:skopeo")
    run(crane(), "push", "--insecure", f"{folder}/zstd", there)  # skopeo would name the gzip blobs that it saw there


KINDS = ("docker", "podman", "skopeo zstd", "crane", "umoci")


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_made_is_copied_as_it_is(
    kind: str, pushed: str, traveller: Traveller, request: pytest.FixtureRequest
) -> None:
    """From a registry into a layout, an archive, another repository and back; every digest is the one they gave."""
    source = made(kind, pushed, traveller.folder, request)
    before = digest(source)
    repository = pushed.rpartition("/")[0]
    assert ("+zstd" in run("skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{source}")) == (
        "zstd" in kind
    )
    traveller("copy", source, f"{repository}/copied:1", "oci:copied:1", "oci-archive:copied.tar:1")
    traveller("copy", "oci:copied:1", f"{repository}/again:1")
    traveller("copy", "oci-archive:copied.tar:1", f"{repository}/again:2")
    assert {digest(f"{repository}/{name}") for name in ("copied:1", "again:1", "again:2")} == {before}
    docker: Engine = request.getfixturevalue("docker")
    if kind != "skopeo zstd":  # Docker 20.10 reads no zstd
        docker("pull", f"{repository}/again:1")
        greets(docker("run", "--rm", "--network=none", f"{repository}/again:1", *GREETED))


def made(kind: str, pushed: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The name of an image that another tool pushed."""
    root = pushed.rpartition("/")[0]
    match kind:
        case "docker":
            made_by_docker(folder, pushed, request.getfixturevalue("docker"))
            return f"{root}/made:docker"
        case "podman":
            made_by_podman(pushed, request.getfixturevalue("podman"))
            return f"{root}/made:podman"
        case "skopeo zstd":
            made_by_skopeo(pushed, folder)
            return f"{root}/made:skopeo"
        case "crane":
            layer = folder / "layer.tar"
            (folder / "extra").write_text("extra")
            run("tar", "-cf", str(layer), "-C", str(folder), "extra")
            run(crane(), "append", "--insecure", "-b", pushed, "-f", str(layer), "-t", f"{root}/made:crane")
            return f"{root}/made:crane"
        case _:
            run("skopeo", "copy", "--src-tls-verify=false", f"docker://{pushed}", f"oci:{folder}/umoci:1")
            run("umoci", "config", "--image", f"{folder}/umoci:1", "--config.label=made=umoci")
            run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{folder}/umoci:1", f"docker://{root}/made:umoci")
            return f"{root}/made:umoci"


def test_what_docker_built_is_rebased(pushed: str, traveller: Traveller, docker: Engine) -> None:
    """Docker's schema 2 onto a base in OCI's: it is still Docker's, with the new base's layers and settings and its own."""
    root = pushed.rpartition("/")[0]
    made_by_docker(traveller.folder, pushed, docker)
    run(crane(), "append", "--insecure", "-b", pushed, "-f", layer(traveller.folder, "patch"), "-t", f"{root}/base:2")
    run(crane(), "mutate", "--insecure", f"{root}/base:2", "--env=PATCHED=yes", "-t", f"{root}/base:2")
    words = ("--old-base", pushed, "--base", f"{root}/base:2", "-o", f"docker://{root}/rebased:1")
    traveller("rebase", f"{root}/made:docker", *words)
    run(crane(), "validate", "--insecure", "--remote", f"{root}/rebased:1")
    docker("pull", f"{root}/rebased:1")
    greets(docker("run", "--rm", "--network=none", f"{root}/rebased:1", *GREETED))
    config = json.loads(docker("image", "inspect", "--format={{json .Config}}", f"{root}/rebased:1"))
    assert config["Labels"]["made"] == "docker"
    assert "PATCHED=yes" in config["Env"]
    base, made, rebased = (
        json.loads(run(crane(), "manifest", "--insecure", name))["layers"]
        for name in (f"{root}/base:2", f"{root}/made:docker", f"{root}/rebased:1")
    )
    assert [one["digest"] for one in rebased] == [one["digest"] for one in (*base, made[-1])]


def test_an_archive_of_docker_save_goes_to_a_registry(pushed: str, traveller: Traveller, docker: Engine) -> None:
    """It has no manifest, so wherry makes one, and says so; the image id stays."""
    docker("pull", pushed)
    docker("save", "--output", str(traveller.folder / "saved.tar"), pushed)
    there = pushed.replace("greet:1", "saved:1")
    traveller("copy", "docker-archive:saved.tar", there)
    docker("pull", there)
    assert docker("image", "inspect", "--format={{.Id}}", there) == docker(
        "image", "inspect", "--format={{.Id}}", pushed
    )
    greets(docker("run", "--rm", "--network=none", there, *GREETED))


def test_engines_give_and_take(pushed: str, traveller: Traveller, docker: Engine, podman: Engine) -> None:
    host = docker.variables["DOCKER_HOST"]
    traveller("pull", pushed, "-o", "docker-daemon:pulled:1", DOCKER_HOST=host)
    greets(docker("run", "--rm", "--network=none", "pulled:1", *GREETED))
    traveller("copy", "docker-daemon:pulled:1", "oci:from-docker:1", DOCKER_HOST=host)
    variables = {name: value for name, value in podman.variables.items() if name.startswith("CONTAINERS_")}
    said = traveller("pull", pushed, "-o", "containers-storage:pulled:1", PATH=os.environ["PATH"], **variables)
    assert said == f"localhost/pulled:1@{digest(pushed)}"
    greets(podman("run", "--rm", "--network=none", "localhost/pulled:1", *GREETED))
    back = f"{pushed.rpartition('/')[0]}/from-podman:1"
    traveller("copy", "containers-storage:pulled:1", back, PATH=os.environ["PATH"], **variables)
    docker("pull", back)
    greets(docker("run", "--rm", "--network=none", back, *GREETED))


def layer(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    run("tar", "-cf", str(folder / f"{name}.tar"), "-C", str(folder), name)
    return str(folder / f"{name}.tar")


def test_a_rebase_agrees_with_cranes(registry: str, traveller: Traveller) -> None:
    """An image that crane made, onto a base that crane made: the same layers, diff ids and settings as `crane rebase` gives."""
    root, program, folder = f"{registry}/rebase", crane(), traveller.folder
    for number in ("1", "2"):
        run(
            program,
            "append",
            "--insecure",
            "--oci-empty-base",
            "-f",
            layer(folder, f"base{number}"),
            "-t",
            f"{root}/base:{number}",
        )
    run(program, "append", "--insecure", "-b", f"{root}/base:1", "-f", layer(folder, "app"), "-t", f"{root}/app:1")
    run(program, "mutate", "--insecure", f"{root}/app:1", "--entrypoint=/app", "--env=A=1", "-t", f"{root}/app:1")
    flags = ("--insecure", "--old_base", f"{root}/base:1", "--new_base", f"{root}/base:2")
    run(program, "rebase", *flags, "-t", f"{root}/app:crane", f"{root}/app:1")
    words = ("--old-base", f"{root}/base:1", "--base", f"{root}/base:2", "-o", f"docker://{root}/app:wherry")
    traveller("rebase", f"{root}/app:1", *words)
    run(program, "validate", "--insecure", "--remote", f"{root}/app:wherry")
    theirs, ours = (
        json.loads(run(program, "manifest", "--insecure", f"{root}/app:{name}")) for name in ("crane", "wherry")
    )
    assert [one["digest"] for one in ours["layers"]] == [one["digest"] for one in theirs["layers"]]
    theirs, ours = (
        json.loads(run(program, "config", "--insecure", f"{root}/app:{name}")) for name in ("crane", "wherry")
    )
    assert ours["rootfs"] == theirs["rootfs"]
    assert ours["config"] == theirs["config"]
