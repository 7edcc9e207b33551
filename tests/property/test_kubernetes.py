"""Whatever a repository calls its things: Kubernetes files say exactly that, to every reader of YAML, or are refused whole (I01,
I02)."""

from __future__ import annotations

import io
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from ruamel.yaml import YAML

from tests.support.applications import API, HOSTILE
from tests.support.manifests import BOTH, FORMS, container, parsed, plain, pod, running, texts, the
from wherry.errors import UsageError
from wherry.generate.kubernetes.helm.slots import OPEN
from wherry.model.application import Application
from wherry.model.plan import Health

slowly = settings(deadline=None, max_examples=40)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40) | st.sampled_from(
    (
        HOSTILE,
        "no",
        "on",
        "1e3",
        "0o17",
        "012",
        "12:30",
        "~",
        "null",
        "=",
        "<<",
        "{{ x }}",
        "$(HOME)",
        "- a",
        "a: b",
        "# a",
    )
)
SETTINGS = st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True), TEXTS, max_size=4)
PATHS = st.lists(TEXTS.map(lambda text: "/" + text), max_size=3, unique=True)


def with_texts(value: str) -> Application:
    """One text wherever an application may hold any."""
    return running(
        replace(API, image=value, version=value, source=value, gateway="infra/public"),
        environment=(("VALUE", value),),
        health=Health(command=("/app/api", value)),
        readiness=value,
        seccomp=value,
    )


@slowly
@given(TEXTS)
def test_texts_come_back_as_they_went_in(value: str) -> None:
    application = with_texts(value)
    found = container(application)
    assert found["livenessProbe"]["exec"]["command"] == ["/app/api", value.replace("$", "$$")]
    assert found["readinessProbe"]["httpGet"]["path"] == value
    assert found["image"].startswith(f"{value}:")
    assert the("ConfigMap", application)["data"]["VALUE"] == value
    assert re.fullmatch(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", version_label(application))


def version_label(application: Application) -> str:
    labels: dict[str, str] = the("Deployment", application)["metadata"]["labels"]
    return labels.get("app.kubernetes.io/version", "")


@slowly
@given(TEXTS)
def test_two_readers_of_yaml_see_the_same(value: str) -> None:
    for form in FORMS:
        for path, text in texts(form, with_texts(value), extras=BOTH).items():
            if path.endswith(".yaml") and "/templates/" not in path:
                first = list(yaml.safe_load_all(text))
                second = list(YAML(typ="safe", pure=True).load_all(io.StringIO(text)))
                assert first == second, path


@slowly
@given(TEXTS)
def test_no_text_becomes_a_line_of_its_own(value: str) -> None:
    """The same keys, whatever the text."""
    for path, text in texts("plain", with_texts(value)).items():
        expected = texts("plain", with_texts("a"))[path]
        assert _keys(yaml.safe_load(text)) == _keys(yaml.safe_load(expected)), path


def _keys(document: object) -> object:
    match document:
        case dict():
            return {key: _keys(one) for key, one in document.items() if key != "app.kubernetes.io/version"}
        case list():
            return [_keys(one) for one in document]
        case _:
            return None


@slowly
@given(TEXTS)
def test_no_text_is_a_template_of_helm(value: str) -> None:
    """Every action is one that an application without any strange text has, too."""
    usual = texts("helm", with_texts("a"), extras=BOTH)
    for path, text in texts("helm", with_texts(value), extras=BOTH).items():
        if "/templates/" in path:
            assert _actions(text) == _actions(usual[path]), path


def _actions(text: str) -> list[str]:
    return re.findall(r"\{\{.*?\}\}", text.replace(OPEN, ""))


@slowly
@given(SETTINGS)
def test_kustomize_is_given_what_it_gives_back(values: dict[str, str]) -> None:
    """Of a literal it takes what is behind the first `=`, less one pair of quotes (api/kv/kv.go)."""
    application = running(API, environment=tuple(sorted(values.items())), variables=())
    base = yaml.safe_load(texts("kustomize", application)["deploy/base/kustomization.yaml"])
    (generator,) = base.get("configMapGenerator", [{"literals": []}])
    pairs = (literal.split("=", 1) for literal in generator["literals"])
    read = {name: text[1:-1] if _quoted(text) else text for name, text in pairs}
    assert read == values


def _quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"


@slowly
@given(PATHS)
def test_paths_are_mounted_or_refused(paths: list[str]) -> None:
    application = running(API, volumes=tuple(paths))
    try:
        found = pod(application)
    except UsageError:
        assert any(":" in path or not path.isprintable() for path in paths)
        return
    mounts = {one["mountPath"]: one["name"] for one in found["containers"][0]["volumeMounts"]}
    assert set(paths) <= set(mounts)
    assert len(set(mounts.values())) == len(mounts)
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in mounts.values())


@slowly
@given(TEXTS)
def test_names_are_taken_whole_or_refused(name: str) -> None:
    fits = re.fullmatch(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?", name.rpartition("/")[2])
    for form in FORMS:
        try:
            found = texts(form, replace(API, name=name))
        except UsageError:
            assert not fits
            continue
        assert fits
        assert found


@pytest.mark.parametrize("form", FORMS)
def test_the_hostile_text_everywhere(form: str) -> None:
    made = texts(form, with_texts(HOSTILE), extras=BOTH)
    assert "evil: true" not in [line.strip() for text in made.values() for line in text.splitlines()]
    if form == "plain":
        assert parsed(made.values()) == plain(with_texts(HOSTILE), extras=BOTH)
