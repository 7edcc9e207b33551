"""What CI keeps is really there the next time: jobs of the generated files run on empty machines, over stand-ins of the services'
caches, with the real Go, a module proxy that counts, and Go's own record of what was compiled.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.support.ci_caches import GithubCaches, GitlabCaches
from tests.support.ci_runs import COUNTING, DEPENDENCY, GREET, MAIN, OTHER, Bench, Seen, bench, generated
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("ci-caches")]
JOBS = ("test", "build")
BEGIN = "begin"
"""The branch with the commit whose jobs filled the caches."""
NEXT = {"test": Seen(asked=(), compiled=0), "build": Seen(asked=(), compiled=1)}
"""Of another commit with the same files: the program's own package is compiled, as it carries the commit."""
LOUDER = {"greet/greet.go": GREET.replace('"!"', '"!!"')}
TWICE = {"main.go": MAIN.replace("greet.Text()", "greet.Text(), greet.Text()")}
GREETING = {"test": 1, "build": 2}
"""Packages that a job compiles when `greet` is another: vet needs no object of `main`, which nothing imports."""


@dataclass(slots=True, kw_only=True)
class Github:
    bench: Bench
    workflow: Any
    caches: GithubCaches

    def run(self, job: str, **said: str) -> Seen:
        return self.bench.github(self.workflow, self.caches, job, **said)

    @property
    def scopes(self) -> list[str]:
        return [one.scope for one in self.caches.entries]


@dataclass(slots=True, kw_only=True)
class Gitlab:
    bench: Bench
    pipeline: Any
    caches: GitlabCaches

    def run(self, job: str, *, branch: str = "main") -> Seen:
        return self.bench.gitlab(self.pipeline, self.caches, job, branch=branch)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    need("go", "git")
    with bench(tmp_path_factory.mktemp("ci")) as one:
        for service in ("github", "gitlab"):
            generated(one, service)
        one.mark(BEGIN)
        yield one


@pytest.fixture(scope="module")
def first_push(made: Bench, tmp_path_factory: pytest.TempPathFactory) -> Github:
    workflow = made.parsed(".github/workflows/shop.yaml")
    first = Github(bench=made, workflow=workflow, caches=GithubCaches(folder=tmp_path_factory.mktemp("github")))
    made.back(BEGIN)
    assert_it_finds_nothing({job: first.run(job) for job in JOBS})
    return first


@pytest.fixture(scope="module")
def first_pipeline(made: Bench, tmp_path_factory: pytest.TempPathFactory) -> Gitlab:
    pipeline = made.parsed(".gitlab-ci.yml")
    first = Gitlab(bench=made, pipeline=pipeline, caches=GitlabCaches(folder=tmp_path_factory.mktemp("gitlab")))
    made.back(BEGIN)
    assert_it_finds_nothing({job: first.run(job) for job in JOBS})
    return first


def assert_it_finds_nothing(seen: dict[str, Seen]) -> None:
    for one in seen.values():
        assert one.fetched == (DEPENDENCY,)
        assert one.compiled > 20, "the standard library, too"


@pytest.fixture
def github(first_push: Github) -> Github:
    """As the first push left it."""
    first_push.bench.back(BEGIN)
    return replace(first_push, caches=replace(first_push.caches, entries=[*first_push.caches.entries]))


@pytest.fixture
def gitlab(first_pipeline: Gitlab, tmp_path_factory: pytest.TempPathFactory) -> Gitlab:
    """As the first pipeline left it."""
    first_pipeline.bench.back(BEGIN)
    return replace(first_pipeline, caches=first_pipeline.caches.copied(tmp_path_factory.mktemp("again")))


@pytest.mark.parametrize("job", JOBS)
def test_githubs_next_push_fetches_nothing_and_compiles_what_changed(github: Github, job: str) -> None:
    github.bench.change("nothing", {})
    assert github.run(job) == NEXT[job]
    github.bench.change("louder", LOUDER)
    assert github.run(job) == Seen(asked=(), compiled=GREETING[job])
    github.bench.change("twice", TWICE)
    assert github.run(job) == Seen(asked=(), compiled=GREETING[job] - 1), "the push before kept what it compiled"


def test_a_key_of_go_sum_alone_would_keep_the_first_day(github: Github) -> None:
    """What the key is for; and that this test sees a worse one."""
    github.workflow = copy.deepcopy(github.workflow)
    (step,) = (one for one in github.workflow["jobs"]["build"]["steps"] if one.get("id") == "caches")
    step["with"]["key"] = step["with"]["key"].removesuffix("-${{ github.sha }}")
    assert github.run("build").compiled == 0
    github.bench.change("louder", LOUDER)
    assert github.run("build").compiled == 2
    github.bench.change("twice", TWICE)
    assert github.run("build").compiled == 2, "greet again, as no entry was made for it"


@pytest.mark.parametrize("job", JOBS)
def test_with_another_go_sum_github_begins_from_the_last_entry(github: Github, job: str) -> None:
    github.bench.change("counting", {**github.bench.require(OTHER), "greet/greet.go": COUNTING})
    seen = github.run(job)
    assert (seen.fetched, seen.compiled) == ((OTHER,), GREETING[job] + 1)
    github.bench.change("nothing", {})
    assert github.run(job) == NEXT[job]


def test_on_github_pull_requests_and_tags_read_and_write_nothing(github: Github) -> None:
    github.bench.change("louder", LOUDER)
    kept = [*github.scopes]
    pull_request = {"event_name": "pull_request", "ref": "refs/pull/7/merge", "base_ref": "main"}
    for said in (pull_request, {"ref": "refs/tags/v2.0.0", "ref_type": "tag"}):
        assert github.run("test", **said) == Seen(asked=(), compiled=1)
    assert github.scopes == kept


def test_on_github_the_same_commit_once_more_keeps_nothing_more(github: Github) -> None:
    github.bench.change("louder", LOUDER)
    assert github.run("test") == Seen(asked=(), compiled=1)
    kept = [*github.scopes]
    assert github.run("test") == NEXT["test"]
    assert github.scopes == kept


@pytest.mark.parametrize("job", JOBS)
def test_gitlabs_next_pipeline_fetches_nothing_and_compiles_what_changed(gitlab: Gitlab, job: str) -> None:
    gitlab.bench.change("nothing", {})
    assert gitlab.run(job) == NEXT[job]
    gitlab.bench.change("louder", LOUDER)
    assert gitlab.run(job) == Seen(asked=(), compiled=GREETING[job])
    gitlab.bench.change("twice", TWICE)
    assert gitlab.run(job) == Seen(asked=(), compiled=GREETING[job] - 1)


@pytest.mark.parametrize("job", JOBS)
def test_with_another_go_sum_gitlab_begins_from_the_last_entry(gitlab: Gitlab, job: str) -> None:
    gitlab.bench.change("counting", {**gitlab.bench.require(OTHER), "greet/greet.go": COUNTING})
    seen = gitlab.run(job)
    assert (seen.fetched, seen.compiled) == ((OTHER,), GREETING[job] + 1)
    gitlab.bench.change("nothing", {})
    assert gitlab.run(job) == NEXT[job]


def test_on_gitlab_merge_requests_begin_with_each_others_and_leave_the_protected_branchs_alone(gitlab: Gitlab) -> None:
    """GitLab keeps what protected branches left apart, and shows it to no other."""
    gitlab.caches.as_if_left_by_others()
    gitlab.caches.protected = False
    kept = gitlab.caches.contents()
    gitlab.bench.change("louder", LOUDER)
    assert gitlab.run("test", branch="another") == Seen(asked=(), compiled=1)
    changed = {name for name, digest in gitlab.caches.contents().items() if digest != kept.get(name)}
    assert len(changed) == 1
    assert all(name.endswith("-non_protected.tar") for name in changed)
