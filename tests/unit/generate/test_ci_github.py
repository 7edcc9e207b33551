"""The workflow for GitHub: rights, pins, conditions; and its scripts, run in order with what attackers may choose (I03)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.recorder import recorder
from tests.support.workflow import Runner, parsed
from wherry.errors import UsageError
from wherry.generate.ci import install
from wherry.generate.ci.actions import ATTEST, CACHE, CHECKOUT, SETUP_GO
from wherry.generate.ci.files import files
from wherry.generate.ci.steps import literal
from wherry.model.application import Application
from wherry.model.file import Choice

PLAIN = Choice(what="ci", variant="github")
DOCKER = Choice(what="ci", variant="github", extras=("docker",))
GHCR = replace(API, image="ghcr.io/example/shop-api")
CASES = {"api": (API,), "jobs": (JOBS,), "both": (API, JOBS), "ghcr": (GHCR,)}
EVERY = [(name, choice) for name in CASES for choice in (PLAIN, DOCKER)]
DIGEST = "sha256:" + "ab" * 32


def workflow(applications: tuple[Application, ...], choice: Choice = PLAIN) -> Any:
    (made,) = files(applications, choice)
    return parsed(made.text)


def steps(document: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, step) for name, job in document["jobs"].items() for step in job["steps"]]


@pytest.mark.parametrize("name", ["api", "jobs", "both"])
@pytest.mark.parametrize("choice", [PLAIN, DOCKER], ids=["", "docker"])
def test_golden(name: str, choice: Choice) -> None:
    same_as_golden("-".join(("ci", *choice.extras, "github", name)), files(CASES[name], choice))


def test_it_lies_where_github_looks_whatever_folder_the_files_have() -> None:
    assert [one.path for one in files((API,), PLAIN)] == [".github/workflows/shop-api.yaml"]
    assert [one.path for one in files((JOBS,), PLAIN)] == ["../../.github/workflows/jobs.yaml"]
    assert [one.path for one in files((API, JOBS), PLAIN)] == [".github/workflows/images.yaml"]


@pytest.mark.parametrize(("name", "choice"), EVERY)
def test_every_action_is_a_commit_with_its_tag_beside_it(name: str, choice: Choice) -> None:
    (made,) = files(CASES[name], choice)
    lines = [line for line in made.text.splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.fullmatch(r" +(?:- )?uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_each_pin_was_seen_in_two_places() -> None:
    for action in (CHECKOUT, SETUP_GO, CACHE, ATTEST):
        assert re.fullmatch(r"[0-9a-f]{40}", action.commit)
        assert len(set(action.seen)) >= 2, action.name


@pytest.mark.parametrize(("name", "choice"), EVERY)
def test_no_script_holds_an_expression_and_no_stranger_gets_rights(name: str, choice: Choice) -> None:
    document = workflow(CASES[name], choice)
    assert [step for _, step in steps(document) if "${{" in step.get("run", "")] == []
    assert set(document["on"]) == {"push", "pull_request"}
    assert document["permissions"] == {"contents": "read"}
    for job, settings in document["jobs"].items():
        rights = settings.get("permissions", {})
        writes = {right for right, kind in rights.items() if kind == "write"}
        assert writes == (
            {"id-token", "attestations"} | ({"packages"} if name == "ghcr" else set()) if "publish" in job else set()
        )
        assert settings["timeout-minutes"] <= 30
        assert settings["runs-on"] != "ubuntu-latest"
    for _, step in steps(document):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"] == {"fetch-depth": 0, "persist-credentials": False}


@pytest.mark.parametrize(("name", "choice"), EVERY)
def test_secrets_are_for_the_steps_that_need_them(name: str, choice: Choice) -> None:
    document = workflow(CASES[name], choice)
    assert "secrets." not in str({key: one for key, one in document.items() if key != "jobs"})
    found = {step["name"] for _, step in steps(document) if "secrets." in str(step)}
    assert found <= {"Log in", "Credentials of private modules"}


def test_caches_are_renewed_by_each_push_and_publishing_has_none() -> None:
    document = workflow((API,))
    caches = {
        part: [(job, step) for job, step in steps(document) if f"cache/{part}" in step.get("uses", "")]
        for part in ("restore", "save")
    }
    assert [job for job, _ in caches["restore"]] == [job for job, _ in caches["save"]] == ["test", "build"]
    for job, step in caches["restore"]:
        key, begin = step["with"]["key"], step["with"]["restore-keys"].splitlines()
        assert key.endswith("-${{ github.sha }}")
        assert begin[0] == key.removesuffix("${{ github.sha }}")
        assert begin[0].startswith(begin[1])
        assert begin[1].startswith(f"{job}-")
    for _, step in caches["save"]:
        assert step["with"]["key"] == "${{ steps.caches.outputs.cache-primary-key }}"
    assert {step["with"]["path"] for part in caches.values() for _, step in part} == {
        "~/.cache/go-build\n~/go/pkg/mod\n"
    }
    assert {step["with"]["cache"] for _, step in steps(document) if "setup-go" in step.get("uses", "")} == {False}


@pytest.mark.parametrize(
    ("event", "kind", "hit", "kept"),
    [
        ("push", "branch", "", True),
        ("push", "branch", "false", True),
        ("push", "branch", "true", False),
        ("push", "tag", "", False),
        ("pull_request", "branch", "", False),
    ],
)
def test_who_keeps_caches(event: str, kind: str, hit: str, kept: bool, tmp_path: Path) -> None:
    github = {"event_name": event, "ref_type": kind}
    context = {"github": github, "steps": {"caches": {"outputs": {"cache-hit": hit}}}}
    runner = Runner(folder=tmp_path, scratch=tmp_path, context=context, variables={})
    saving = [step for _, step in steps(workflow((API, JOBS))) if "cache/save" in step.get("uses", "")]
    assert [runner.holds(step["if"]) for step in saving] == [kept] * 4


@pytest.mark.parametrize(
    ("event", "ref", "branch", "published"),
    [
        ("push", "refs/heads/main", "main", True),
        ("push", "refs/tags/services/jobs/v1.4.0", "main", True),
        ("push", "refs/tags/v1.4.0", "main", False),
        ("push", "refs/heads/other", "main", False),
        ("push", "refs/tags/nightly", "main", False),
        ("push", "refs/heads/trunk", "trunk", True),
        ("pull_request", "refs/pull/7/merge", "main", False),
        ("pull_request", "refs/heads/main", "main", False),
    ],
)
def test_who_publishes(event: str, ref: str, branch: str, published: bool, tmp_path: Path) -> None:
    published_jobs = replace(JOBS, image="registry.example.com/jobs")
    document = workflow((published_jobs,))
    github = {"event_name": event, "ref": ref, "event": {"repository": {"default_branch": branch}}}
    runner = Runner(folder=tmp_path, scratch=tmp_path, context={"github": github}, variables={})
    assert runner.value(document["jobs"]["publish"]["if"]) is published
    assert runner.value(document["jobs"]["test"]["if"]) is (published or event == "pull_request"), (
        "once, where it is known"
    )
    assert runner.fill(document["concurrency"]["cancel-in-progress"]) == str(event == "pull_request")


@pytest.mark.parametrize(
    ("ref", "published"),
    [
        ("refs/heads/main", ["publish-shop-api", "publish-jobs"]),
        ("refs/tags/v1.4.0", ["publish-shop-api"]),
        ("refs/tags/services/jobs/v1.4.0", ["publish-jobs"]),
        ("refs/tags/services/$${{x}}'/v1.4.0", ["publish-odd"]),
    ],
)
def test_a_modules_tags_publish_its_own_programs(ref: str, published: list[str], tmp_path: Path) -> None:
    jobs = replace(JOBS, image="registry.example.com/jobs")
    folder = "services/$${{x}}'"
    odd = replace(jobs, name="odd", sources=replace(jobs.sources, module_directory=folder, directory=folder))
    document = workflow((API, jobs, odd))
    github = {"event_name": "push", "ref": ref, "ref_type": ref.split("/")[1].replace("heads", "branch")}
    runner = Runner(folder=tmp_path, scratch=tmp_path, context={"github": github}, variables={})
    publishing = {name: job["if"] for name, job in document["jobs"].items() if name.startswith("publish")}
    assert len(publishing) == 3
    assert not [text for text in publishing.values() if "${{" in text]
    assert [name for name, text in publishing.items() if runner.value(text)] == (
        [*published, "publish-odd"] if "heads" in ref else published
    )
    assert document["on"]["push"]["tags"][:2] == ["v*", "services/jobs/v*"]


def test_programs_of_one_module_are_checked_once() -> None:
    other = replace(API, name="other")
    document = workflow((API, other))
    assert [name for name in document["jobs"] if name.startswith("test")] == ["test"]
    assert {job["needs"] for name, job in document["jobs"].items() if name.startswith("build")} == {"test"}
    tagged = replace(
        other,
        name="tagged",
        sources=replace(API.sources, environment=(*API.sources.environment, ("GOEXPERIMENT", "x"))),
    )
    document = workflow((API, other, tagged, replace(tagged, name="third")))
    needs = {name: job["needs"] for name, job in document["jobs"].items() if name.startswith("build")}
    assert list(needs.values()) == ["test-shop-api", "test-shop-api", "test-tagged", "test-tagged"]


def test_with_a_known_branch_only_its_pushes_and_version_tags_start_anything() -> None:
    document = workflow((API,))
    assert document["on"]["push"] == {"branches": ["main"], "tags": ["v*"]}
    assert document["jobs"]["publish"]["if"] == "github.event_name == 'push'"
    odd = workflow((replace(API, branch="!c++[x]*"),))
    assert odd["on"]["push"]["branches"] == [r"\!c\+\+\[x\]\*"]


def test_checks_are_those_that_this_module_can_have() -> None:
    runs = {
        name: [step["run"] for _, step in steps(workflow((one,))) if "run" in step]
        for name, one in (("api", API), ("jobs", JOBS))
    }
    assert "go mod verify" in runs["api"]
    assert "go mod verify" not in runs["jobs"], "it asks for the modules of a workspace, too"
    assert "go test -race -tags=netgo work" in runs["jobs"]
    vendored = replace(API, sources=replace(API.sources, vendored=True))
    assert "go mod verify" not in str(workflow((vendored,)))


def test_nothing_is_pushed_without_a_registry() -> None:
    assert set(workflow((JOBS,))["jobs"]) == {"test", "build"}
    assert "registry" not in str(workflow((JOBS,), DOCKER)["jobs"]["build"])


def hostile(text: str) -> Application:
    program = replace(API.programs[0], package=f"./{text}")
    sources = replace(API.sources, directory=text, environment=(("GOPRIVATE", text),), go="1.26.8")
    return replace(API, name=text, programs=(program,), sources=sources, branch=text)


@pytest.mark.parametrize(
    "text", [HOSTILE.replace("\n", "").replace("\r", ""), "${{ github.token }}", "a'b\"c`id`$(id)"]
)
def test_scripts_get_texts_as_they_are(text: str, tmp_path: Path) -> None:
    document = workflow((hostile(text),))
    (tmp_path / "it" / text).mkdir(parents=True)
    answers = ((("wherry", "build"), f"registry.example.com/a:1@{DIGEST}\n", 0),)
    programs = recorder(tmp_path / "programs", "go", "wherry", answers=answers)
    context = {"needs": {"build": {"outputs": {"digest": DIGEST}}}, "github": {"token": "stolen"}}
    runner = Runner(
        folder=tmp_path / "it", scratch=tmp_path / "scratch", context=context, variables={"PATH": programs.path},
        skipped=("wherry", "Format"),
    )  # fmt: skip
    for job in document["jobs"].values():
        runner.run(document, job)
    assert [one for one in runner.ended if one.code] == []
    builds = [one.words[2] for one in programs.calls if one.words[:2] == ("wherry", "build")]
    main = f"./{text}/{text}"
    assert builds == [main, main], "once to be proved, once to be pushed"
    vet = next(one for one in programs.calls if one.words[:2] == ("go", "vet"))
    assert vet.folder == str(tmp_path / "it" / text)
    assert vet.variables["GOPRIVATE"] == text
    assert "stolen" not in str(programs.calls)
    runner.context["github"] = {}
    assert runner.fill(document["name"]) == text.rpartition("/")[2]


def test_a_branch_named_like_a_command_is_only_a_name(tmp_path: Path) -> None:
    evil = 'a";touch${IFS}pwned;"$(touch${IFS}pwned)`touch${IFS}pwned`'
    repository = tmp_path / "it"
    repository.mkdir()
    for words in (
        ("init", "-q", "-b", evil),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", evil, "--allow-empty"),
    ):
        subprocess.run(["git", *words], cwd=repository, check=True)
    subprocess.run(["git", "tag", f"v1{evil}"], cwd=repository, check=True)
    answers = (
        (("wherry", "build"), f"registry.example.com/a:1{evil}@{DIGEST}\n", 0),
        (("wherry", "plan"), f"1{evil}\n", 0),
        (("wherry", "push"), f"registry.example.com/a@{DIGEST}\n", 0),
    )
    programs = recorder(tmp_path / "programs", "go", "wherry", "docker", answers=answers)
    github = {"ref": f"refs/heads/{evil}", "ref_name": evil, "head_ref": evil, "actor": evil, "event_name": "push"}
    for choice in (PLAIN, DOCKER):
        document = workflow((GHCR,), choice)
        context = {
            "github": github,
            "needs": {"build": {"outputs": {"digest": DIGEST}}},
            "secrets": {"GITHUB_TOKEN": evil},
        }
        runner = Runner(
            folder=repository, scratch=tmp_path / "scratch", context=context,
            variables={"PATH": programs.path, "GITHUB_REF_NAME": evil, "GITHUB_HEAD_REF": evil}, skipped=("wherry", "Format"),
        )  # fmt: skip
        for job in document["jobs"].values():
            runner.run(document, job)
        assert [one for one in runner.ended if one.code] == []
    assert not list(tmp_path.rglob("pwned"))
    logins = {one.words[one.words.index("--username") + 1] for one in programs.calls if "--username" in one.words}
    assert logins == {evil}
    tags = {
        one.words[-1]
        for one in programs.calls
        if one.words[:3] == ("wherry", "push", f"oci-archive:{tmp_path}/scratch/image.tar")
    }
    assert {set(tag.rpartition(":")[2]) <= set("1a-touchIFSpwned.") for tag in tags} == {True}


def test_an_image_that_is_another_when_built_again_is_not_pushed(tmp_path: Path) -> None:
    answers = ((("wherry", "build"), "registry.example.com/a:1@sha256:other\n", 0),)
    programs = recorder(tmp_path / "programs", "wherry", answers=answers)
    document = workflow((API,))
    runner = Runner(
        folder=tmp_path, scratch=tmp_path / "scratch", context={"needs": {"build": {"outputs": {"digest": DIGEST}}}},
        variables={"PATH": programs.path}, skipped=("wherry",),
    )  # fmt: skip
    runner.run(document, document["jobs"]["publish"])
    assert runner.ended[-1].code == 1
    assert f"built again it is sha256:other, and {DIGEST} was proved" in runner.ended[-1].output
    assert [one for one in programs.words() if one[1] == "push"] == []


def test_layers_are_written_by_pushes_only_and_where_they_are_read() -> None:
    document = workflow((GHCR,), DOCKER)
    scripts = {job: step["run"] for job, step in steps(document) if step["name"] == "Build"}
    assert '--cache-from "type=registry,ref=$IMAGE:cache"' in scripts["build"]
    assert "--cache-to" not in scripts["build"]
    assert '--cache-to "type=registry,ref=$IMAGE:cache,mode=max,image-manifest=true"' in scripts["publish"]
    assert document["jobs"]["build"]["permissions"] == {"contents": "read", "packages": "read"}


def test_a_literal_is_itself_after_expressions_are_filled_in(tmp_path: Path) -> None:
    runner = Runner(folder=tmp_path, scratch=tmp_path, context={"github": {"token": "stolen"}}, variables={})
    for text in (HOSTILE, "${{ github.token }}", "$${{ '}}' }}", "${${{{", "${{ '${{' }}"):
        assert runner.fill(literal(text)) == text


def test_names_that_would_be_one_job_are_refused() -> None:
    with pytest.raises(UsageError, match="two applications of one workflow"):
        files((replace(API, name="a.b"), replace(JOBS, name="a-b")), PLAIN)


def test_gitlab_has_no_docker() -> None:
    with pytest.raises(UsageError) as caught:
        files((API,), Choice(what="ci", variant="gitlab", extras=("docker",)))
    assert caught.value.name == "ci-docker"


RELEASES = {
    "0.2.0": "wherry==0.2.0",
    "1.0rc1": "wherry==1.0rc1",
    "0.2.0.dev0": "",
    "0.2.0+g1": "",
    "0.2.0.post1": "wherry==0.2.0.post1",
}


@pytest.mark.parametrize("version", RELEASES)
def test_only_a_release_is_asked_of_an_index(version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of any other version the index has none, and whoever takes the name there would run in these jobs."""
    monkeypatch.setattr(install, "VERSION", version)
    usual = RELEASES[version]
    github, (gitlab,) = workflow((API,)), files((API,), Choice(what="ci", variant="gitlab"))
    assert github["env"] == {"WHERRY": f"${{{{ vars.WHERRY || '{usual}' }}}}" if usual else "${{ vars.WHERRY }}"}
    forks = Runner(folder=tmp_path, scratch=tmp_path, context={"vars": {}}, variables={})
    assert forks.fill(github["env"]["WHERRY"]) == usual, "pull requests from forks get no variables"
    assert parsed(gitlab.text)["variables"]["WHERRY"] == usual
    (step,) = {step["run"] for _, step in steps(github) if step["name"] == "wherry"}
    for script in (step, gitlab.text):
        assert ('[ -n "$WHERRY" ]' in script) == (not usual)


def test_a_job_that_knows_no_wherry_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "VERSION", "0.2.0.dev0")
    programs = recorder(tmp_path / "programs", "python3")
    script = next(step["run"] for _, step in steps(workflow((API,))) if step["name"] == "wherry")
    variables = {"PATH": programs.path, "RUNNER_TEMP": str(tmp_path), "WHERRY": ""}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("WHERRY is empty: set it to a wheel or git+https://HOST/PATH@COMMIT\n(Settings > ")
    assert programs.words() == []


@pytest.mark.parametrize(
    ("user", "switch", "changed"), [("1001", "1", True), ("1001", "0", False), ("1001", "", False), ("0", "1", False)]
)
def test_ordinary_users_may_start_containers_where_ubuntu_forbids_it(
    user: str, switch: str, changed: bool, tmp_path: Path
) -> None:
    answers = ((("id", "-u"), f"{user}\n", 0), (("sysctl", "-n"), switch, 0 if switch else 255))
    programs = recorder(tmp_path / "programs", "id", "sysctl", "sudo", "wherry", answers=answers)
    (step,) = (one for name, one in steps(workflow((API,))) if one["name"] == "Prove")
    script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    subprocess.run(script, check=True, env={"PATH": programs.path, "RUNNER_TEMP": "/t"}, capture_output=True)
    allowed = ("sudo", "sysctl", "-q", "-w", "kernel.apparmor_restrict_unprivileged_userns=0")
    last = [one for one in programs.words() if one[0] in ("sudo", "wherry")]
    assert last == [*([allowed] if changed else []), ("wherry", "prove", "oci:/t/images")]
