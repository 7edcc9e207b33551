"""What Kubernetes does not take, said before anything is written. Applications in, nothing or a UsageError out; touches
nothing.

The rules are those of the API server (k8s.io/apimachinery, validation): DNS labels and subdomains, keys of Secrets.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UsageError
from wherry.generate import names
from wherry.generate.kubernetes.storage import claims
from wherry.generate.text import apart
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"


class Rule(Value, frozen=True, kw_only=True):
    """One kind of name."""

    pattern: re.Pattern[str]
    longest: int
    words: str


SERVICE: Final = Rule(
    pattern=re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?", re.ASCII),
    longest=53,
    words="at most 53 small letters, digits and -, a letter first and no - last",
)
"""A Service (RFC 1035); 53 is Helm's limit, which leaves room for what is put behind it."""
LABEL: Final = Rule(
    pattern=re.compile(_LABEL, re.ASCII), longest=63, words="at most 63 small letters, digits and -, no - first or last"
)
HOST: Final = Rule(
    pattern=re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*", re.ASCII),
    longest=253,
    words="small letters, digits, - and dots, as in DNS; `*.` may be first",
)
VARIABLE: Final = Rule(
    pattern=re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*", re.ASCII),
    longest=253,
    words="letters, digits, - . and _, no digit first",
)
KEY: Final = Rule(
    pattern=re.compile(r"(?!\.\.)[-._a-zA-Z0-9]*[-_a-zA-Z0-9][-._a-zA-Z0-9]*", re.ASCII),
    longest=253,
    words="letters, digits, - . and _",
)
PATH: Final = Rule(
    pattern=re.compile(r"/[^:\x00-\x1f\x7f]*"), longest=4096, words="an absolute path without a colon or a line break"
)


def check(applications: tuple[Application, ...], choice: Choice) -> None:
    """UsageError [kubernetes-name], [kubernetes-root], [kubernetes-no-entrance], [bad-text], [same-name] for two that would
    share their data."""
    if choice.variant == "helm":
        _folders((applications[0].home, *choice.packages))
    seen: dict[str, str] = {}
    for application in applications:
        _names(application)
        _rights(application)
        _entrances(application, choice.extras)
        name = names.service(application)
        if name in seen:
            raise UsageError(
                "kubernetes-name",
                f"{seen[name]} and {application.name} would both be called `{name}`",
                where="image.name",
                next="set image.name of one of them in wherry.toml",
            )
        seen[name] = application.name
    every = (name for application in applications for name, _ in claims(application))
    apart(every, file="cluster", what="volume claims")


def _folders(folders: tuple[str, ...]) -> None:
    """The first line of each file says how it was made, and a comment in a template is a template (row I01)."""
    for folder in folders:
        if "{{" in folder:
            raise UsageError(
                "bad-text",
                f"`{one_line(folder)[:60]}` cannot be written into a chart: {{{{ begins a template there",
                where=one_line(folder),
                next="rename the folder, or use --form kustomize",
            )


def _names(application: Application) -> None:
    runs = application.runs
    _name(names.service(application), SERVICE, "image.name")
    if application.namespace:
        _name(application.namespace, LABEL, "generate.namespace")
    for secret in runs.secrets:
        _name(secret, KEY, "generate.secrets")
    for variable, _ in runs.environment:
        _name(variable, VARIABLE, "image.env")
    for path in (*runs.volumes, *(one.path for one in runs.writable)):
        _name(path, PATH, "image.volumes" if path in runs.volumes else "image.writable")


def _rights(application: Application) -> None:
    if application.runs.user == 0:
        raise UsageError(
            "kubernetes-root",
            f"{one_line(application.name)[:60]} runs as root, which Kubernetes' restricted level refuses",
            where="image.user = 0",
            next="leave image.user out: it is 65532 then; image.writable gives it its own directories",
        )


def _entrances(application: Application, extras: tuple[str, ...]) -> None:
    for extra in ("ingress", "gateway"):
        if extra not in extras:
            continue
        if not application.port:
            raise UsageError(
                "kubernetes-no-entrance",
                f"{one_line(application.name)[:60]} listens on no TCP port, so no {extra} can lead to it",
                next=("set image.ports in wherry.toml", f"leave --{extra} out"),
            )
        if application.runs.unordered:
            raise UsageError(
                "kubernetes-no-entrance",
                f"{one_line(application.name)[:60]} listens on several ports, and which one people use is not known",
                why="the others may be for its operators alone, and what leads there leads everybody there",
                next=f"set image.ports in wherry.toml, that one first: {_listed(application.runs.ports)}",
            )
        if not application.host:
            raise UsageError(
                "kubernetes-no-entrance",
                f"the public name of {one_line(application.name)[:60]} is not known, and {extra} needs one",
                next='set generate.host in wherry.toml: host = "shop.example.com"',
            )
        _name(application.host, HOST, "generate.host")
    if "gateway" in extras:
        _gateway(application)


def _listed(ports: tuple[str, ...]) -> str:
    return f"[{', '.join(one.removesuffix('/tcp') for one in ports)}]"


def _gateway(application: Application) -> None:
    if not application.gateway:
        raise UsageError(
            "kubernetes-no-entrance",
            f"which Gateway leads to {one_line(application.name)[:60]} is not known",
            why="a route attaches to a Gateway, which whoever runs the cluster has made",
            next=(
                "kubectl get gateways --all-namespaces",
                'set generate.gateway in wherry.toml: gateway = "NAMESPACE/NAME"',
            ),
        )
    for part in application.gateway.split("/", 1):
        _name(part, LABEL, "generate.gateway")


def _name(text: str, rule: Rule, key: str) -> None:
    if len(text) > rule.longest or not rule.pattern.fullmatch(text):
        raise _refused(text, key, rule.words)


def _refused(text: str, key: str, words: str) -> UsageError:
    shown = one_line(text)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return UsageError(
        "kubernetes-name",
        f"Kubernetes does not take the name `{shown}`",
        where=key,
        why=f"it wants {words}",
        next=f"set {key} in wherry.toml",
    )
