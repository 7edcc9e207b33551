"""A chart is the plain form with places for values, and nothing of a repository is a template in it."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml
from msgspec.structs import replace

from tests.support.applications import API, DIGEST, HOSTILE, JOBS
from tests.support.manifests import BOTH, FORMS, kinds, made, running, texts
from wherry.errors import UsageError
from wherry.formats.yaml import noted
from wherry.generate.kubernetes.files import files
from wherry.generate.kubernetes.helm.slots import OPEN, Slot, template
from wherry.generate.kubernetes.paths import bare, has, put
from wherry.model.application import Application
from wherry.model.file import Choice

ACTION = re.compile(r"\{\{.*?\}\}")
VALUE = re.compile(r"\.Values\.([a-zA-Z.]+)")
CHART = "deploy/chart"
EVERYTHING = running(replace(API, gateway="infra/public"), volumes=("/data",), writable=())


def test_slots_are_filled_where_they_stand() -> None:
    text = template(
        {
            "a": Slot(text="x | quote"),
            "b": noted(Slot(text="toYaml y", shape="block"), "why"),
            "c": [{"d": Slot(text="toYaml z", shape="block")}, Slot(text="i")],
            Slot(text="{{- if q }}\nr: <deeper>\n{{- end }}", shape="lines"): None,
        }
    )
    assert text == (
        "a: {{ x | quote }}\n# why\nb:\n  {{- toYaml y | nindent 2 }}\nc:\n"
        "  - d:\n    {{- toYaml z | nindent 4 }}\n  - {{ i }}\n{{- if q }}\nr: 2\n{{- end }}\n"
    )


@pytest.mark.parametrize("text", ["{{ .Values }}", "slot0x", "slott0x {{", "{{{", HOSTILE, "{{- end }}", "a # {{"])
def test_only_slots_are_templates(text: str) -> None:
    made = template({"a": text, text: [text], "b": noted(1, text), "c": Slot(text="mine")})
    assert set(ACTION.findall(made)) <= {OPEN, "{{ mine }}"}
    assert made.count("{{ mine }}") == 1
    written = yaml.safe_load(made.replace(OPEN, "{{").replace("{{ mine }}", "mine"))
    assert written == {"a": text, text: [text], "b": 1, "c": "mine"}


@pytest.mark.parametrize("application", [API, JOBS, EVERYTHING], ids=["api", "jobs", "everything"])
def test_every_value_is_used_and_every_used_one_is_there(application: Application) -> None:
    files = texts("helm", application, extras=BOTH if application is EVERYTHING else ())
    values = yaml.safe_load(files[f"{CHART}/values.yaml"])
    used = {name for path, text in files.items() if "/templates/" in path for name in VALUE.findall(text)}
    for name in used:
        at = values
        for key in name.split("."):
            at = at[key]
    leaves = {f"{a}.{b}" for a, one in values.items() if isinstance(one, dict) for b in one} | set(values)
    unused = leaves - used - {name.partition(".")[0] for name in used}
    assert [name for name in unused if name.partition(".")[0] not in used] == []


def test_values_hold_what_the_plain_form_says() -> None:
    values = yaml.safe_load(texts("helm", replace(API, digest=DIGEST))[f"{CHART}/values.yaml"])
    assert values["image"] == {
        "repository": "registry.example.com/shop/shop-api",
        "tag": "",
        "digest": DIGEST,
        "pullPolicy": "IfNotPresent",
    }
    assert values["autoscaling"] == {"enabled": True, "minReplicas": 2, "maxReplicas": 10, "cpuUtilization": 80}
    assert values["config"] == {"LOG_LEVEL": "info"}


def test_the_schema_takes_the_values_and_no_misspelled_one() -> None:
    files = texts("helm", EVERYTHING, extras=BOTH)
    schema = json.loads(files[f"{CHART}/values.schema.json"])
    values = yaml.safe_load(files[f"{CHART}/values.yaml"])
    check = jsonschema.Draft7Validator(schema)
    check.check_schema(schema)
    assert check.is_valid(values)
    assert check.is_valid({**values, "global": {"a": 1}, "tolerations": [{"key": "a"}]})
    for wrong in (
        {"replica": 3},
        {"replicas": "3"},
        {"replicas": True},
        {"image": {**values["image"], "digest": "latest"}},
        {"image": {**values["image"], "pullPolicy": "Sometimes"}},
        {"config": {"A": 1}},
        {"ingress": {**values["ingress"], "hosts": []}},
    ):
        assert not check.is_valid({**values, **wrong}), wrong


def test_switches_are_for_what_can_be_left_out() -> None:
    files = texts("helm", EVERYTHING, extras=BOTH)
    for path, text in files.items():
        if "/templates/" in path and path.endswith(".yaml"):
            optional = path.endswith(("networkpolicy.yaml", "ingress.yaml", "httproute.yaml"))
            assert text.startswith("{{- if .Values.") == optional, path
    assert texts("helm", API)[f"{CHART}/templates/horizontalpodautoscaler.yaml"].startswith(
        "{{- if .Values.autoscaling"
    )


@pytest.mark.parametrize(
    ("extras", "closed"),
    [
        ((), '(eq .Values.service.type "ClusterIP")'),
        (BOTH, '(eq .Values.service.type "ClusterIP") (not .Values.ingress.enabled) (not .Values.httpRoute.enabled)'),
        (("ingress",), '(eq .Values.service.type "ClusterIP") (not .Values.ingress.enabled)'),
    ],
)
def test_the_policy_follows_the_values_that_let_the_world_in(extras: tuple[str, ...], closed: str) -> None:
    policy = texts("helm", replace(API, gateway="infra/public"), extras=extras)[f"{CHART}/templates/networkpolicy.yaml"]
    lines = ["- ports:", "    - protocol: TCP", "      port: 8080", f"  {{{{- if and {closed} }}}}"]
    lines += ["  from:", "    - namespaceSelector: {}", "  {{- end }}"]
    assert "".join(f"    {line}\n" for line in lines) in policy


def test_only_what_has_no_comments_has_no_first_line() -> None:
    without = {one.path for one in made("helm", API) if not one.comment}
    assert without == {f"{CHART}/values.schema.json", f"{CHART}/templates/NOTES.txt"}


@pytest.mark.parametrize(
    ("home", "package"), [("{{ .Values }}", "."), (".", "./cmd/{{ .Values }}")], ids=["home", "package"]
)
def test_a_first_line_is_no_template(home: str, package: str) -> None:
    """It names folders of the repository, and a comment in a template is a template."""
    for form in FORMS:
        choice = Choice(what="kubernetes", variant=form, packages=(package,))
        if form == "helm":
            with pytest.raises(UsageError, match="cannot be written into a chart"):
                files((replace(API, home=home),), choice)
        else:
            assert files((replace(API, home=home),), choice)


@pytest.mark.parametrize(
    ("version", "chart"),
    [("1.4.0", "1.4.0"), ("v2.0.0-rc.1+x", "2.0.0-rc.1+x"), ("2026.1", "0.0.0"), ("", "0.0.0"), ("1.02.3", "0.0.0")],
)
def test_charts_have_semantic_versions(version: str, chart: str) -> None:
    about = yaml.safe_load(texts("helm", replace(API, version=version))[f"{CHART}/Chart.yaml"])
    assert about["version"] == chart
    assert about["appVersion"] == version


def test_each_object_of_the_plain_form_has_a_template() -> None:
    templates = {path.rpartition("/")[2] for path in texts("helm", API) if "/templates/" in path}
    assert templates == {f"{kind.lower()}.yaml" for kind in kinds(API) - {"Namespace"}} | {"_helpers.tpl", "NOTES.txt"}


def test_paths_keep_the_notes_around_them() -> None:
    document = {"a": noted({"b": [noted(1, "inner"), 2]}, "outer")}
    changed = put(document, ("a", "b", 0), 3)
    assert changed == {"a": noted({"b": [noted(3, "inner"), 2]}, "outer")}
    assert put(document, ("a", "b", 0), noted(3, "new")) == {"a": noted({"b": [noted(3, "new"), 2]}, "outer")}
    assert document == {"a": noted({"b": [noted(1, "inner"), 2]}, "outer")}
    assert bare(changed) == {"a": {"b": [3, 2]}}
    assert has(document, ("a", "b", 1))
    assert not has(document, ("a", "b", 2))
    assert not has(document, ("a", 0))
    assert not has(document, ("x",))
