"""A real Kubernetes of one machine: etcd and the control plane, and with `node` a kubelet that runs pods. Nothing in, a
running one out; needs root for the node. Built once by scripts/kubernetes.

No kube-proxy, no DNS, no policies: what is seen here is what the API server accepts, and what the kubelet does with it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import servers
from tests.support.servers import free_port, running
from tests.support.tools import need

VERSION = "1.36.3"
SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/ipv4/ip_forward",
)
"""What a kubelet and a bridge set on their machine and leave so."""
TOKEN = "token-of-a-test"
BRIDGE = "wherrykube0"
RESTRICTED = {f"pod-security.kubernetes.io/{one}": "restricted" for one in ("enforce", "warn", "audit")}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """An API server, and how it is spoken to."""

    folder: Path
    programs: Path
    port: int

    @property
    def config(self) -> Path:
        return self.folder / "kubeconfig"

    def kubectl(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / "kubectl"), "--kubeconfig", str(self.config), *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *words: str, given: str = "") -> str:
        """What kubectl said; it must succeed, without a word of warning."""
        made = self.kubectl(*words, given=given)
        assert made.returncode == 0, made.stderr + made.stdout
        assert "Warning" not in made.stderr, made.stderr
        return made.stdout

    def get(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.done("get", *words, "-o", "json"))
        return found

    def namespace(self, name: str) -> None:
        """With the level, and the service account that the controller manager would make."""
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
        self.done("apply", "-f", "-", given=json.dumps(made))
        if not self.kubectl("-n", name, "get", "serviceaccount", "default").stdout:
            self.kubectl("-n", name, "create", "serviceaccount", "default")


def programs() -> Path:
    """Where Kubernetes' programs are, built if they are not there."""
    need("go")
    script = Path(__file__).parents[2] / "scripts/kubernetes"
    done = subprocess.run([str(script), VERSION], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@contextlib.contextmanager
def control_plane() -> Iterator[Cluster]:
    """etcd and an API server on loopback, empty."""
    need("etcd", "openssl")
    with servers.short_folder() as folder:
        cluster = Cluster(folder=folder, programs=programs(), port=free_port())
        _credentials(cluster)
        with _etcd(folder) as store, _server(cluster, store):
            yield cluster


def wait(until: Callable[[], object], *, seconds: float = 90, what: str = "") -> None:
    """Until something is so; a failure afterwards."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def _credentials(cluster: Cluster) -> None:
    folder = cluster.folder
    key = ["openssl", "genrsa", "-out", str(folder / "sa.key"), "2048"]
    public = ["openssl", "rsa", "-in", str(folder / "sa.key"), "-pubout", "-out", str(folder / "sa.pub")]
    for words in (key, public):
        subprocess.run(words, check=True, capture_output=True)
    (folder / "tokens.csv").write_text(f'{TOKEN},admin,uid,"system:masters"\n')
    server = {
        "server": f"https://127.0.0.1:{cluster.port}",
        "certificate-authority": str(folder / "certs/apiserver.crt"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    cluster.config.write_text(json.dumps(config))


@contextlib.contextmanager
def _etcd(folder: Path) -> Iterator[str]:
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    command = ["etcd", "--data-dir", str(folder / "etcd"), "--name", "one", "--unsafe-no-fsync", "--logger", "zap"]
    command += ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
    command += ["--initial-advertise-peer-urls", peer, "--initial-cluster", f"one={peer}"]
    logs = folder / "logs-etcd"
    logs.mkdir()
    with running(command, logs, lambda: servers.answers(f"{client}/health")):
        yield client


@contextlib.contextmanager
def _server(cluster: Cluster, store: str) -> Iterator[None]:
    folder = cluster.folder
    command = [
        str(cluster.programs / "kube-apiserver"),
        f"--etcd-servers={store}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={cluster.port}",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-account-key-file={folder / 'sa.pub'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/24",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=Hostname",
    ]
    logs = folder / "logs-apiserver"
    logs.mkdir()
    with running(command, logs, lambda: cluster.kubectl("get", "--raw", "/readyz").stdout == "ok"):
        yield


@contextlib.contextmanager
def node(cluster: Cluster) -> Iterator[Path]:
    """Schedules and runs pods, on this machine; the socket of its containerd. Nothing is pulled: images are put there."""
    need("containerd", "ctr", "runc", "ip")
    servers.need_root()
    if not Path("/usr/lib/cni/bridge").exists():
        servers.unavailable("not installed here: containernetworking-plugins")
    folder = cluster.folder
    with _kernel_settings(), _fixed_folders(), contextlib.ExitStack() as stack:
        for name in ("kube-controller-manager", "kube-scheduler"):
            stack.enter_context(_controller(cluster, name))
        socket = stack.enter_context(_containerd(folder))
        stack.callback(_no_bridge)
        stack.enter_context(_kubelet(cluster, socket))
        stack.callback(_no_pods, cluster)
        yield socket


@contextlib.contextmanager
def _kernel_settings() -> Iterator[None]:
    """Puts back what the kubelet changes."""
    before = {name: Path("/proc/sys", name).read_text() for name in SYSCTLS}
    try:
        yield
    finally:
        for name, value in before.items():
            Path("/proc/sys", name).write_text(value)


@contextlib.contextmanager
def _fixed_folders() -> Iterator[None]:
    """Takes away what a kubelet makes where no setting leads it elsewhere."""
    made = [folder for folder in map(Path, ("/var/lib/kubelet", "/var/log/containers")) if not folder.exists()]
    try:
        yield
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _controller(cluster: Cluster, name: str) -> Iterator[None]:
    port, config = free_port(), cluster.config
    logs = cluster.folder / f"logs-{name}"
    logs.mkdir()
    command = [
        str(cluster.programs / name),
        *(f"--{one}={config}" for one in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")),
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={logs}",
        "--leader-elect=false",
    ]
    if name == "kube-controller-manager":
        command += [f"--service-account-private-key-file={cluster.folder / 'sa.key'}"]
        command += [f"--root-ca-file={cluster.folder / 'certs/apiserver.crt'}"]
        command += ["--horizontal-pod-autoscaler-sync-period=1s"]
    with running(command, logs, lambda: _listens(port)):
        yield


@contextlib.contextmanager
def _containerd(folder: Path) -> Iterator[Path]:
    home = folder / "containerd"
    (home / "net.d").mkdir(parents=True)
    network = {
        "cniVersion": "0.4.0",
        "name": "test",
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(home / "ipam"),
                    "ranges": [[{"subnet": "10.231.0.0/24"}]],
                },
            }
        ],
    }
    (home / "net.d/test.conflist").write_text(json.dumps(network))
    (home / "config.toml").write_text(
        f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n[grpc]\naddress = "{home}/c.sock"\n'
        '[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "localhost/pause:1"\nrestrict_oom_score_adj = true\n'
        f'[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/usr/lib/cni"\nconf_dir = "{home}/net.d"\n'
        '[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "native"\n'
        '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n'
    )
    with running(["containerd", "--config", f"{home}/config.toml"], home, lambda: servers.listens(home / "c.sock")):
        yield home / "c.sock"


@contextlib.contextmanager
def _kubelet(cluster: Cluster, socket: Path) -> Iterator[None]:
    home = cluster.folder / "kubelet"
    home.mkdir()
    port, health = free_port(), free_port()
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": port,
        "healthzPort": health,
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/",
        "makeIPTablesUtilChains": False,
        "failSwapOn": False,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{socket}",
        "podLogsDir": f"{home}/pods",
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "enableServer": True,
        "registerNode": True,
    }
    (home / "config.yaml").write_text(json.dumps(config))
    command = [str(cluster.programs / "kubelet"), f"--config={home}/config.yaml", f"--kubeconfig={cluster.config}"]
    command += [f"--root-dir={home}/root", f"--cert-dir={home}/certs", "--hostname-override=localhost"]
    with running(command, home, lambda: _ready(cluster)):
        yield


def _ready(cluster: Cluster) -> bool:
    found = cluster.kubectl(
        "get", "node", "localhost", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    )
    return found.stdout == "True"


def _no_pods(cluster: Cluster) -> None:
    """What would start pods again goes with them; the kubelet then takes away what it made for each."""
    cluster.kubectl("delete", "deployment", "--all", "--all-namespaces", "--cascade=foreground", "--timeout=120s")
    wait(lambda: not cluster.get("pods", "--all-namespaces")["items"], what="the pods are gone")


def _no_bridge() -> None:
    subprocess.run(["ip", "link", "del", BRIDGE], check=False, capture_output=True)
    for folder in Path("/sys/fs/cgroup").glob("*/kubepods"):
        for below in sorted((one for one in folder.rglob("*") if one.is_dir()), key=lambda one: -len(one.parts)):
            with contextlib.suppress(OSError):
                below.rmdir()
        with contextlib.suppress(OSError):
            folder.rmdir()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
