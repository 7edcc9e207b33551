"""Generated compose files and docker-bake.hcl with Docker Compose 2.40, Buildx 0.29 and a real engine: what they promise, asked
of the kernel and of the running application."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import composing, opinions, servers
from tests.support.buildkit import Builder, builder
from tests.support.composing import SERVICE, Project, of_file
from tests.support.generated import GOLDENS
from tests.support.hub import hub
from tests.support.kernel_facts import limit_of, mounts_of, variables_of
from wherry.runtime.cgroups import group_of, usage

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

PRODUCTION, SECURE, DEV, DELVE = 8091, 8092, 8093, 2345
EVERYBODY = (SERVICE, "postgres", "redis")
PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_ERRNO"}]}
"""Some profile of one's own."""


@pytest.fixture(scope="module")
def docker() -> Iterator[Builder]:
    servers.need_root()
    composing.need_free(PRODUCTION, SECURE, DEV, DELVE)
    with hub() as everything, builder(everything) as made:
        yield made


@pytest.fixture(scope="module")
def production(docker: Builder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Built by wherry, pushed, pulled by digest, up and healthy, under a recorded profile."""
    with servers.docker_registry() as registry:
        settings = f'image = "{registry}/team/{SERVICE}"\nseccomp = "seccomp.json"\n'
        one = composing.project(tmp_path_factory.mktemp("production"), docker, PRODUCTION, settings)
        (one.folder / "seccomp.json").write_text(json.dumps(PROFILE))
        digest = composing.pushed(one, registry)
        one.wherry("generate", "compose", "--for", "production", "--digest", digest)
        made = of_file(one, "compose.production.yaml")
        made.prepare()
        yield from _up(made)


@pytest.fixture(scope="module")
def secure(docker: Builder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    one = composing.project(tmp_path_factory.mktemp("secure"), docker, SECURE, 'secrets = ["redis_password"]\n')
    for words in ("dockerignore", "dockerfile", "compose"):
        one.wherry("generate", words)
    made = of_file(one, "compose.yaml", VERSION="1.2.3")
    made.prepare()
    yield from _up(made)


def _up(project: Project) -> Iterator[Project]:
    try:
        project.compose("up", "--detach", "--wait", "--quiet-pull")
        yield project
    finally:
        project.compose("down", "--volumes", "--timeout", "5")


@pytest.mark.parametrize("file", sorted(GOLDENS.glob("compose-*/*.yaml")), ids=lambda path: path.parent.name)
def test_compose_accepts_every_file_without_a_word(file: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/shop-api.env").write_text("DATABASE_URL=x\n")
    shutil.copy(file, tmp_path)
    done = subprocess.run(
        [composing.compose_program(), "-f", file.name, "config", "--quiet"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SHOP_API_IMAGE": "x", "JOBS_IMAGE": "y"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _kernel_says(project: Project, service: str) -> dict[str, Any]:
    pid = project.pid(service)
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    mounts, used = mounts_of(pid), usage(group_of(pid))
    capabilities = {status[name][0].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    tmpfs = {path: row[5] for path, row in mounts.items() if row[row.index("-") + 1] == "tmpfs"}
    return {
        "root": "0" in status["Uid"],
        "capabilities": capabilities,
        "no new privileges": status["NoNewPrivs"],
        "seccomp": status["Seccomp"],
        "root file system": mounts["/"][5].partition(",")[0],
        "noexec": all(
            {"noexec", "nosuid", "nodev"} <= set(tmpfs[path].split(",")) for path in ("/tmp",) if path in tmpfs
        ),
        "limited": all((used.memory_limit, used.cpu_limit, used.pids_limit)),
    }


@pytest.mark.parametrize("service", EVERYBODY)
def test_the_kernel_says_that_it_is_hardened(service: str, production: Project) -> None:
    assert _kernel_says(production, service) == {
        "root": False,
        "capabilities": {""},
        "no new privileges": ["1"],
        "seccomp": ["2"],
        "root file system": "ro",
        "noexec": True,
        "limited": True,
    }


def test_limits_of_the_kernel_are_those_of_wherry_toml(production: Project) -> None:
    pid, host = production.pid(), production.facts()["HostConfig"]
    used = usage(group_of(pid))
    assert (used.memory_limit, used.cpu_limit, used.pids_limit) == (64 << 20, 0.5, 32)
    assert (limit_of(pid, "Max core file size"), limit_of(pid, "Max open files")) == ("0", "1024")
    assert (host["MemorySwap"], host["MemoryReservation"], host["CpuShares"]) == (64 << 20, 32 << 20, 102)
    assert variables_of(pid)["GOMEMLIMIT"] == f"{(64 << 20) * 9 // 10 >> 10}KiB"
    assert mounts_of(pid)["/tmp"][-1].split(",")[1] == "size=65536k"


def test_the_recorded_profile_is_the_one_that_holds(production: Project) -> None:
    (profile,) = (one for one in production.facts()["HostConfig"]["SecurityOpt"] if one.startswith("seccomp="))
    assert json.loads(profile.partition("=")[2]) == PROFILE


def test_it_is_healthy_by_its_own_probe_and_answers(production: Project) -> None:
    facts = production.facts()
    assert facts["State"]["Health"]["Status"] == "healthy"
    assert facts["Config"]["Healthcheck"]["Test"] == ["CMD", "/wherry/probe", str(PRODUCTION), "/healthz", "2"]
    assert production.ask("/answer") == "first"
    with pytest.raises(urllib.error.HTTPError) as caught:
        production.ask("/outside")
    assert b"read-only file system" in caught.value.read()


def test_servers_are_found_by_name_and_let_in_who_knows_the_password(production: Project) -> None:
    assert production.ask("/cache") == "+PONG"
    assert production.ask("/database") == "reached"
    address = variables_of(production.pid())["DATABASE_URL"]
    asked = ("exec", "-T", "postgres", "psql", "-tc", "SELECT current_user")
    assert production.compose(*asked, address).split() == [SERVICE]
    password = (production.folder / "secrets/postgres-password").read_text().strip()
    with pytest.raises(AssertionError, match="password authentication failed"):
        production.compose(*asked, address.replace(password, "guess"))


def test_servers_are_published_nowhere_and_sit_in_an_internal_network(production: Project) -> None:
    """What keeps such a network in are the engine's packet filters, which this daemon has none of: so its word is asked."""
    for service in ("postgres", "redis"):
        settings = production.facts(service)["NetworkSettings"]
        assert [one for one in settings["Ports"].values() if one] == []
        (network,) = settings["Networks"]
        assert json.loads(production.docker("network", "inspect", network))[0]["Internal"] is True
    published = production.facts()["NetworkSettings"]["Ports"]
    assert published == {f"{PRODUCTION}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(PRODUCTION)}]}


def test_volumes_outlive_the_containers(production: Project) -> None:
    production.ask("/kept", "PUT", "of yesterday")
    production.compose("down")
    production.compose("up", "--detach", "--wait")
    assert production.ask("/kept") == "of yesterday"
    folder = Path(f"/proc/{production.pid()}/root/data").stat()
    assert (folder.st_uid, folder.st_gid) == (65532, 65532)


def test_output_is_rotated(production: Project) -> None:
    production.ask("/flood", "POST", "x")
    path = Path(production.facts()["LogPath"])
    sizes = [one.stat().st_size for one in path.parent.glob(f"{path.name}*")]
    assert len(sizes) == 3
    assert max(sizes) < 10_010_000


def test_a_crash_is_started_again_and_a_stop_is_not(production: Project) -> None:
    before = production.facts()
    with pytest.raises(OSError, match=r"closed|reset"):
        production.ask("/crash", "POST", "x")
    production.becomes("first", "/answer")
    assert production.facts()["RestartCount"] == before["RestartCount"] + 1
    production.compose("stop", SERVICE)
    time.sleep(2)
    state = production.facts()["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)
    production.compose("up", "--detach", "--wait")


def test_secure_is_built_here_and_answers(secure: Project) -> None:
    assert secure.ask("/answer") == "first"
    facts = secure.facts()
    assert facts["Config"]["Image"] == f"{SERVICE}:1.2.3"
    assert facts["Config"]["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    said = _kernel_says(secure, SERVICE)
    assert (said["root"], said["capabilities"], said["seccomp"], said["root file system"]) == (False, {""}, ["2"], "ro")
    assert facts["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"]
    secure.ask("/kept", "PUT", "by its user")
    assert secure.ask("/kept") == "by its user"


def test_redis_asks_for_the_password_that_the_program_reads(secure: Project) -> None:
    """One file for both sides; no list of processes shows it."""
    ask = ("exec", "-T", "redis")
    with pytest.raises(AssertionError, match="NOAUTH"):
        secure.compose(*ask, "redis-cli", "-e", "ping")
    knowing = 'REDISCLI_AUTH="$(cat /run/secrets/redis-password)" redis-cli -e ping'
    assert secure.compose(*ask, "sh", "-c", knowing).strip() == "PONG"
    assert secure.facts("redis")["State"]["Health"]["Status"] == "healthy"
    password = (secure.folder / "secrets/redis-password").read_bytes()
    assert Path(f"/proc/{secure.pid()}/root/run/secrets/redis_password").read_bytes() == password
    shown = Path(f"/proc/{secure.pid('redis')}/cmdline").read_bytes()
    assert shown.startswith(b"redis-server")
    assert password.strip() not in shown


def test_dev_starts_anew_what_is_saved(docker: Builder, tmp_path: Path) -> None:
    one = composing.project(tmp_path, docker, DEV)
    toml = one.folder / "wherry.toml"
    toml.write_text(toml.read_text().replace('["postgres", "redis"]', "[]"))
    for words in (["dockerignore"], ["dockerfile", "--variant", "dev"], ["compose", "--for", "dev"]):
        one.wherry("generate", *words)
    dev = of_file(one, "compose.dev.yaml")
    source = dev.folder / "main.go"
    text = source.read_text()
    try:
        with composing.watched(dev):
            dev.becomes("first", "/answer")
            _delve_answers()
            source.write_text(text.replace('"first"', '"second"'))
            saved = dev.becomes("second", "/answer")
            source.write_text(text.replace('say(w, "first", nil)', "say(w,"))
            _until(lambda: "syntax error" in dev.compose("logs"))
            source.write_text(text.replace('"first"', '"third"'))
            mended = dev.becomes("third", "/answer")
            assert _kernel_says(dev, SERVICE)["capabilities"] == {""}
            assert _kernel_says(dev, SERVICE)["root"] is False
    finally:
        dev.compose("down", "--volumes", "--timeout", "5")
    rows = (("a line of Go", f"{saved:.1f} s"), ("the same, after one that did not compile", f"{mended:.1f} s"))
    opinions.record(
        "Compose, live reload",
        "`docker compose watch` of Compose 2.40.3 over a generated compose.dev.yaml: from saving a file until the",
        "program answers otherwise, compiled with Delve's flags, two busy processors.",
        "",
        *opinions.table(("saved", "answers after"), rows),
        "",
        *opinions.versions(),
    )


def _delve_answers() -> None:
    with socket.create_connection(("127.0.0.1", DELVE), 10) as delve:
        delve.sendall(b'{"method": "RPCServer.GetVersion", "params": [{}], "id": 1}\n')
        answer = json.loads(delve.recv(65536))
    assert answer["result"]["APIVersion"] == 2


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + composing.PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.parametrize("name", ["api", "jobs", "both"])
def test_bake_reads_every_file(name: str, tmp_path: Path) -> None:
    shutil.copytree(GOLDENS / f"bake-{name}", tmp_path, dirs_exist_ok=True)
    groups = ["default"] if name == "jobs" else ["default", "release"]
    done = subprocess.run(
        [composing.buildx_program(), "bake", "-f", "docker-bake.hcl", "--print", *groups],
        cwd=tmp_path, env={"HOME": str(tmp_path), "VERSION": "7"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    targets = json.loads(done.stdout)["target"]
    assert {tag.rpartition(":")[2] for one in targets.values() for tag in one["tags"]} == {"7"}
    assert {one["context"] for one in targets.values()} == {"."}


def test_bake_builds_what_secure_builds(docker: Builder, secure: Project, tmp_path: Path) -> None:
    secure.wherry("generate", "bake")
    reaching = {"network": "host", "args": {"HTTPS_PROXY": docker.hub.proxy}}
    (tmp_path / "reach.json").write_text(json.dumps({"target": {SERVICE: reaching}}))
    files = ["-f", "docker-bake.hcl", "-f", str(tmp_path / "reach.json")]
    done = subprocess.run(
        [composing.buildx_program(), "bake", *files, "--allow=network.host"],
        cwd=secure.folder, env=docker.variables | {"VERSION": "1.2.4"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    baked, composed = (json.loads(docker("inspect", f"{SERVICE}:{tag}"))[0]["Config"] for tag in ("1.2.4", "1.2.3"))
    for config, version in ((baked, "1.2.4"), (composed, "1.2.3")):
        assert config["Labels"].pop("org.opencontainers.image.version") == version
        config["Labels"] = {k: v for k, v in config["Labels"].items() if not k.startswith("com.docker.compose.")}
    assert baked == composed
