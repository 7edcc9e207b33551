"""values.yaml and its schema, from what stands at the places of the plain form. Objects and rows in, documents out; touches
nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wherry.formats.yaml import Document, noted
from wherry.generate.kubernetes import pod
from wherry.generate.kubernetes.helm.rows import CONDITIONS, Row
from wherry.generate.kubernetes.objects import Object
from wherry.generate.kubernetes.paths import bare, has
from wherry.model.application import Application

ORDER: Final = (
    "image",
    "replicas",
    "autoscaling",
    "podDisruptionBudget",
    "config",
    "secrets",
    "env",
    "resources",
    "service",
)
"""What comes first; the rest as it is found."""
OPEN: Final = ("nodeSelector", "config", "resources", "affinity", "podAnnotations", "serviceAccount.annotations")
"""Values with names that are the user's, not the chart's."""
TEXTS: Final = ("nodeSelector", "config", "podAnnotations", "serviceAccount.annotations")
"""Of these, those whose values must be texts: a number would be refused by the API server, later."""
RULES: Final[dict[str, dict[str, Any]]] = {
    "image.repository": {"minLength": 1},
    "image.digest": {"pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "service.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "persistence.storageClass": {"type": "string"},
    "replicas": {"minimum": 0},
    "autoscaling.minReplicas": {"minimum": 1},
    "autoscaling.maxReplicas": {"minimum": 1},
    "autoscaling.cpuUtilization": {"minimum": 1},
}
_KINDS: Final = ((bool, "boolean"), (int, "integer"), (str, "string"), (list, "array"), (Mapping, "object"))
"""bool before int, which it is, too."""


def values(application: Application, every: tuple[Object, ...], used: tuple[Row, ...]) -> dict[str, Document]:
    """values.yaml."""
    made: dict[str, Document] = {}
    for name, value in (*_image(application), *_switches(every), *_found(every, used), *_more(application, every)):
        note = next((row.note for row in used if row.value == name and row.note), "")
        _set(made, name, noted(value, note) if note else value)
    return {name: made[name] for name in (*ORDER, *made) if name in made}


def schema(document: Mapping[str, Document]) -> str:
    """values.schema.json (draft-07) of it: a misspelled value is an error, not a default."""
    made = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_schema(bare(document), ""),
    }
    made["properties"]["global"] = {"type": "object"}  # Helm's own, for charts within charts
    return json.dumps(made, indent=2) + "\n"


def _image(application: Application) -> Iterator[tuple[str, Document]]:
    yield "image.repository", application.image
    yield "image.tag", noted("", "Used where there is no digest; empty: the chart's appVersion.")
    yield "image.digest", noted(application.digest, pod.image_note(application))


def _found(every: tuple[Object, ...], used: tuple[Row, ...]) -> Iterator[tuple[str, Document]]:
    documents = {one.kind: one.document for one in every}
    for row in used:
        if row.value and row.kind in documents and has(documents[row.kind], row.path):
            yield row.value, _at(bare(documents[row.kind]), row)


def _switches(every: tuple[Object, ...]) -> Iterator[tuple[str, Document]]:
    kinds = {one.kind for one in every}
    return ((condition, True) for kind, condition in CONDITIONS.items() if kind in kinds)


def _more(application: Application, every: tuple[Object, ...]) -> Iterator[tuple[str, Document]]:
    """What the plain form does not have."""
    kinds = {one.kind for one in every}
    if "HorizontalPodAutoscaler" in kinds:
        yield "replicas", noted(application.replicas, "Without autoscaling.")
    if "PersistentVolumeClaim" in kinds:
        yield "persistence.storageClass", noted("", "Empty: the cluster's own.")
    if "Ingress" in kinds:
        yield "ingress.className", noted("", "Empty: the cluster's own.")
    yield "serviceAccount.annotations", {}
    yield "podAnnotations", {}
    yield "imagePullSecrets", []
    yield "tolerations", []
    yield "affinity", {}


def _at(document: Any, row: Row) -> Any:
    for key in row.path:
        document = document[key]
    return document


def _set(made: dict[str, Document], name: str, value: Document) -> None:
    first, _, rest = name.partition(".")
    if rest:
        _set(made.setdefault(first, {}), rest, value)
    else:
        made.setdefault(first, value)


def _schema(value: Any, name: str) -> dict[str, Any]:
    kind = next(words for python, words in _KINDS if isinstance(value, python))
    made: dict[str, Any] = {"type": kind, **RULES.get(name, {})}
    if name in TEXTS:
        made["additionalProperties"] = {"type": "string"}
    elif isinstance(value, Mapping) and name not in OPEN:
        prefix = f"{name}." if name else ""
        made["properties"] = {key: _schema(one, prefix + key) for key, one in value.items()}
        made["additionalProperties"] = False
    return made
