"""Every object of an application, once for all forms. An application in, objects with the names of their files out; touches
nothing."""

from __future__ import annotations

from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.kubernetes import pod, settings, words
from wherry.generate.kubernetes.entrances import gateway_route, ingress
from wherry.generate.kubernetes.policy import network_policy
from wherry.generate.kubernetes.ports import ports
from wherry.generate.kubernetes.storage import claims
from wherry.kit.value import Value
from wherry.model.application import Application

NAMESPACE: Final = "00-namespace"
"""Sorts first: `kubectl apply -f FOLDER` takes files in order, and everything else is inside it."""
BUSY: Final = 80
"""Percent of the requested processors above which there are more copies."""

ALONE: Final = (
    "One copy, stopped before the next one starts: it listens on no port, so nothing shares work out, and nobody knows\n"
    "whether two may run at once. generate.replicas in wherry.toml says that they may."
)


class Object(Value, frozen=True, kw_only=True):
    """One object and what its file is called, without an ending."""

    file: str
    document: dict[str, Document]

    @property
    def kind(self) -> str:
        """As the API calls it."""
        return str(self.document["kind"])


def objects(application: Application, extras: tuple[str, ...]) -> tuple[Object, ...]:
    """All but the namespace."""
    several = len(application.runs.volumes) > 1
    made = [
        _object(application, "v1", "ServiceAccount", {"automountServiceAccountToken": False}),
        *([_config(application)] if settings.plain(application) else []),
        *(_claim(application, name, document, several) for name, document in claims(application)),
        _object(application, "apps/v1", "Deployment", {"spec": _deployment(application)}),
    ]
    if any(one.served for one in ports(application)):
        made.append(_object(application, "v1", "Service", {"spec": _service(application)}))
    if application.replicas > 1 and not application.runs.volumes:
        made.append(_object(application, "policy/v1", "PodDisruptionBudget", {"spec": _disruption(application)}))
    if scaled(application):
        made.append(_object(application, "autoscaling/v2", "HorizontalPodAutoscaler", {"spec": _scaler(application)}))
    policy = network_policy(application, entered=bool(extras))
    made.append(_object(application, "networking.k8s.io/v1", "NetworkPolicy", {"spec": policy}))
    if "ingress" in extras:
        made.append(_object(application, "networking.k8s.io/v1", "Ingress", {"spec": ingress(application)}))
    if "gateway" in extras:
        made.append(
            _object(application, "gateway.networking.k8s.io/v1", "HTTPRoute", {"spec": gateway_route(application)})
        )
    return tuple(made)


def namespace(name: str) -> Object:
    """The namespace, with the level that every pod in it must keep."""
    level = {f"pod-security.kubernetes.io/{what}": "restricted" for what in ("enforce", "warn", "audit")}
    document = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": noted(level, "The API server refuses pods with more rights than the restricted level gives."),
        },
    }
    return Object(file=NAMESPACE, document=document)


def scaled(application: Application) -> bool:
    """Whether the number of copies follows the load: what is measured is the part of the requested processors."""
    return (
        application.most_replicas > application.replicas
        and application.runs.cpu_request > 0
        and not application.runs.volumes
    )


def labels(application: Application) -> dict[str, Document]:
    """Of every object and pod."""
    version = words.label(application.version)
    return {
        **pod.selector(names.service(application)),
        **({"app.kubernetes.io/version": version} if version else {}),
    }


def _object(application: Application, version: str, kind: str, rest: dict[str, Document]) -> Object:
    document = {
        "apiVersion": version,
        "kind": kind,
        "metadata": _metadata(application, names.service(application)),
        **rest,
    }
    return Object(file=kind.lower(), document=document)


def _metadata(application: Application, name: str) -> dict[str, Document]:
    return {
        "name": name,
        **({"namespace": application.namespace} if application.namespace else {}),
        "labels": labels(application),
    }


def _config(application: Application) -> Object:
    note = f"Read when a pod starts: kubectl rollout restart deployment/{names.service(application)} after a change."
    return _object(application, "v1", "ConfigMap", {"data": noted(settings.plain(application), note)})


def _claim(application: Application, name: str, document: Document, several: bool) -> Object:
    made = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(application, name),
        "spec": document,
    }
    return Object(file=f"persistentvolumeclaim-{name}" if several else "persistentvolumeclaim", document=made)


def _deployment(application: Application) -> Document:
    name = names.service(application)
    return {
        **_copies(application),
        "selector": {"matchLabels": pod.selector(name)},
        "template": {"metadata": {"labels": labels(application)}, "spec": pod.specification(application)},
    }


def _copies(application: Application) -> dict[str, Document]:
    if application.runs.volumes:
        note = (
            "One copy, stopped before the next one starts: its volume is mounted on one node at a time. For more copies:\n"
            "a volume that can be ReadWriteMany, a StatefulSet with a volume each, or what is kept in a server made for it."
        )
        return {"replicas": noted(1, note), "strategy": {"type": "Recreate"}}
    if not application.runs.ports and application.replicas == application.most_replicas == 1:
        return {"replicas": noted(1, ALONE), "strategy": {"type": "Recreate"}}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}
    strategy = noted(rolling, "A new copy is ready before an old one goes.")
    if scaled(application):
        return {"strategy": strategy}
    return {"replicas": application.replicas, "strategy": strategy}


def _service(application: Application) -> Document:
    served = [
        {
            "name": one.name,
            "port": one.served,
            "targetPort": one.name,
            "protocol": one.protocol,
            **({"appProtocol": one.name} if one.name in ("http", "https") else {}),
        }
        for one in ports(application)
        if one.served
    ]
    return {"type": "ClusterIP", "selector": pod.selector(names.service(application)), "ports": served}


def _disruption(application: Application) -> Document:
    return {
        "maxUnavailable": noted(1, "A node that is emptied takes one copy at a time."),
        "unhealthyPodEvictionPolicy": noted(
            "AlwaysAllow", "What does not work anyway keeps no node from being emptied."
        ),
        "selector": {"matchLabels": pod.selector(names.service(application))},
    }


def _scaler(application: Application) -> Document:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.service(application)}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": BUSY}}
    return {
        "scaleTargetRef": target,
        "minReplicas": noted(
            application.replicas, "The Deployment says no number of its own, or each apply would set it back."
        ),
        "maxReplicas": application.most_replicas,
        "metrics": noted(
            [{"type": "Resource", "resource": cpu}],
            "Of the requested processors; not of memory, which Go keeps up to GOMEMLIMIT whatever the load.",
        ),
    }
