"""What `wherry generate kubernetes` writes, run by a real kubelet: it rolls out, is as hardened as it says, follows its
autoscaler, and loses no request when it is replaced, evicted or taken away."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, examples
from tests.support import cluster as kubernetes
from tests.support.callers import calling
from tests.support.cluster import wait
from tests.support.node import SPACE, Node, running
from tests.support.opinions import record, table

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("kubernetes")]

MEASURED: dict[str, str] = {}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("node")) as made:
        yield made


def deployed(node: Node, program: str, *settings: str) -> str:
    """A program of tests/apps."""
    digest = node.put(apps.place(program), f"localhost/{program}")
    root = Path(shutil.copytree(apps.repository(), node.home / program))
    return node.deploy(root, f"./cmd/{program}", digest, *settings)


@pytest.fixture(scope="module")
def good(node: Node) -> str:
    name = deployed(node, "good")
    node.rolled_out(name)
    wait(lambda: len(node.ready(name)) == 2, what="the autoscaler's two copies are ready")
    return name


def test_it_rolls_out_with_the_copies_of_its_autoscaler(node: Node, good: str) -> None:
    pods = node.pods(good)
    assert len(pods) == 2
    assert all(one["status"]["containerStatuses"][0]["restartCount"] == 0 for one in pods)


def test_it_is_as_hardened_as_the_files_say(node: Node, good: str) -> None:
    ours = node.processes("good")
    assert len(ours) == 2
    for pid in ours:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert status["Uid"].split() == ["65532"] * 4
        assert status["Gid"].split() == ["65532"] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2"
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert {b"GOMEMLIMIT=235929KiB", b"HOME=/home/nonroot"} <= set(environment)
        assert not [one for one in environment if one.startswith(b"GOOD_SERVICE_")]
        mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
        assert next(one[3].split(",")[0] for one in mounts if one[1] == "/") == "ro"
        for path in ("/tmp", "/home/nonroot"):
            assert next(one[3].split(",")[0] for one in mounts if one[1] == path) == "rw"
        assert not Path(f"/proc/{pid}/root/run/secrets/kubernetes.io").exists()


def test_requests_under_way_survive_a_rollout(node: Node, good: str) -> None:
    before = node.names(good)
    with calling(node.cluster, (SPACE, good), "/slow?ms=700") as calls:
        node.cluster.done("-n", SPACE, "rollout", "restart", f"deployment/{good}")
        took = node.rolled_out(good)
        wait(lambda: not before & node.names(good, leaving=True), what="the old pods are gone")
    assert calls.failures == []
    assert len(calls.pods) >= 4, "old and new pods answered"
    MEASURED["rollout of 2 copies under load"] = f"{took:.1f} s, {calls.answered} requests, none lost"


def test_requests_under_way_survive_more_and_fewer_copies(node: Node, good: str) -> None:
    def copies(number: int) -> None:
        patch = json.dumps({"spec": {"minReplicas": number, "maxReplicas": 3}})
        node.cluster.done("-n", SPACE, "patch", "hpa", good, "--type=merge", "-p", patch)

    with calling(node.cluster, (SPACE, good), "/slow?ms=700") as calls:
        copies(3)
        wait(lambda: len(node.ready(good)) == 3, what="a third copy")
        copies(2)
        # Nothing measures processors here, so nothing takes a copy away by itself.
        node.cluster.done("-n", SPACE, "scale", "deployment", good, "--replicas=2")
        wait(lambda: len(node.names(good, leaving=True)) == 2, what="the third copy is gone")
    assert calls.failures == []
    MEASURED["2 copies, 3, and 2 again"] = f"{calls.answered} requests, none lost"


def test_a_node_is_emptied_one_copy_at_a_time_and_nobody_notices(node: Node, good: str) -> None:
    first, second = node.names(good)

    def evict(name: str) -> subprocess.CompletedProcess[str]:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": SPACE}}
        path = f"/api/v1/namespaces/{SPACE}/pods/{name}/eviction"
        return node.cluster.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(body))

    with calling(node.cluster, (SPACE, good), "/slow?ms=700") as calls:
        assert evict(first).returncode == 0
        refused = evict(second)
        assert refused.returncode != 0
        assert "disruption budget" in refused.stderr
        wait(lambda: first not in node.names(good, leaving=True), what="the first is gone")
        wait(lambda: len(node.ready(good)) == 2, what="another has come")
        wait(lambda: evict(second).returncode == 0, what="then the second may go")
        wait(lambda: second not in node.names(good, leaving=True), what="the second is gone")
        wait(lambda: len(node.ready(good)) == 2, what="another has come")
    assert calls.failures == []
    MEASURED["both copies evicted, one after the other"] = f"{calls.answered} requests, none lost"


def test_one_that_cuts_requests_off_is_seen(node: Node) -> None:
    """The callers are right: a program that drains badly loses requests with the same files."""
    name = deployed(node, "halfdrain")
    node.rolled_out(name)
    wait(lambda: len(node.ready(name)) == 2, what="two copies")
    before = node.names(name)
    # Longer than two roll-outs and the preStop, so that some are under way at SIGTERM.
    with calling(node.cluster, (SPACE, name), "/slow?ms=14000") as calls:
        time.sleep(2)
        node.cluster.done("-n", SPACE, "rollout", "restart", f"deployment/{name}")
        wait(lambda: not before & node.names(name, leaving=True), what="the old pods are gone")
    assert calls.failures
    node.gone(name)


def test_a_port_below_1024_needs_no_right(node: Node) -> None:
    name = deployed(node, "lowport")
    assert node.get(name, 80, "/readyz") == "ready"
    node.gone(name)


def test_secrets_are_for_its_group_alone(node: Node) -> None:
    node.cluster.done("-n", SPACE, "create", "secret", "generic", "slowstop-files", "--from-literal=token=4711")
    name = deployed(node, "slowstop", 'secrets = ["token"]')
    node.rolled_out(name)
    (pid, *_) = node.processes("slowstop")
    secret = Path(f"/proc/{pid}/root/run/secrets/token")
    # A Secret's keys are links to links; in this mount namespace they lead nowhere.
    real = Path(f"/proc/{pid}/root/run/secrets/..data").readlink()
    file = secret.parent / real / "token"
    assert (file.read_text(), file.stat().st_gid, file.stat().st_mode & 0o777) == ("4711", 65532, 0o440)
    node.gone(name)


def test_a_volume_outlives_its_pods(node: Node, tmp_path: Path) -> None:
    disk = node.cluster.folder / "disk"
    disk.mkdir()
    node.cluster.done("apply", "-f", "-", given=json.dumps(local_volume(disk)))
    root = examples.repository("writable-dirs", tmp_path)
    (root / "wherry.toml").write_text('[image]\nvolumes = ["/var/lib/counter"]\n')
    node.wherry("build", "-o", f"oci:{tmp_path}/image", cwd=root)
    name = node.deploy(root, ".", node.put(f"oci:{tmp_path}/image", "localhost/writable-dirs"))
    node.rolled_out(name)
    before = node.names(name)
    assert node.get(name, 8080, "/") == "1"
    node.cluster.done("-n", SPACE, "rollout", "restart", f"deployment/{name}")
    node.rolled_out(name)
    assert not before & node.names(name, leaving=True), "the old one went first"
    assert node.get(name, 8080, "/") == "2"
    assert (disk / "count").stat().st_uid == 65532
    node.gone(name)


def local_volume(folder: Path) -> dict[str, object]:
    """A disk of the node, which whoever runs a cluster would provide."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["localhost"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "disk"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def test_a_recorded_profile_works_once_the_node_has_it(node: Node) -> None:
    """And until then pods wait with the reason that the comment names."""
    root = Path(shutil.copytree(apps.repository(), node.home / "selfhealth"))
    profile = root / "seccomp.json"
    node.wherry("profile", "./cmd/selfhealth", "--get", "/", "-o", profile, cwd=root)
    digest = node.put(apps.place("selfhealth"), "localhost/selfhealth")
    name = node.deploy(root, "./cmd/selfhealth", digest, f'seccomp = "{profile.name}"')
    wait(lambda: "CreateContainerError" in waiting(node, name), what="no profile on the node")
    folder = node.cluster.folder / "kubelet/root/seccomp"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(profile, folder / "selfhealth.json")
    node.rolled_out(name)
    (pod, *_) = node.pods(name)
    assert pod["spec"]["securityContext"]["seccompProfile"]["localhostProfile"] == "selfhealth.json"
    node.gone(name)


def waiting(node: Node, name: str) -> list[str]:
    """Why its containers do not run."""
    states = [one["status"].get("containerStatuses", [{}])[0].get("state", {}) for one in node.pods(name)]
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
