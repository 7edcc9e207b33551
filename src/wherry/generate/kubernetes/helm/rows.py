"""Which places of the objects a chart's values decide, a row each. An application in, rows out; touches nothing.

What stands at a place in the plain form is the value's default, so the chart with its own values is the plain form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wherry.generate import names
from wherry.generate.kubernetes.helm.slots import Slot
from wherry.generate.kubernetes.objects import Object
from wherry.generate.kubernetes.paths import Path, bare
from wherry.kit.value import Value
from wherry.model.application import Application


class Row(Value, frozen=True, kw_only=True):
    """One place."""

    kind: str
    path: Path
    slot: Slot
    value: str = ""
    """The name in values.yaml that gets what is at the place; empty: none does."""
    note: str = ""
    file: str = ""
    """The object's file; empty: each object of the kind."""
    comment: str = ""
    """What the template says there in place of what the plain form says; empty: the same."""


POD: Final[Path] = ("spec", "template", "spec")
CONTAINER: Final[Path] = (*POD, "containers", 0)
CONDITIONS: Final = {
    "PodDisruptionBudget": "podDisruptionBudget.enabled",
    "HorizontalPodAutoscaler": "autoscaling.enabled",
    "NetworkPolicy": "networkPolicy.enabled",
    "Ingress": "ingress.enabled",
    "HTTPRoute": "httpRoute.enabled",
}
"""Kind → the value that says whether there is one."""
_MEMORY: Final = "GOMEMLIMIT stays below resources.limits.memory: change both."


def rows(application: Application, every: tuple[Object, ...]) -> tuple[Row, ...]:
    """All rows; some are of places that this application does not have."""
    return (
        *(row for one in every for row in _metadata(application, one)),
        *_own_names(application, every),
        *_deployment(),
        *_rest(),
    )


def name_of(application: Application, suffix: str = "") -> Slot:
    """The release's name for an object, with something behind it."""
    full = f'include "{names.service(application)}.fullname" .'
    return Slot(text=f'printf "%s-{suffix}" ({full}) | quote' if suffix else f"{full} | quote")


def included(application: Application, helper: str) -> Slot:
    """Labels from a helper."""
    return Slot(text=f'include "{names.service(application)}.{helper}" .', shape="block")


def _metadata(application: Application, one: Object) -> Iterator[Row]:
    name = names.service(application)
    own = str(bare(one.document)["metadata"]["name"])
    slot = name_of(application, own.removeprefix(name).lstrip("-"))
    yield Row(kind=one.kind, path=("metadata", "name"), slot=slot, file=one.file)
    yield Row(kind=one.kind, path=("metadata", "namespace"), slot=Slot(text=".Release.Namespace | quote"))
    yield Row(kind=one.kind, path=("metadata", "labels"), slot=included(application, "labels"))


def _own_names(application: Application, every: tuple[Object, ...]) -> Iterator[Row]:
    """Where objects speak of each other, and of their pods."""
    own, picked = name_of(application), included(application, "selectorLabels")
    yield Row(kind="Deployment", path=("spec", "selector", "matchLabels"), slot=picked)
    yield Row(kind="Deployment", path=("spec", "template", "metadata", "labels"), slot=included(application, "labels"))
    yield Row(kind="Deployment", path=(*POD, "serviceAccountName"), slot=own)
    image = Slot(text=f'include "{names.service(application)}.image" . | quote')
    yield Row(kind="Deployment", path=(*CONTAINER, "image"), slot=image, comment="Which one: values.yaml says it.")
    for number in range(2):
        path = (*POD, "topologySpreadConstraints", number, "labelSelector", "matchLabels")
        yield Row(kind="Deployment", path=path, slot=picked)
        yield Row(kind="Deployment", path=(*CONTAINER, "envFrom", number, "configMapRef", "name"), slot=own)
    yield Row(kind="Service", path=("spec", "selector"), slot=picked)
    yield Row(kind="PodDisruptionBudget", path=("spec", "selector", "matchLabels"), slot=picked)
    yield Row(kind="NetworkPolicy", path=("spec", "podSelector", "matchLabels"), slot=picked)
    yield Row(kind="HorizontalPodAutoscaler", path=("spec", "scaleTargetRef", "name"), slot=own)
    backend: Path = ("spec", "rules", 0, "http", "paths", 0, "backend", "service", "name")
    yield Row(kind="Ingress", path=backend, slot=own)
    yield Row(kind="HTTPRoute", path=("spec", "rules", 0, "backendRefs", 0, "name"), slot=own)
    yield from _volumes(application, every)


def _volumes(application: Application, every: tuple[Object, ...]) -> Iterator[Row]:
    deployment = next(bare(one.document) for one in every if one.kind == "Deployment")
    name = names.service(application)
    for number, volume in enumerate(deployment["spec"]["template"]["spec"].get("volumes", ())):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName", "")
        path: Path = (*POD, "volumes", number)
        slot = name_of(application, claim.removeprefix(f"{name}-"))
        yield Row(kind="Deployment", path=(*path, "persistentVolumeClaim", "claimName"), slot=slot)
        yield _row("Deployment", (*path, "secret", "secretName"), "secrets.files", "The Secret whose keys are files.")


def _deployment() -> Iterator[Row]:
    yield _row("Deployment", (*CONTAINER, "imagePullPolicy"), "image.pullPolicy")
    yield _row("Deployment", ("spec", "replicas"), "replicas", pipe="int")
    yield _block("Deployment", (*CONTAINER, "env"), "env", _MEMORY)
    note = "The Secret whose keys are variables."
    for number in range(2):
        yield _row("Deployment", (*CONTAINER, "envFrom", number, "secretRef", "name"), "secrets.environment", note)
    yield _block("Deployment", (*CONTAINER, "resources"), "resources")
    yield _block("Deployment", (*POD, "nodeSelector"), "nodeSelector", "Nodes that can run the image.")


def _rest() -> Iterator[Row]:
    data = Slot(text="toYaml .Values.config", shape="block")
    anew = "A change starts pods anew: their template has a digest of it."
    yield Row(kind="ConfigMap", path=("data",), slot=data, value="config", note="Its environment.", comment=anew)
    yield _row(
        "Service",
        ("spec", "type"),
        "service.type",
        "Of another type it is open to the world, past the NetworkPolicy, too.",
    )
    yield _block("PersistentVolumeClaim", ("spec", "accessModes"), "persistence.accessModes")
    yield _row("PersistentVolumeClaim", ("spec", "resources", "requests", "storage"), "persistence.size")
    # A number or a text like 25%.
    yield _row("PodDisruptionBudget", ("spec", "maxUnavailable"), "podDisruptionBudget.maxUnavailable", pipe="toJson")
    scaler = "HorizontalPodAutoscaler"
    yield _row(scaler, ("spec", "minReplicas"), "autoscaling.minReplicas", pipe="int")
    yield _row(scaler, ("spec", "maxReplicas"), "autoscaling.maxReplicas", pipe="int")
    busy: Path = ("spec", "metrics", 0, "resource", "target", "averageUtilization")
    yield _row(scaler, busy, "autoscaling.cpuUtilization", pipe="int")
    yield _row("Ingress", ("spec", "tls", 0, "hosts", 0), "ingress.host")
    yield _row("Ingress", ("spec", "rules", 0, "host"), "ingress.host")
    yield _row("Ingress", ("spec", "tls", 0, "secretName"), "ingress.tlsSecret")
    yield _row("HTTPRoute", ("spec", "hostnames", 0), "httpRoute.host")
    yield _row("HTTPRoute", ("spec", "parentRefs", 0, "name"), "httpRoute.gateway")
    yield _row("HTTPRoute", ("spec", "parentRefs", 0, "namespace"), "httpRoute.gatewayNamespace")


def _row(kind: str, path: Path, value: str, note: str = "", pipe: str = "quote") -> Row:
    return Row(kind=kind, path=path, slot=Slot(text=f".Values.{value} | {pipe}"), value=value, note=note)


def _block(kind: str, path: Path, value: str, note: str = "") -> Row:
    return Row(kind=kind, path=path, slot=Slot(text=f"toYaml .Values.{value}", shape="block"), value=value, note=note)
