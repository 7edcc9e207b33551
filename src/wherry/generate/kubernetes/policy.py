"""Who may talk to it, and whom it may talk to. An application in, a NetworkPolicy's specification out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.kubernetes.pod import selector
from wherry.generate.kubernetes.ports import Port, ports
from wherry.model.application import PORTS, Application, Backing

CLUSTER: Final[dict[str, Document]] = {"from": [{"namespaceSelector": {}}]}
"""Of a rule for all pods of the cluster."""
DNS: Final = (
    noted(
        {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]},
        "DNS, wherever it is: a cache on the node (NodeLocal DNSCache) answers in the node's network, where no selector\n"
        "finds it, at an address that each cluster chooses. Narrow it by `to` where you know that.",
    ),
    noted(
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}],
            "ports": [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}],
        },
        "OpenShift's DNS, whose pods listen on another port than its Service: that one counts here.",
    ),
)


def network_policy(application: Application, *, entered: bool) -> Document:
    """`entered`: an Ingress or Gateway leads to the port that people use; its own pods may be anywhere, even outside the pods'
    network."""
    served = [one for one in ports(application) if one.served]
    entrances = [one for one in served if entered and one.number == application.port and one.protocol == "TCP"]
    inside = [one for one in served if one not in entrances]
    inward: list[Document] = []
    if entrances:
        inward.append(
            noted({"ports": _numbers(entrances)}, "From anywhere: the controller may be in the node's network.")
        )
    if inside:
        inward.append(
            noted(
                {**CLUSTER, "ports": _numbers(inside)},
                "From the pods of this cluster; narrow it where you know who calls. The kubelet's probes are always let in.",
            )
        )
    outward: list[Document] = [*DNS]
    outward += [_backing(one) for one in application.runs.backing]
    if application.runs.certificates:
        outward.append(noted({"ports": [{"protocol": "TCP", "port": 443}]}, "HTTPS, wherever it is."))
    return {
        "podSelector": {"matchLabels": selector(names.service(application))},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": inward or noted([], "It listens on no port."),
        "egress": noted(outward, "What is not here cannot be reached: add what else it calls."),
    }


def _numbers(those: list[Port]) -> Document:
    return [{"protocol": one.protocol, "port": one.number} for one in those]


def _backing(backing: Backing) -> Document:
    return noted(
        {"ports": [{"protocol": "TCP", "port": PORTS[backing.kind]}]},
        f"{backing.kind.capitalize()}, wherever it is; narrow it by `to` where you know that.",
    )
