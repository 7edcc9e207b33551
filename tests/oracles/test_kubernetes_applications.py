"""Examples and real applications: files written by `wherry generate kubernetes` in each form, taken by a real API server; the
plain ones rolled out by a real kubelet, and asked."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import cluster as kubernetes
from tests.support import examples
from tests.support.node import SPACE, Node, running
from tests.support.opinions import record, table
from tests.support.tools import go_tool, need

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("kubernetes")]

HELM = "helm.sh/helm/v3"


@dataclass(frozen=True, kw_only=True)
class App:
    """What is deployed, and how it is asked; a port of 0: it ends by itself, so no pod of it can stay."""

    name: str
    source: str
    """A folder of examples/, or `module@version`."""
    package: str = "."
    port: int = 8080
    path: str = "/"
    settings: str = ""


CADDY = '[image]\nargs = ["respond", "--listen", ":8080", "well"]\nports = [8080]\n'
APPS = (
    App(
        name="go-httpbin",
        source="github.com/mccutchen/go-httpbin/v2@v2.26.0",
        package="./cmd/go-httpbin",
        path="/get",
    ),
    App(
        name="podinfo",
        source="github.com/stefanprodan/podinfo@v1.8.1-0.20250910200901-e86405a8674e",
        package="./cmd/podinfo",
        port=9898,
        path="/healthz",
    ),
    App(name="caddy", source="github.com/caddyserver/caddy/v2@v2.11.9", package="./cmd/caddy", settings=CADDY),
    App(name="hello", source="hello"),
    App(name="http-api", source="http-api", path="/healthz"),
    App(name="api", source="multi-main", package="./cmd/api", path="/healthz"),
    App(name="worker", source="multi-main", package="./cmd/worker", port=8081, path="/healthz"),
    App(name="app", source="workspace", package="./app"),
    App(name="embed-assets", source="embed-assets", path="/config"),
    App(name="writable-dirs", source="writable-dirs"),
    App(name="greet", source="cli", package="./cmd/greet", port=0),
)
SAID: dict[str, tuple[str, ...]] = {}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    need("go", "git")
    with running(tmp_path_factory.mktemp("node")) as made:
        yield made


def repository(app: App, folder: Path) -> Path:
    """Its sources with git, as somebody would have cloned them; without podinfo's own deploy/, which wherry leaves alone."""
    root = folder / app.name
    if "@" in app.source:
        words = ["go", "mod", "download", "-json", app.source]
        done = subprocess.run(words, capture_output=True, check=True, text=True, cwd=folder)
        shutil.copytree(json.loads(done.stdout)["Dir"], root, ignore=shutil.ignore_patterns("deploy"))
        for path in root.rglob("*"):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    else:
        shutil.copytree(examples.FOLDER / app.source, root)
    with (root / "wherry.toml").open("a") as file:
        file.write(app.settings)
    return examples.commit(root)


@pytest.mark.parametrize("app", APPS, ids=lambda one: one.name)
def test_it_is_taken_in_every_form_and_answers(node: Node, app: App, tmp_path: Path) -> None:
    root = repository(app, tmp_path)
    for form in ("plain", "kustomize", "helm"):
        node.wherry("generate", "kubernetes", app.package, "--form", form, "--offline", cwd=root)
    deploy = root / "deploy"
    dry = ("-n", SPACE, "apply", "--dry-run=server", "-f")
    node.cluster.done(*dry, str(deploy))
    node.cluster.done(*dry, "-", given=node.cluster.done("kustomize", str(deploy / "overlays/production")))
    node.cluster.done(*dry, "-", given=helm("template", app.name, str(deploy / "chart"), "-n", SPACE))
    if not app.port:
        return
    shutil.rmtree(deploy)
    node.wherry("build", app.package, "-o", f"oci:{tmp_path}/image", cwd=root)
    name = node.deploy(root, app.package, node.put(f"oci:{tmp_path}/image", f"localhost/{app.name}"))
    assert name == app.name
    took = node.rolled_out(name)
    node.get(name, app.port, app.path)
    (pod, *_) = node.pods(name)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    SAID[name] = (f"{took:.1f} s", ", ".join(probes(pod)))
    node.gone(name)


def helm(*words: str) -> str:
    command = [go_tool(f"{HELM}@v3.22.0", f"{HELM}/cmd/helm"), *words, "--kube-version", kubernetes.VERSION]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def probes(pod: dict[str, object]) -> Iterator[str]:
    """What the kubelet asks: `liveness GET /healthz`."""
    spec = pod["spec"]
    assert isinstance(spec, dict)
    for name in ("liveness", "readiness"):
        match spec["containers"][0].get(f"{name}Probe"):
            case {"httpGet": {"path": str(path)}}:
                yield f"{name} GET {path}"
            case {"tcpSocket": _}:
                yield f"{name} connects"
            case {"exec": _}:
                yield f"{name} by its command"
            case _:
                pass


def test_what_was_seen_is_recorded() -> None:
    assert set(SAID) == {app.name for app in APPS if app.port}
    record(
        "Kubernetes, applications",
        f"Written by `wherry generate kubernetes`, rolled out by Kubernetes {kubernetes.VERSION}, asked, and never restarted.",
        "",
        *table(
            ("application", "ready after", "asked by the kubelet"), tuple((name, *row) for name, row in SAID.items())
        ),
    )
