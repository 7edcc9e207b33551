"""The pipeline for GitLab: by GitLab's own schema, and its scripts run in order with what attackers may choose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.recorder import Recorder, recorder
from tests.support.workflow import gitlab_job, parsed
from wherry.generate.ci.files import files
from wherry.model.application import Application
from wherry.model.file import Choice

CHOICE = Choice(what="ci", variant="gitlab")
CASES = {"api": (API,), "jobs": (JOBS,), "both": (API, JOBS)}
DIGEST = "sha256:" + "ab" * 32
INSTALL = ("apt-get", "python3 -m venv", "/opt/wherry", "gofmt")


def pipeline(*applications: Application) -> Any:
    (made,) = files(applications, CHOICE)
    return parsed(made.text)


def jobs(document: Any) -> dict[str, Any]:
    return {name: one for name, one in document.items() if isinstance(one, dict) and "script" in one}


@pytest.mark.parametrize("name", CASES)
def test_golden_keeps_to_gitlabs_schema(name: str, tmp_path: Path) -> None:
    made = files(CASES[name], CHOICE)
    same_as_golden(f"ci-gitlab-{name}", made)
    assert judged(made[0].text, tmp_path) == ""


def test_the_schema_would_see_a_job_called_like_a_keyword(tmp_path: Path) -> None:
    (made,) = files((API,), CHOICE)
    assert "$.image" in judged(made.text.replace("\nbuild:\n", "\nimage:\n"), tmp_path)


def judged(text: str, folder: Path) -> str:
    file = folder / ".gitlab-ci.yml"
    file.write_text(text)
    command = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci"]
    done = subprocess.run(
        [*command, "--data-transform", "gitlab-ci", file], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_it_lies_at_the_root() -> None:
    assert [one.path for one in files((JOBS,), CHOICE)] == ["../../.gitlab-ci.yml"]


def test_only_releases_are_published_and_only_what_was_proved() -> None:
    usual = pipeline(msgspec.structs.replace(API, branch=""))
    assert [one["if"] for one in usual["publish"]["rules"]] == [
        "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
        "$CI_COMMIT_TAG =~ /^v/",
    ]
    nested = pipeline(msgspec.structs.replace(JOBS, image="registry.example.com/jobs"))
    assert nested["publish"]["rules"][1] == {"if": r"$CI_COMMIT_TAG =~ /^services\/jobs\/v/"}
    document = pipeline(API)
    assert document["publish"]["rules"][0] == {"if": "$CI_COMMIT_BRANCH == $RELEASED_BRANCH"}
    assert document["variables"]["RELEASED_BRANCH"] == "main"
    odd = pipeline(msgspec.structs.replace(API, branch="$CI_COMMIT_BRANCH"))
    assert odd["variables"]["RELEASED_BRANCH"] == {"value": "$CI_COMMIT_BRANCH", "expand": False}
    assert document["publish"]["needs"] == ["build", "prove"]
    assert document["publish"]["interruptible"] is False
    assert "allow_failure" not in str(document)
    assert "publish" not in jobs(pipeline(JOBS)), "it has no registry"


def test_programs_of_one_module_are_checked_once() -> None:
    document = pipeline(API, msgspec.structs.replace(API, name="other"))
    assert [name for name, job in document.items() if isinstance(job, dict) and job.get("stage") == "test"] == ["test"]
    assert [job["needs"] for name, job in document.items() if name.startswith("build")] == [["test"], ["test"]]


def test_nothing_runs_as_a_service_and_every_image_has_a_digest() -> None:
    document = pipeline(API, JOBS)
    assert [name for name, one in document.items() if "services" in one] == []
    assert "docker" not in str({name: one for name, one in document.items() if name != "default"})
    images = [document["default"]["image"], *(one["image"] for one in jobs(document).values() if "image" in one)]
    assert len(images) == 4, "the jobs of JOBS have an older Go"
    assert all("@sha256:" in image for image in images)


def test_caches_are_renewed_by_each_job_and_publishing_has_none() -> None:
    document = pipeline(API)
    cache = document["build"]["cache"]
    assert cache["key"] == "go-1.26.8-$CI_JOB_NAME_SLUG", (
        "neither a branch nor a go.sum, or their first run finds nothing"
    )
    assert {name for name, one in jobs(document).items() if "cache" in one} == {"test", "build"}
    places = [document["variables"][name] for name in ("GOMODCACHE", "GOCACHE")]
    assert places == [f"$CI_PROJECT_DIR/{path}" for path in cache["paths"]]


def hostile(text: str) -> Application:
    program = msgspec.structs.replace(API.programs[0], package=f"./{text}")
    sources = msgspec.structs.replace(API.sources, directory=text, environment=(("GOPRIVATE", text),))
    return msgspec.structs.replace(API, name=text, home=text, programs=(program,), sources=sources)


def run(document: Any, folder: Path, programs: Recorder, **predefined: str) -> list[str]:
    """All jobs' scripts; what failed."""
    variables = {"PATH": programs.path, "HOME": str(folder), **predefined}
    ended = {name: gitlab_job(job, folder, variables, INSTALL) for name, job in jobs(document).items()}
    return [f"{name}: {done.stderr}" for name, done in ended.items() if done.returncode]


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("text", [HOSTILE, "$CI_JOB_TOKEN ${IMAGE}", "a'b\"c`id`$(id)"])
def test_scripts_get_texts_as_they_are(text: str, tmp_path: Path) -> None:
    document = pipeline(hostile(text))
    folder = repository(tmp_path / "it")
    (folder / text).mkdir(parents=True)
    answers = ((("wherry", "build"), f"registry.example.com/a:1@{DIGEST}\n", 0),)
    programs = recorder(tmp_path / "programs", "go", "wherry", answers=answers)
    assert run(document, folder, programs, PROVED=DIGEST, REGISTRY_USERNAME="u", REGISTRY_PASSWORD="p") == []
    builds = [one for one in programs.calls if one.words[:2] == ("wherry", "build")]
    assert [one.words[2] for one in builds] == [f"./{text}"] * 2
    assert {one.folder for one in builds} == {str(folder / text)}
    vet = next(one for one in programs.calls if one.words[:2] == ("go", "vet"))
    assert (vet.folder, vet.variables["GOPRIVATE"]) == (str(folder / text), text)
    assert (folder / ".cache/image.env").read_text() == f"PROVED={DIGEST}\n"
    assert subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, check=True).stdout == b""


def test_variables_with_a_dollar_are_not_expanded() -> None:
    variables = pipeline(hostile("$CI_JOB_TOKEN"))["build"]["variables"]
    assert variables["PACKAGE"] == {"value": "./$CI_JOB_TOKEN", "expand": False}
    assert variables["IMAGE"] == API.image


def test_gitlabs_own_password_goes_to_gitlabs_registry_only(tmp_path: Path) -> None:
    answers = ((("wherry", "build"), f"registry.example.com/a:1@{DIGEST}\n", 0),)
    programs = recorder(tmp_path / "programs", "go", "wherry", answers=answers)
    known = {
        "CI_REGISTRY_USER": "gitlab",
        "CI_REGISTRY_PASSWORD": "own",
        "REGISTRY_USERNAME": "u",
        "REGISTRY_PASSWORD": "p",
    }
    folder = repository(tmp_path / "it")
    for registry, user in (("registry.gitlab.example", "u"), ("registry.example.com", "gitlab")):
        programs.forget()
        assert run(pipeline(API), folder, programs, PROVED=DIGEST, CI_REGISTRY=registry, **known) == []
        (login,) = (one.words for one in programs.calls if one.words[1:3] == ("registry", "login"))
        assert login[3:] == ("registry.example.com", "--username", user, "--password-stdin")


def test_an_image_that_is_another_when_built_again_is_not_pushed(tmp_path: Path) -> None:
    answers = ((("wherry", "build"), "registry.example.com/a:1@sha256:other\n", 0),)
    programs = recorder(tmp_path / "programs", "go", "wherry", answers=answers)
    said = {"REGISTRY_USERNAME": "u", "REGISTRY_PASSWORD": "p"}
    (failed,) = run(pipeline(API), repository(tmp_path / "it"), programs, PROVED=DIGEST, **said)
    assert failed == f"publish: built again it is sha256:other, and {DIGEST} was proved\n"
    assert [one for one in programs.words() if one[1] == "push"] == []


def test_private_modules_have_credentials_only_where_they_are_needed() -> None:
    found = [name for name, one in jobs(pipeline(JOBS)).items() if "$NETRC" in str(one)]
    assert found == ["test", "build"]
    assert "$NETRC" not in str(pipeline(API))
