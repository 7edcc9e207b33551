"""The files of a chart. An application in, files out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.formats import yaml
from wherry.formats.yaml import Document, Noted, noted
from wherry.generate import names
from wherry.generate.kubernetes import settings
from wherry.generate.kubernetes.helm import texts
from wherry.generate.kubernetes.helm.rows import CONDITIONS, Row, rows
from wherry.generate.kubernetes.helm.slots import DEEPER, Slot, template
from wherry.generate.kubernetes.helm.values import schema, values
from wherry.generate.kubernetes.objects import Object, objects
from wherry.generate.kubernetes.paths import Path, bare, has, put
from wherry.generate.kubernetes.policy import CLUSTER
from wherry.model.application import Application
from wherry.model.file import File

_SEMVER: Final = re.compile(
    r"v?((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)", re.ASCII
)
HEADLESS: Final = ("values.schema.json", "templates/NOTES.txt")
"""JSON has no comments, and those of the notes would be shown."""
ENTRANCES: Final = ("Ingress", "HTTPRoute")
POD: Final[Path] = ("spec", "template", "spec")
ANNOTATIONS: Final = f"""\
annotations:
  checksum/config: {{{{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum | quote }}}}
  {{{{- with .Values.podAnnotations }}}}
  {{{{- toYaml . | nindent {DEEPER} }}}}
  {{{{- end }}}}
"""
NO_CONFIG: Final = f"""\
{{{{- with .Values.podAnnotations }}}}
annotations:
  {{{{- toYaml . | nindent {DEEPER} }}}}
{{{{- end }}}}
"""


def chart(application: Application, folder: str, extras: tuple[str, ...]) -> tuple[File, ...]:
    """Chart.yaml, values.yaml, its schema, templates. Rendered with its own values: the plain form without the Namespace, which
    must be there before Helm installs anything into it."""
    every = objects(application, extras)
    used = rows(application, every)
    set_by_users = values(application, every, used)
    made = {
        "Chart.yaml": yaml.dump(_about(application)),
        "values.yaml": yaml.dump(set_by_users),
        "values.schema.json": schema(set_by_users),
        "templates/_helpers.tpl": texts.helpers(application),
        "templates/NOTES.txt": texts.notes(application),
        **{f"templates/{one.file}.yaml": _template(application, one, used, every) for one in every},
    }
    return tuple(
        File(path=f"{folder}/chart/{path}", text=text, comment="" if path in HEADLESS else "#")
        for path, text in made.items()
    )


def _about(application: Application) -> Document:
    name = names.service(application)
    version = _SEMVER.fullmatch(application.version)
    return {
        "apiVersion": "v2",
        "name": name,
        "description": f"Runs {name}.",
        "type": "application",
        "version": noted(version[1] if version else "0.0.0", "Of the chart, in semantic versioning."),
        "appVersion": application.version,
        "kubeVersion": noted(">=1.30.0-0", "The first one with a sleep of the kubelet's own before SIGTERM."),
        **({"sources": [application.source]} if application.source else {}),
    }


def _template(application: Application, one: Object, used: tuple[Row, ...], every: tuple[Object, ...]) -> str:
    document: Document = one.document
    for row in used:
        if row.kind == one.kind and row.file in ("", one.file) and has(document, row.path):
            document = put(document, row.path, noted(row.slot, row.comment) if row.comment else row.slot)
    text = template(_more(application, one, document, every))
    condition = CONDITIONS.get(one.kind)
    return f"{{{{- if .Values.{condition} }}}}\n{text}{{{{- end }}}}\n" if condition else text


def _more(application: Application, one: Object, document: Document, every: tuple[Object, ...]) -> Document:
    """The entries that only a value can bring."""
    match one.kind:
        case "Deployment":
            return _deployment(application, document)
        case "ServiceAccount":
            return put(
                document, ("metadata",), {**document["metadata"], **_with("serviceAccount.annotations", "annotations")}
            )
        case "PersistentVolumeClaim":
            text = "{{- with .Values.persistence.storageClass }}\nstorageClassName: {{ . | quote }}\n{{- end }}"
            kept = noted({"helm.sh/resource-policy": "keep"}, "helm uninstall leaves the data.")
            document = put(document, ("metadata",), {**document["metadata"], "annotations": kept})
            return _first(document, ("spec",), Slot(text=text, shape="lines"))
        case "Ingress":
            text = "{{- with .Values.ingress.className }}\ningressClassName: {{ . | quote }}\n{{- end }}"
            return _first(document, ("spec",), Slot(text=text, shape="lines"))
        case "NetworkPolicy":
            return _policy(document, tuple(CONDITIONS[two.kind] for two in every if two.kind in ENTRANCES))
        case _:
            return document


def _policy(document: Document, entrances: tuple[str, ...]) -> Document:
    """What is let in from anywhere is there for an entrance: one that values have switched off closes it. A Service of another
    type than ClusterIP is for who is outside of the cluster, whom no selector finds."""
    for number, rule in enumerate(bare(document)["spec"]["ingress"]):
        closed = ['(eq .Values.service.type "ClusterIP")']
        closed += [f"(not .Values.{one})" for one in entrances if "from" not in rule]
        text = f"{{{{- if and {' '.join(closed)} }}}}\n{yaml.dump(CLUSTER)}{{{{- end }}}}"
        changed = {"ports": rule["ports"], Slot(text=text, shape="lines"): None}
        document = put(document, ("spec", "ingress", number), changed)
    return document


def _deployment(application: Application, document: Document) -> Document:
    metadata = document["spec"]["template"]["metadata"]
    annotations = Slot(text=ANNOTATIONS if settings.plain(application) else NO_CONFIG, shape="lines")
    document = put(document, ("spec", "template", "metadata"), {**metadata, annotations: None})
    pod = document["spec"]["template"]["spec"]
    more = {
        **_with("imagePullSecrets", "imagePullSecrets"),
        **_with("tolerations", "tolerations"),
        **_with("affinity", "affinity"),
    }
    document = put(document, POD, {**pod, **more})
    if has(document, ("spec", "replicas")):
        return document
    text = "{{- if not .Values.autoscaling.enabled }}\nreplicas: {{ .Values.replicas | int }}\n{{- end }}"
    return _first(document, ("spec",), Slot(text=text, shape="lines"))


def _first(document: Document, path: Path, slot: Slot) -> Document:
    at = document
    for key in path:
        at = at[key]
    inside = at.value if isinstance(at, Noted) else at
    return put(document, path, {slot: None, **inside})


def _with(value: str, key: str) -> dict[Slot, None]:
    text = f"{{{{- with .Values.{value} }}}}\n{key}:\n  {{{{- toYaml . | nindent {DEEPER} }}}}\n{{{{- end }}}}"
    return {Slot(text=text, shape="lines"): None}
