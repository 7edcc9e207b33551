"""Generated objects before a real API server of the restricted level, in every form as its own tool makes them: a warning is a
failure, since the level acts on pods and a Deployment beyond it only gets one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from tests.support import cluster as kubernetes
from tests.support.applications import API, HOSTILE
from tests.support.cluster import Cluster
from tests.support.manifests import APPLICATIONS, BOTH, EXTRAS, FORMS, Objects, parsed, plain, running, texts
from tests.support.opinions import record, table
from tests.support.tools import go_tool
from wherry.model.application import Application
from wherry.model.plan import Health

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("kubernetes")]

HELM = "helm.sh/helm/v3"
SCORE = "github.com/zegl/kube-score"
GATEWAY = "sigs.k8s.io/gateway-api@v1.5.0"
SPACE = "shop"
EXCEPTIONS = {
    "Deployment does not have a host podAntiAffinity set": "topologySpreadConstraints do that, and say how evenly",
    "Deployment update strategy": "Recreate: a volume that one node mounts is let go before it is mounted again",
    "Deployment few replicas": "the same: one copy",
    "(jobs) The container is running with a low user ID": "the user 1001 is what that application sets",
    "(jobs) The container running with a low group ID": "the group 0 is what that application sets",
    "(jobs) ImagePullPolicy is not set to Always": "its image has no registry that could be asked",
    "(shop-api) ImagePullPolicy is not set to Always": "a digest names the same bytes always",
}
"""What kube-score says, and why it stays."""
SCORED: set[str] = set()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with kubernetes.control_plane() as made:
        made.namespace(SPACE)
        made.done("apply", "-f", str(_gateway_crds()))
        kubernetes.wait(lambda: made.kubectl("get", "httproutes").returncode == 0, what="HTTPRoute is known")
        yield made


def _gateway_crds() -> Path:
    done = subprocess.run(
        ["go", "mod", "download", "-json", GATEWAY], capture_output=True, text=True, check=True, cwd="/"
    )
    return Path(json.loads(done.stdout)["Dir"], "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml")


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    tool = go_tool(f"{HELM}@v3.22.0", f"{HELM}/cmd/helm")
    return subprocess.run([tool, *words], capture_output=True, text=True, check=False)


def written(folder: Path, form: str, application: Application, extras: tuple[str, ...] = ()) -> Path:
    for path, text in texts(form, application, extras=extras).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder / "deploy"


def rendered(folder: Path, form: str, name: str, cluster: Cluster) -> Objects:
    application = APPLICATIONS[name]
    return by_tool(written(folder, form, application, EXTRAS.get(name, ())), form, application, cluster)


def by_tool(deploy: Path, form: str, application: Application, cluster: Cluster) -> Objects:
    """As the form's own tool makes them, without what it alone adds, and without the Namespace."""
    if form == "plain":
        return parsed(path.read_text() for path in sorted(deploy.glob("*.yaml")) if "namespace" not in path.name)
    if form == "kustomize":
        text = cluster.done("kustomize", str(deploy / "overlays/production"))
        return parsed([re.sub(rf"(name: {application.name})-[a-z0-9]{{10}}$", r"\1", text, flags=re.MULTILINE)])
    words = ("template", application.name, str(deploy / "chart"), "--kube-version", kubernetes.VERSION, "-n")
    done = helm(*words, application.namespace or "default")
    assert done.returncode == 0, done.stderr
    found = {key: _without_helm(one, application) for key, one in parsed([done.stdout]).items()}
    annotations = found["Deployment", application.name]["spec"]["template"]["metadata"].pop("annotations", {})
    assert set(annotations) <= {"checksum/config"}
    for kind, name in found:
        if kind == "PersistentVolumeClaim":
            assert found[kind, name]["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    return found


def _without_helm(document: Any, application: Application) -> Any:
    match document:
        case dict():
            gone = {"helm.sh/chart", "app.kubernetes.io/managed-by", *(() if application.namespace else ("namespace",))}
            return {key: _without_helm(one, application) for key, one in document.items() if key not in gone}
        case list():
            return [_without_helm(one, application) for one in document]
        case _:
            return document


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_form_is_the_plain_one(tmp_path: Path, form: str, name: str, cluster: Cluster) -> None:
    expected = plain(APPLICATIONS[name], extras=EXTRAS.get(name, ()))
    wanted = {key: one for key, one in expected.items() if key[0] != "Namespace"}
    assert rendered(tmp_path, form, name, cluster) == wanted


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_server_takes_all_without_a_warning(tmp_path: Path, form: str, name: str, cluster: Cluster) -> None:
    for (kind, _), one in rendered(tmp_path, form, name, cluster).items():
        one["metadata"]["namespace"] = SPACE
        cluster.done("apply", "--dry-run=server", "-f", "-", given=json.dumps(one))
        if kind == "Deployment":
            cluster.done("apply", "--dry-run=server", "-f", "-", given=json.dumps(pod_of(one, cluster)))


def pod_of(deployment: dict[str, Any], cluster: Cluster) -> dict[str, Any]:
    """Its template as a pod, which the level really refuses."""
    template = deployment["spec"]["template"]
    name = {"name": template["spec"]["serviceAccountName"], "namespace": SPACE}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name}
    cluster.done("apply", "-f", "-", given=json.dumps(account))
    metadata = {"name": "one", "namespace": SPACE, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_the_server_would_refuse_more(cluster: Cluster) -> None:
    deployment = plain(API)["Deployment", "shop-api"]
    deployment["spec"]["template"]["spec"]["hostNetwork"] = True
    said = cluster.kubectl("apply", "--dry-run=server", "-f", "-", given=json.dumps(deployment))
    assert "would violate PodSecurity" in said.stderr
    pod = cluster.kubectl("apply", "--dry-run=server", "-f", "-", given=json.dumps(pod_of(deployment, cluster)))
    assert pod.returncode != 0
    assert "violates PodSecurity" in pod.stderr


@pytest.mark.parametrize("form", FORMS)
def test_the_hostile_text_reaches_the_server_whole(tmp_path: Path, form: str, cluster: Cluster) -> None:
    application = running(
        API,
        environment=(("VALUE", HOSTILE), ("QUOTED", f'"{HOSTILE}"'), ("YES", "yes")),
        health=Health(command=("/app/api", HOSTILE)),
        readiness=f"/{HOSTILE}",
        seccomp=HOSTILE,
        volumes=("/{{ .Values }}",),
        variables=(),
    )
    found = by_tool(written(tmp_path, form, application), form, application, cluster)
    assert found["ConfigMap", "shop-api"]["data"] == {"VALUE": HOSTILE, "QUOTED": f'"{HOSTILE}"', "YES": "yes"}
    (container,) = found["Deployment", "shop-api"]["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["exec"]["command"][1] == HOSTILE.replace("$", "$$")
    assert container["readinessProbe"]["httpGet"]["path"] == f"/{HOSTILE}"
    assert "/{{ .Values }}" in [one["mountPath"] for one in container["volumeMounts"]]
    made = cluster.done(
        "apply", "--dry-run=server", "-o", "json", "-f", "-", given=json.dumps(found["ConfigMap", "shop-api"])
    )
    assert json.loads(made)["data"]["VALUE"] == HOSTILE


@pytest.mark.parametrize("name", APPLICATIONS)
def test_helm_lint_finds_nothing(tmp_path: Path, name: str) -> None:
    deploy = written(tmp_path, "helm", APPLICATIONS[name], EXTRAS.get(name, ()))
    done = helm("lint", "--strict", "--kube-version", kubernetes.VERSION, str(deploy / "chart"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_helm_refuses_what_the_schema_does_not_know(tmp_path: Path) -> None:
    chart = str(written(tmp_path, "helm", API) / "chart")
    for wrong in ("replica=3", "image.digest=latest", "config.LOG_LEVEL=1"):
        done = helm("template", "a", chart, "--kube-version", kubernetes.VERSION, "--set", wrong)
        assert done.returncode != 0
        assert "values don't meet the specifications" in done.stderr, wrong


def test_helm_values_do_what_they_say(tmp_path: Path, cluster: Cluster) -> None:
    """Another release name, every optional value, everything that can be switched off."""
    chart = str(written(tmp_path, "helm", replace(API, gateway="infra/public"), BOTH) / "chart")
    off = ("networkPolicy", "podDisruptionBudget", "autoscaling", "ingress", "httpRoute")
    values = {
        **{name: {"enabled": False} for name in off},
        "replicas": 4,
        "image": {"digest": "sha256:" + "a" * 64},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "imagePullSecrets": [{"name": "pull"}],
        "podAnnotations": {"a/b": "c"},
        "serviceAccount": {"annotations": {"d": "e"}},
        "service": {"type": "NodePort"},
    }
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm("template", "true", chart, "--kube-version", kubernetes.VERSION, "-n", SPACE, "-f", str(file))
    assert done.returncode == 0, done.stderr
    found = parsed([done.stdout])
    assert {kind for kind, _ in found} == {"Deployment", "Service", "ServiceAccount", "ConfigMap"}
    deployment = found["Deployment", "true-shop-api"]
    pod = deployment["spec"]["template"]["spec"]
    assert deployment["spec"]["replicas"] == 4
    assert pod["containers"][0]["image"].endswith("@sha256:" + "a" * 64)
    assert pod["tolerations"] == values["tolerations"]
    assert pod["imagePullSecrets"] == values["imagePullSecrets"]
    assert deployment["spec"]["template"]["metadata"]["annotations"]["a/b"] == "c"
    assert deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"] == "true"
    assert found["ServiceAccount", "true-shop-api"]["metadata"]["annotations"] == {"d": "e"}
    for one in found.values():
        cluster.done("apply", "--dry-run=server", "-f", "-", given=json.dumps(one))


def test_helm_installs_upgrades_and_says_what_is_next(tmp_path: Path, cluster: Cluster) -> None:
    chart = str(written(tmp_path, "helm", API) / "chart")
    cluster.namespace("charts")
    to = ("--kubeconfig", str(cluster.config), "-n", "charts")
    first = helm("install", "shop-api", chart, *to)
    assert first.returncode == 0, first.stderr
    assert "kubectl -n charts rollout status deployment/shop-api" in first.stdout
    assert "--from-file=database-password" in first.stdout
    assert "{{" not in first.stdout
    assert "Warning" not in first.stderr

    def template() -> dict[str, Any]:
        found: dict[str, Any] = cluster.get("-n", "charts", "deployment", "shop-api")["spec"]["template"]
        return found

    before = template()
    assert helm("upgrade", "shop-api", chart, *to).returncode == 0
    assert template() == before
    assert helm("upgrade", "shop-api", chart, *to, "--set", "config.LOG_LEVEL=debug").returncode == 0
    assert template()["metadata"]["annotations"] != before["metadata"]["annotations"]
    assert helm("uninstall", "shop-api", *to).returncode == 0


def test_the_overlay_for_development_is_one_copy(tmp_path: Path, cluster: Cluster) -> None:
    deploy = written(tmp_path, "kustomize", API)
    found = parsed([cluster.done("kustomize", str(deploy / "overlays/dev"))])
    assert found["Deployment", "shop-api"]["spec"]["replicas"] == 1
    assert not {kind for kind, _ in found} & {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    (config,) = (name for kind, name in found if kind == "ConfigMap")
    (container,) = found["Deployment", "shop-api"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"][0] == {"configMapRef": {"name": config}}
    assert re.fullmatch(r"shop-api-[a-z0-9]{10}", config)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_kube_score_says_nothing_that_is_not_argued(tmp_path: Path, name: str) -> None:
    deploy = written(tmp_path, "plain", APPLICATIONS[name], ("ingress",) if name == "api" else ())
    files = [str(path) for path in sorted(deploy.glob("*.yaml")) if "namespace" not in path.name]
    tool = go_tool(f"{SCORE}@v1.20.0", f"{SCORE}/cmd/kube-score")
    words = [tool, "score", "--kubernetes-version", "v1.36", "--output-format", "ci", *files]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = re.findall(r"^\[(?:CRITICAL|WARNING)\] .*?: (.+)$", done.stdout, re.MULTILINE)
    assert "[OK]" in done.stdout
    SCORED.update(said)
    assert [one for one in said if one not in EXCEPTIONS] == []


def test_what_was_asked_is_recorded() -> None:
    assert set(EXCEPTIONS) == SCORED
    rows = tuple((said, why) for said, why in EXCEPTIONS.items())
    record(
        "Kubernetes, generated objects",
        f"{len(APPLICATIONS)} applications in {len(FORMS)} forms before a real API server {kubernetes.VERSION} of the restricted",
        "level: all taken without a warning, each Deployment's pods as pods, too. helm 3.22.0 and kustomize 5.8.1 make of their",
        "forms what the plain one says. kube-score 1.20.0 says this beside:",
        "",
        *table(("kube-score", "why it stays"), rows),
    )
