"""The texts of a chart that are no objects: helpers, notes. An application in, texts out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.generate import names
from wherry.generate.kubernetes import settings
from wherry.model.application import Application

HELPERS: Final = """\
{{- define "NAME.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "NAME.labelValue" -}}
{{- regexReplaceAll "[^A-Za-z0-9._-]" . "_" | trunc 63 | trimAll "._-" -}}
{{- end -}}

{{- define "NAME.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "NAME.labels" -}}
{{ include "NAME.selectorLabels" . }}
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ include "NAME.labelValue" . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ include "NAME.labelValue" (printf "%s-%s" .Chart.Name .Chart.Version) | quote }}
{{- end -}}

{{- define "NAME.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- $version := regexReplaceAll "[^A-Za-z0-9._-]" .Chart.AppVersion "-" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default $version | default "latest") -}}
{{- end -}}
{{- end -}}
"""
NOTES: Final = """\
{{ include "NAME.fullname" . }} is being rolled out in the namespace {{ .Release.Namespace }}:

  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ include "NAME.fullname" . }}

Its pods keep the restricted level; let the API server hold every pod to it:

  kubectl label namespace {{ .Release.Namespace }} pod-security.kubernetes.io/enforce=restricted
"""
FILES: Final = """
It waits for a Secret with its files:

  kubectl -n {{ .Release.Namespace }} create secret generic {{ .Values.secrets.files }} ARGUMENTS
"""
VARIABLES: Final = """
Variables that nobody else may read go into a Secret, WHEN:

  kubectl -n {{ .Release.Namespace }} create secret generic {{ .Values.secrets.environment }} --from-literal=NAME=VALUE
"""


def helpers(application: Application) -> str:
    """templates/_helpers.tpl."""
    return HELPERS.replace("NAME", names.service(application))


def notes(application: Application) -> str:
    """templates/NOTES.txt: what `helm install` says in the end."""
    text = NOTES.replace("NAME", names.service(application))
    if application.runs.secrets:
        text += FILES.replace("ARGUMENTS", " ".join(f"--from-file={one}" for one in application.runs.secrets))
    if settings.reads_secret(application):
        waits = settings.needs_secret(application)
        text += VARIABLES.replace("WHEN", "for which it waits" if waits else "which it reads when it starts")
    return text
