"""Generated files by Kubernetes' own schemas (1.30 to 1.37), and by yamllint."""

from __future__ import annotations

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from yamllint import linter  # type: ignore[import-untyped]
from yamllint.config import YamlLintConfig  # type: ignore[import-untyped]

from tests.support.manifests import APPLICATIONS, EXTRAS, FORMS, Objects, plain, texts

VERSIONS = tuple(f"1.{minor}" for minor in range(30, 38))
LINES = YamlLintConfig("{extends: default, rules: {line-length: {max: 130}, document-start: disable}}")
"""A sentence may end a little later; `---` begins files of several documents alone."""


def everything(name: str) -> Objects:
    found = plain(APPLICATIONS[name], extras=EXTRAS.get(name, ()))
    return {key: one for key, one in found.items() if key[0] != "HTTPRoute"}  # no part of Kubernetes itself


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", APPLICATIONS)
def test_schemas_know_every_key(name: str, version: str) -> None:
    for one in everything(name).values():
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_the_schemas_would_see_an_unknown_key(version: str) -> None:
    deployment = everything("api")["Deployment", "shop-api"]
    wrong = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", APPLICATIONS)
def test_yamllint_finds_nothing(form: str, name: str) -> None:
    found = [
        f"{path}:{problem}"
        for path, text in texts(form, APPLICATIONS[name], extras=EXTRAS.get(name, ())).items()
        if path.endswith(".yaml") and "/templates/" not in path
        for problem in linter.run(text, LINES)
    ]
    assert found == []


def test_yamllint_would_see_a_key_twice() -> None:
    assert list(linter.run("a: 1\na: 2\n", LINES))
    assert yaml.safe_load("a: 1\na: 2\n") == {"a": 2}
