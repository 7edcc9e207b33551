"""Mistakes of well-known guides, by their rows in the checklist: no form makes any of them, whatever the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.applications import API, DIGEST, JOBS
from tests.support.manifests import container, plain, pod, running, texts
from wherry.model.application import Application

APPLICATIONS = {
    "api": API,
    "jobs": JOBS,
    "pinned": replace(API, digest=DIGEST),
    "worker": running(API, ports=(), health=None, readiness=""),
    "recorded": running(API, seccomp="seccomp.json"),
}


def image_that_moves(application: Application) -> bool:
    name = container(application)["image"].rpartition("/")[2]
    return ":" not in name or name.endswith(":latest") or "imagePullPolicy" not in container(application)


def more_than_restricted(application: Application) -> bool:
    whole, own = pod(application)["securityContext"], container(application)["securityContext"]
    return not (
        whole["runAsNonRoot"] is True
        and whole["runAsUser"] == application.runs.user != 0
        and whole["seccompProfile"]["type"] in ("RuntimeDefault", "Localhost")
        and own["allowPrivilegeEscalation"] is False
        and own["capabilities"] == {"drop": ["ALL"]}
        and not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(application))
        and all(
            set(one) & {"emptyDir", "secret", "persistentVolumeClaim"} for one in pod(application).get("volumes", ())
        )
    )


def token_or_unwritable(application: Application) -> bool:
    mounted = {one["mountPath"] for one in container(application).get("volumeMounts", ())}
    wanted = {*application.runs.volumes, *(one.path for one in application.runs.writable)}
    return (
        pod(application)["automountServiceAccountToken"] is not False
        or pod(application)["securityContext"]["fsGroup"] != application.runs.group
        or container(application)["securityContext"]["readOnlyRootFilesystem"] is not True
        or not wanted <= mounted
    )


def slow_or_shared_probes(application: Application) -> bool:
    found = container(application)
    every = [found[name] for name in ("startupProbe", "livenessProbe", "readinessProbe") if name in found]
    return (
        any("initialDelaySeconds" in one or not {"timeoutSeconds", "failureThreshold"} <= set(one) for one in every)
        or ("livenessProbe" in found and "startupProbe" not in found)
        or (found.get("livenessProbe") or {}).get("httpGet")
        == (found.get("readinessProbe") or {}).get("httpGet", "none")
    )


def not_available(application: Application) -> bool:
    objects = plain(application)
    deployment = objects["Deployment", application.name]["spec"]
    several = not application.runs.volumes
    return (
        (several and deployment["strategy"]["rollingUpdate"]["maxUnavailable"] != 0)
        or (several and "PodDisruptionBudget" not in {kind for kind, _ in objects})
        or (several and "topologySpreadConstraints" not in pod(application))
        or (bool(application.runs.ports) and "preStop" not in container(application)["lifecycle"])
        or "terminationGracePeriodSeconds" not in pod(application)
    )


def go_unaware(application: Application) -> bool:
    names = {one["name"] for one in container(application).get("env", ())}
    return "GOMEMLIMIT" not in names or (application.runs.go_processors > 0) != ("GOMAXPROCS" in names)


def boundless_scratch(application: Application) -> bool:
    return any("sizeLimit" not in one.get("emptyDir", {"sizeLimit": ""}) for one in pod(application)["volumes"])


def unnamed_ports(application: Application) -> bool:
    every = [one for (kind, _), one in plain(application).items() if kind == "Service"]
    return any("name" not in port for port in container(application).get("ports", ())) or any(
        not isinstance(port["targetPort"], str) or "name" not in port for one in every for port in one["spec"]["ports"]
    )


MISTAKES: dict[str, Callable[[Application], bool]] = {
    "M110": image_that_moves,
    "M111": more_than_restricted,
    "M112": token_or_unwritable,
    "M113": slow_or_shared_probes,
    "M114": not_available,
    "M115": go_unaware,
    "M116": boundless_scratch,
    "M117": unnamed_ports,
}


@pytest.mark.parametrize("application", APPLICATIONS.values(), ids=APPLICATIONS)
@pytest.mark.parametrize("row", MISTAKES)
def test_the_mistake_is_not_made(row: str, application: Application) -> None:
    assert not MISTAKES[row](application)


@pytest.mark.parametrize("form", ["plain", "kustomize", "helm"])
@pytest.mark.parametrize("application", APPLICATIONS.values(), ids=APPLICATIONS)
def test_no_form_reaches_for_the_host(form: str, application: Application) -> None:
    """I05: what is generated has no way to the machine."""
    whole = "\n".join(texts(form, application).values())
    banned = ("hostPath", "hostNetwork", "hostPID", "hostPort", "privileged:", "Unconfined", ":latest", "kind: Secret")
    assert [word for word in banned if word in whole] == []


def test_these_tests_see_the_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check says yes to the guide's own Deployment (S4-198 to S4-232)."""
    guide: dict[str, Any] = {
        "containers": [
            {
                "name": "myapp",
                "image": "myapp:latest",
                "ports": [{"containerPort": 8080}],
                "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 30},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "initialDelaySeconds": 5},
                "securityContext": {
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "lifecycle": {},
            }
        ],
        "automountServiceAccountToken": None,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": API.runs.user,
            "seccompProfile": {"type": None},
            "fsGroup": 0,
        },
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    deployment = {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": "25%"}}, "template": {"spec": guide}}}
    monkeypatch.setitem(globals(), "pod", lambda _: guide)
    monkeypatch.setitem(globals(), "container", lambda _: guide["containers"][0])
    monkeypatch.setitem(globals(), "plain", lambda _: {("Deployment", API.name): deployment})
    assert [row for row, made in MISTAKES.items() if not made(API)] == []
