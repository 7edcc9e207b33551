"""How the world outside reaches it. An application in, the specification of an Ingress or an HTTPRoute out; touches nothing."""

from __future__ import annotations

from wherry.formats.yaml import Document, noted
from wherry.generate import names
from wherry.generate.kubernetes.ports import Port, ports
from wherry.model.application import Application


def ingress(application: Application) -> Document:
    """TLS ends at the controller."""
    name = names.service(application)
    backend: Document = {"service": {"name": name, "port": {"name": _main(application).name}}}
    if application.runs.tls:
        backend = noted(
            backend,
            "It speaks TLS itself, which each controller must be told in its own way; ingress-nginx by the annotation\n"
            "nginx.ingress.kubernetes.io/backend-protocol: HTTPS.",
        )
    tls = [{"hosts": [application.host], "secretName": tls_secret(name)}]
    return {
        "tls": noted(
            tls, f"kubectl create secret tls {tls_secret(name)} --cert=... --key=..., or cert-manager makes it."
        ),
        "rules": [
            {"host": application.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
        ],
    }


def tls_secret(name: str) -> str:
    """The Secret with the certificate."""
    return f"{name}-tls"


def gateway_route(application: Application) -> Document:
    """The Gateway has the certificate."""
    space, _, gateway = application.gateway.rpartition("/")
    parent = {"name": gateway, **({"namespace": space} if space else {})}
    backends: Document = [{"name": names.service(application), "port": _main(application).served}]
    if application.runs.tls:
        backends = noted(backends, "It speaks TLS itself: the Gateway needs a BackendTLSPolicy to speak it, too.")
    return {
        "parentRefs": [parent],
        "hostnames": [application.host],
        "rules": [{"backendRefs": backends}],
    }


def _main(application: Application) -> Port:
    return next(one for one in ports(application) if one.number == application.port and one.protocol == "TCP")
