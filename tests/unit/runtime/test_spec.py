"""F06 ★: the whole config.json of a hardened container, to the letter; and what each option changes in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from wherry.model.container import Bind, Container, Limits, Tmpfs, User
from wherry.oci.platform import Platform
from wherry.runtime.seccomp import default_seccomp
from wherry.runtime.spec import Surroundings, destinations, spec

GOLDEN = Path(__file__).parents[2] / "data" / "config.json"
AROUND = Surroundings(id="0123456789ab", root="/run/root", files="/run/files")
PLAIN = Container(
    name="app",
    image="app:1",
    platform=Platform(architecture="amd64"),
    arguments=("/app", "-v"),
    environment=(("PATH", "/bin"), ("A", "b=c")),
    user=User(uid=65532, gid=65532, groups=(7,)),
    hostname="app",
    tmpfs=(Tmpfs(path="/tmp"), Tmpfs(path="/data", mode=0o750, size=1 << 20, uid=65532, gid=65532, copied=True)),
    binds=(
        Bind(source="/host/data", path="/mnt", writable=True),
        Bind(source="/host/app", path="/app", executable=True),
        Bind(source="/run/files/secret-0", path="/run/secrets/token"),
    ),
    id_base=0x30000000,
    limits=Limits(memory=64 << 20, cpus=1.5, pids=64, files=1024),
)


def made(container: Container = PLAIN, around: Surroundings = AROUND) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(spec(container, around)))
    return document


def test_the_whole_of_it() -> None:
    """Anything that changes here changes how every container is kept apart: look twice, then write it anew."""
    assert made() == json.loads(GOLDEN.read_text())


def test_system_calls_are_filtered() -> None:
    profile = default_seccomp("amd64")
    found = made(around=replace(AROUND, seccomp=profile))["linux"]["seccomp"]
    assert found["defaultAction"] == "SCMP_ACT_ERRNO"
    assert "seccomp" not in made()["linux"]


def test_hosts_network_and_ids() -> None:
    kinds = {one["type"] for one in made(replace(PLAIN, network="host", id_base=0))["linux"]["namespaces"]}
    assert kinds == {"pid", "ipc", "uts", "mount", "cgroup"}
    assert "uidMappings" not in made(replace(PLAIN, id_base=0))["linux"]


def test_a_capability_is_ambient_for_a_user_and_never_inheritable_for_root() -> None:
    name = "CAP_NET_BIND_SERVICE"
    user = made(replace(PLAIN, capabilities=(name,)))["process"]["capabilities"]
    root = made(replace(PLAIN, capabilities=(name,), user=User(uid=0, gid=0)))["process"]["capabilities"]
    assert user["ambient"] == user["bounding"] == [name]
    assert (root["ambient"], root["inheritable"], root["permitted"]) == ([], [], [name])


def test_what_debug_joins() -> None:
    rows = {
        one["type"]: one.get("path") for one in made(replace(PLAIN, joins=42, terminal=True))["linux"]["namespaces"]
    }
    assert rows["network"] == "/proc/42/ns/net"
    assert rows["pid"] == "/proc/42/ns/pid"
    assert rows["user"] == "/proc/42/ns/user"
    assert rows["mount"] is None, "its root is its own"


def test_secrets_have_one_folder_to_be_mounted_upon() -> None:
    """A runtime in a user namespace may not make it: the image's /run is not its own."""
    assert destinations(PLAIN) == ("/run/secrets", "/tmp", "/data", "/mnt", "/app")
    assert "/run/secrets" not in destinations(replace(PLAIN, binds=()))
    mounts = [one["destination"] for one in made()["mounts"]]
    assert mounts.index("/run/secrets") < mounts.index("/run/secrets/token")


def test_no_limit_is_no_limit() -> None:
    assert made(replace(PLAIN, limits=Limits()))["linux"]["resources"] == {
        "devices": [{"allow": False, "access": "rwm"}]
    }
    assert "resources" not in made(replace(PLAIN, group=None))["linux"]
