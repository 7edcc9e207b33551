"""What `wherry generate kubernetes` writes, run by a real kubelet: it rolls out, is as hardened as it says, follows its
autoscaler, and loses no request when it is replaced, evicted or taken away."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import apps
from tests.support import cluster as kubernetes
from tests.support.callers import calling, ready
from tests.support.cli import wherry
from tests.support.cluster import Cluster, wait
from tests.support.examples import commit
from tests.support.opinions import record, table

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("kubernetes")]

SPACE = "shop"
PAUSE = """package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, os.Interrupt)
	<-asked
}
"""
MEASURED: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Node:
    """A cluster that runs pods, and how images and files come to it."""

    cluster: Cluster
    socket: Path
    home: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"CONTAINERD_ADDRESS": str(self.socket), "CONTAINERD_NAMESPACE": "k8s.io"}

    def wherry(self, *words: str | Path, cwd: Path) -> str:
        done = wherry(*words, home=self.home, cwd=cwd, **self.variables)
        assert done.code == 0, done.stderr
        return done.stdout

    def put(self, place: str, name: str) -> str:
        """An image into containerd; its digest."""
        said = self.wherry("copy", place, f"containerd:{name}:1", cwd=self.home)
        digest = said.strip().rpartition("@")[2]
        pinned = f"{name}@{digest}"
        subprocess.run(
            ["ctr", "-n", "k8s.io", "-a", str(self.socket), "images", "tag", f"{name}:1", pinned],
            check=True,
            capture_output=True,
        )
        return digest

    def deploy(self, program: str, *settings: str) -> Path:
        """The files that wherry writes for a program of tests/apps, applied."""
        digest = self.put(apps.place(program), f"localhost/{program}")
        root = Path(shutil.copytree(apps.repository(), self.home / f"{program}-{time.monotonic_ns()}"))
        lines = (f'image = "localhost/{program}"', *settings)
        with (root / "wherry.toml").open("a") as file:
            file.write("\n".join(("", "[generate]", *lines, "")))
        self.wherry("generate", "kubernetes", f"./cmd/{program}", "--digest", digest, "--offline", cwd=root)
        self.cluster.done("-n", SPACE, "apply", "-f", str(root / "deploy"))
        return root

    def rolled_out(self, program: str) -> float:
        start = time.monotonic()
        self.cluster.done("-n", SPACE, "rollout", "status", f"deployment/{program}", "--timeout=120s")
        return time.monotonic() - start

    def pods(self, program: str) -> list[dict[str, Any]]:
        found = self.cluster.get("-n", SPACE, "pods", "-l", f"app.kubernetes.io/name={program}")["items"]
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    home = tmp_path_factory.mktemp("node")
    with kubernetes.control_plane() as cluster, kubernetes.node(cluster) as socket:
        made = Node(cluster=cluster, socket=socket, home=home)
        source = home / "pause"
        source.mkdir()
        (source / "go.mod").write_text("module example.com/pause\n\ngo 1.24\n")
        (source / "main.go").write_text(PAUSE)
        commit(source)
        made.wherry("build", "-o", "oci:pause.oci", cwd=source)
        made.put(f"oci:{source}/pause.oci", "localhost/pause")
        cluster.namespace(SPACE)
        yield made


@pytest.fixture(scope="module")
def good(node: Node) -> str:
    node.deploy("good")
    node.rolled_out("good")
    wait(lambda: len(ready(node.cluster, SPACE, "good")) == 2, what="the autoscaler's two copies are ready")
    return "good"


def test_it_rolls_out_with_the_copies_of_its_autoscaler(node: Node, good: str) -> None:
    pods = node.pods(good)
    assert len(pods) == 2
    assert all(one["status"]["containerStatuses"][0]["restartCount"] == 0 for one in pods)


def test_it_is_as_hardened_as_the_files_say(node: Node, good: str) -> None:
    words = ["ctr", "-n", "k8s.io", "-a", str(node.socket), "tasks", "ls"]
    tasks = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n")[1:]
    pids = [int(line.split()[1]) for line in tasks if line]
    ours = [pid for pid in pids if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/app/good")]
    assert len(ours) == 2
    for pid in ours:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert status["Uid"].split() == ["65532"] * 4
        assert status["Gid"].split() == ["65532"] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2"
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert b"GOMEMLIMIT=235929KiB" in environment
        assert not [one for one in environment if one.startswith(b"GOOD_SERVICE_")]
        mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
        assert next(one[3].split(",")[0] for one in mounts if one[1] == "/") == "ro"
        assert next(one[3].split(",")[0] for one in mounts if one[1] == "/tmp") == "rw"
        assert not Path(f"/proc/{pid}/root/run/secrets/kubernetes.io").exists()


def test_requests_under_way_survive_a_rollout(node: Node, good: str) -> None:
    before = {one["metadata"]["name"] for one in node.pods(good)}
    with calling(node.cluster, (SPACE, good), "/slow?ms=700") as calls:
        node.cluster.done("-n", SPACE, "rollout", "restart", f"deployment/{good}")
        took = node.rolled_out(good)
        wait(lambda: not before & {one["metadata"]["name"] for one in _all(node, good)}, what="the old pods are gone")
    assert calls.failures == []
    assert len(calls.pods) >= 4, "old and new pods answered"
    MEASURED["rollout of 2 copies under load"] = f"{took:.1f} s, {calls.answered} requests, none lost"


def _all(node: Node, program: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.cluster.get("-n", SPACE, "pods", "-l", f"app.kubernetes.io/name={program}")[
        "items"
    ]
    return found


def test_requests_under_way_survive_more_and_fewer_copies(node: Node, good: str) -> None:
    def copies(number: int) -> None:
        patch = json.dumps({"spec": {"minReplicas": number, "maxReplicas": max(number, 3)}})
        node.cluster.done("-n", SPACE, "patch", "hpa", good, "--type=merge", "-p", patch)

    with calling(node.cluster, (SPACE, good), "/slow?ms=700") as calls:
        copies(3)
        wait(lambda: len(ready(node.cluster, SPACE, good)) == 3, what="a third copy")
        copies(2)
        # Nothing measures processors here, so nothing takes a copy away by itself.
        node.cluster.done("-n", SPACE, "scale", "deployment", good, "--replicas=2")
        wait(lambda: len(_all(node, good)) == 2, what="the third copy is gone")
    assert calls.failures == []
    assert calls.answered
    MEASURED["2 copies, 3, and 2 again"] = f"{calls.answered} requests, none lost"


def test_a_node_is_emptied_one_copy_at_a_time_and_nobody_notices(node: Node, good: str) -> None:
    first, second = (one["metadata"]["name"] for one in node.pods(good))

    def evict(name: str) -> subprocess.CompletedProcess[str]:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": SPACE}}
        path = f"/api/v1/namespaces/{SPACE}/pods/{name}/eviction"
        return node.cluster.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(body))

    with calling(node.cluster, (SPACE, good), "/slow?ms=700") as calls:
        assert evict(first).returncode == 0
        refused = evict(second)
        assert refused.returncode != 0
        assert "disruption budget" in refused.stderr
        wait(lambda: first not in {one["metadata"]["name"] for one in _all(node, good)}, what="the first is gone")
        wait(lambda: len(ready(node.cluster, SPACE, good)) == 2, what="another has come")
        wait(lambda: evict(second).returncode == 0, what="then the second may go")
        wait(lambda: second not in {one["metadata"]["name"] for one in _all(node, good)}, what="the second is gone")
        wait(lambda: len(ready(node.cluster, SPACE, good)) == 2, what="another has come")
    assert calls.failures == []
    MEASURED["both copies evicted, one after the other"] = f"{calls.answered} requests, none lost"


def test_one_that_cuts_requests_off_is_seen(node: Node) -> None:
    """The callers are right: a program that drains badly loses requests with the same files."""
    node.deploy("halfdrain")
    node.rolled_out("halfdrain")
    wait(lambda: len(ready(node.cluster, SPACE, "halfdrain")) == 2, what="two copies")
    before = {one["metadata"]["name"] for one in node.pods("halfdrain")}
    # Longer than two roll-outs and the preStop, so that some are under way at SIGTERM.
    with calling(node.cluster, (SPACE, "halfdrain"), "/slow?ms=14000") as calls:
        time.sleep(2)
        node.cluster.done("-n", SPACE, "rollout", "restart", "deployment/halfdrain")
        wait(
            lambda: not before & {one["metadata"]["name"] for one in _all(node, "halfdrain")},
            what="the old pods are gone",
        )
    assert calls.failures
    node.cluster.done("-n", SPACE, "delete", "deployment,hpa", "halfdrain")


def test_a_port_below_1024_needs_no_right(node: Node) -> None:
    node.deploy("lowport")
    node.rolled_out("lowport")
    (pod, *_) = node.pods("lowport")
    assert pod["spec"]["securityContext"]["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]
    node.cluster.done("-n", SPACE, "delete", "deployment,hpa", "lowport")


def test_a_recorded_profile_works_once_the_node_has_it(node: Node) -> None:
    """And until then pods wait with the reason that the comment names."""
    profile = node.home / "seccomp.json"
    repository = apps.repository()
    node.wherry("profile", "./cmd/selfhealth", "--get", "/", "-o", profile, cwd=repository)
    node.deploy("selfhealth", f'seccomp = "{profile.name}"')
    wait(lambda: "CreateContainerError" in _waiting(node, "selfhealth"), what="no profile on the node")
    folder = node.cluster.folder / "kubelet/root/seccomp"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(profile, folder / "selfhealth.json")
    node.rolled_out("selfhealth")
    (pod, *_) = node.pods("selfhealth")
    assert pod["spec"]["securityContext"]["seccompProfile"]["localhostProfile"] == "selfhealth.json"
    node.cluster.done("-n", SPACE, "delete", "deployment,hpa", "selfhealth")


def _waiting(node: Node, program: str) -> list[str]:
    states = [one["status"].get("containerStatuses", [{}])[0].get("state", {}) for one in node.pods(program)]
    return [one["waiting"]["reason"] for one in states if "waiting" in one]


def test_what_was_measured_is_recorded() -> None:
    assert len(MEASURED) == 3
    record(
        "Kubernetes, a real kubelet",
        f"`wherry generate kubernetes` of `tests/apps/cmd/good`, run by Kubernetes {kubernetes.VERSION}; six callers without",
        "a pause, each request taking 0.7 s.",
        "",
        *table(("what", "seen"), tuple(MEASURED.items())),
    )
