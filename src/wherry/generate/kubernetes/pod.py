"""The pod: one container with every right taken away that it does not need. An application in, a pod template's specification
out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.kubernetes import settings, words
from wherry.generate.kubernetes.ports import ports
from wherry.generate.kubernetes.probes import probes
from wherry.generate.kubernetes.storage import LOGS, disk, mounts, storages
from wherry.model.application import Application

PAUSE: Final = 5
"""Seconds between "no more requests for it" and SIGTERM: every node needs some to hear of it."""
PRE_STOP: Final = (
    "Before SIGTERM: every node must first hear that no requests go here. The kubelet's own sleep (Kubernetes 1.30),\n"
    "since the image has no shell."
)


def specification(application: Application) -> Document:
    """`spec` of the template."""
    name = names.service(application)
    volumes = [one.volume for one in storages(application)]
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": noted(False, "Else each Service of the namespace becomes environment variables."),
        "terminationGracePeriodSeconds": _grace(application),
        "securityContext": _pod_security(application),
        **_nodes(application),
        **_spread(application),
        "containers": [_container(application)],
        **({"volumes": volumes} if volumes else {}),
    }


def selector(name: str) -> dict[str, Document]:
    """The labels by which an application's pods are found; they never change."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name}


def _container(application: Application) -> Document:
    runs = application.runs
    listens = [{"name": one.name, "containerPort": one.number, "protocol": one.protocol} for one in ports(application)]
    mounted = mounts(application)
    environment = settings.of_limits(application)
    sources = settings.sources(application)
    return {
        "name": names.service(application),
        "image": noted(image(application), image_note(application)),
        "imagePullPolicy": _pull_policy(application),
        **({"ports": listens} if listens else {}),
        **({"env": environment} if environment else {}),
        **({"envFrom": sources} if sources else {}),
        "resources": _resources(application),
        **probes(application),
        **({"lifecycle": noted({"preStop": {"sleep": {"seconds": PAUSE}}}, PRE_STOP)} if runs.ports else {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **({"volumeMounts": mounted} if mounted else {}),
    }


def image(application: Application) -> str:
    """By digest where that is known, else by the version's tag."""
    if application.digest:
        return f"{application.image}@{application.digest}"
    return f"{application.image}:{words.tag(application.version)}"


def image_note(application: Application) -> str:
    """Why it is named so, and what is better where it is not by digest."""
    note = "A tag can move: generate it with --digest sha256:..., as `wherry build --push` prints it."
    if application.digest:
        note = f"Version {application.version}, by its digest: a tag can move."
    if "/" not in application.image:
        note += "\nWithout a registry, nodes look for it on Docker Hub: set generate.image in wherry.toml."
    return note


def _pull_policy(application: Application) -> Document:
    if application.digest:
        return noted(
            "IfNotPresent", "What a node has under this digest is right; a registry that is down stops no pod."
        )
    if "/" not in application.image:
        return "IfNotPresent"
    return "Always"


def _grace(application: Application) -> Document:
    runs = application.runs
    pause = PAUSE if runs.ports else 0
    drain, after = words.seconds(runs.drain, least=0), words.seconds(runs.grace)
    parts = (
        f"{pause} s preStop" if pause else "",
        f"{drain} s to answer what is under way" if drain else "",
        f"{after - drain} s {'in reserve' if drain else 'to end after SIGTERM'}",
    )
    return noted(pause + after, " + ".join(part for part in parts if part))


def _pod_security(application: Application) -> Document:
    runs = application.runs
    allowed = {"name": "net.ipv4.ip_unprivileged_port_start", "value": str(runs.low_port)} if runs.low_port else {}
    return {
        "runAsNonRoot": True,
        "runAsUser": runs.user,
        "runAsGroup": runs.group,
        "fsGroup": noted(runs.group, "Volumes belong to its group, or it could not write to them."),
        **({"fsGroupChangePolicy": "OnRootMismatch"} if runs.volumes else {}),
        "seccompProfile": _seccomp(application),
        **({"sysctls": noted([allowed], "A port below 1024, without being root.")} if allowed else {}),
    }


def _seccomp(application: Application) -> Document:
    profile = application.runs.seccomp
    if not profile:
        return {"type": "RuntimeDefault"}
    file = f"{names.service(application)}.json"
    note = (
        f"The profile in {profile}, which must be on every node as /var/lib/kubelet/seccomp/{file}: the kubelet reads\n"
        "files of its node, so a ConfigMap does not bring it there. The Security Profiles Operator does, or the nodes' image.\n"
        "Until it is there, pods stay in CreateContainerError. A profile is for one processor architecture."
    )
    return noted({"type": "Localhost", "localhostProfile": file}, note)


def _nodes(application: Application) -> dict[str, Document]:
    """Nodes that can run the image, where it is for one architecture alone."""
    architectures = sorted({one.architecture for one in application.platforms})
    if len(architectures) != 1:
        return {}
    return {"nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": architectures[0]}}


def _spread(application: Application) -> dict[str, Document]:
    """Several copies on several nodes and in several zones, where there are some."""
    if application.runs.volumes or max(application.replicas, application.most_replicas) < 2:
        return {}
    same = {
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(names.service(application))},
        "matchLabelKeys": ["pod-template-hash"],
    }
    keys = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    return {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": key, **same} for key in keys]}


def _resources(application: Application) -> Document:
    runs = application.runs
    limits = runs.limits
    if 0 < limits.memory < runs.memory_request or 0 < limits.cpus < runs.cpu_request:
        raise ValueError(f"{application.name} requests more than its limits: the plan refuses that")
    requests = {
        **({"cpu": words.processors(runs.cpu_request)} if runs.cpu_request else {}),
        **({"memory": words.quantity(runs.memory_request)} if runs.memory_request else {}),
        "ephemeral-storage": words.quantity(LOGS // 4),
    }
    most = {
        **({"cpu": words.processors(limits.cpus)} if limits.cpus else {}),
        **({"memory": words.quantity(limits.memory)} if limits.memory else {}),
        "ephemeral-storage": noted(words.quantity(disk(application)), "Scratch directories and output."),
    }
    return {"requests": requests, "limits": most}
