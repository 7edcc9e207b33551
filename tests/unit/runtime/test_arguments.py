"""Containers as docker and podman read them: every hardening said, nothing that a value could smuggle in."""

from __future__ import annotations

import shlex

import pytest

from wherry.model.container import Bind, Container, Limits, Publish, Tmpfs, User
from wherry.oci.platform import Platform
from wherry.runtime.arguments import Client, Given, arguments, fits_a_line, shown, unsaid

AMD64 = Platform(architecture="amd64")


def container(**fields: object) -> Container:
    common: dict[str, object] = {
        "name": "app",
        "image": "app:1",
        "platform": AMD64,
        "arguments": ("/app", "-v"),
        "user": User(uid=65532, gid=65532, groups=(7,)),
        "limits": Limits(memory=64 << 20, cpus=0.5, pids=50, files=512),
        "tmpfs": (Tmpfs(path="/tmp"), Tmpfs(path="/data", mode=0o750, uid=65532, gid=65532, copied=True)),
    }
    return Container(**(common | fields))  # type: ignore[arg-type]


def words(client: Client, made: Container, **fields: object) -> tuple[str, ...]:
    given = Given(**({"image": "app:1", "name": "wherry-1", "network": "none"} | fields))  # type: ignore[arg-type]
    return tuple(" ".join(group) for group in arguments(client, made, given))


HARDENED = {
    "--read-only",
    "--cap-drop ALL",
    "--security-opt no-new-privileges",
    "--security-opt seccomp=/p.json",
    "--ipc none",
    "--network none",
    "--user 65532:65532",
    "--group-add 7",
    "--memory 67108864",
    "--memory-swap 67108864",
    "--cpus 0.5",
    "--pids-limit 50",
    "--ulimit nofile=512:512",
    "--ulimit core=0:0",
    "--pull never",
    "--entrypoint /app",
}


@pytest.mark.parametrize("client", ["docker", "podman"])
def test_every_hardening_is_said(client: Client) -> None:
    said = words(client, container(), seccomp="/p.json")
    assert set(said) >= HARDENED
    assert said[-1] == "app:1 -v", "the image and its arguments come last"
    assert "--privileged" not in " ".join(said)


def test_what_only_one_of_them_needs() -> None:
    docker, podman = words("docker", container()), words("podman", container(), processes=4096)
    assert "--read-only-tmpfs=false" in podman
    assert "--ulimit nproc=4096:4096" in podman
    assert "--sysctl net.ipv4.ip_unprivileged_port_start=1024" in docker
    assert "--mount type=volume,dst=/data" in docker, "only a volume gets what the image has there"
    assert any(one.startswith("--mount type=tmpfs,dst=/data") and "tmpcopyup" in one for one in podman)


@pytest.mark.parametrize("client", ["docker", "podman"])
def test_what_is_relaxed_is_not_said(client: Client) -> None:
    free = container(read_only=False, no_new_privileges=False, masked=False, limits=Limits(), seccomp="unconfined")
    said = words(client, free, network="host")
    assert "--read-only" not in said
    assert "--security-opt no-new-privileges" not in said
    assert "--security-opt seccomp=unconfined" in said
    assert {"--security-opt systempaths=unconfined", "--security-opt unmask=ALL"} & set(said)
    assert not any(one.startswith("--memory") for one in said)


def test_a_capability_opens_low_ports_and_no_flag_does_otherwise() -> None:
    said = words("docker", container(capabilities=("CAP_NET_BIND_SERVICE",)))
    assert "--cap-add NET_BIND_SERVICE" in said
    assert not any("ip_unprivileged_port_start" in one for one in said)


def test_paths_cannot_add_fields_to_a_mount() -> None:
    bind = Bind(source='/a,readonly=false,"b', path="/x")
    (said,) = (one for one in words("docker", container(binds=(bind,))) if "type=bind" in one)
    assert said == '--mount type=bind,"src=/a,readonly=false,""b",dst=/x,readonly'


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("A", "plain", True),
        ("A", "", True),
        ("A", "two words", True),
        ("A", "two\nlines", False),
        ("A", " leading", False),
        ("A", "it's", False),
        ("A", "x #y", False),
        ("A B", "x", False),
        ("#A", "x", False),
    ],
)
def test_variables_go_by_a_file_where_a_line_holds_them(name: str, value: str, *, fits: bool) -> None:
    assert fits_a_line(name, value) is fits
    said = words("docker", container(environment=((name, value),)), environment_file="/env")
    assert (f"--env {name}={value}" in said) is not fits
    assert "--env-file /env" in said


def test_a_command_for_a_shell() -> None:
    made = container(environment=(("A", "it's $HOME"),), publish=(Publish(host_port=9000, port=8080),))
    text = shown("docker", made, "app:1", "seccomp.json", 0)
    parts = shlex.split(text.replace("\\\n", " "))
    assert parts[:3] == ["docker", "run", "--rm"]
    assert "A=it's $HOME" in parts
    assert "127.0.0.1:9000:8080/tcp" in parts
    assert "--pull" not in parts, "whoever reads it may want to pull"


@pytest.mark.parametrize(
    ("network", "word"), [("own", ""), ("out", ""), ("none", "--network none"), ("host", "--network host")]
)
def test_what_leads_out_is_the_engines_bridge(network: str, word: str) -> None:
    made = container(network=network, publish=(Publish(host_port=9000, port=8080),))
    text = shown("podman", made, "app:1", "seccomp.json", 0)
    assert ("--publish" in text, word in text) == (not word, True)
    assert any("leads out" in note for note in unsaid("podman", made)) == (network == "own"), "unasked for"


def test_what_cannot_be_said_is_told() -> None:
    notes = unsaid("docker", container(id_base=1 << 20, capabilities=("CAP_NET_RAW",)), leads_out=False)
    assert [note.partition(" ")[0] for note in notes] == ["ids", "a", "/data", "the"]
    assert unsaid("podman", container(), leads_out=False) == ()
