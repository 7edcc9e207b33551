"""Jobs of CI on machines that know nothing: only what the service kept of former ones is there. A repository in, what each job
had to fetch and compile out; starts git, go and wherry.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import modules
from tests.support.ci_caches import GithubCaches, GitlabCaches, expanded
from tests.support.examples import commit
from tests.support.workflow import Runner, gitlab_job, parsed
from tests.support.wrapped import on_path

DEPENDENCY, OTHER = "example.com/words", "example.com/numbers"
MAIN = """package main

import "example.com/shop/greet"

func main() { println(greet.Text()) }
"""
GREET = """package greet

import "example.com/words"

func Text() string { return words.Hello() + "!" }
"""
COUNTING = """package greet

import (
	"example.com/numbers"
	"example.com/words"
)

func Text() string { return words.Hello() + numbers.Seven() }
"""
FILES = {
    "go.mod": f"module example.com/shop\n\ngo 1.24\n\nrequire {DEPENDENCY} v1.0.0\n",
    "main.go": MAIN,
    "greet/greet.go": GREET,
    "wherry.toml": 'platforms = ["linux/amd64"]\n',
}
PUBLISHED = {
    DEPENDENCY: {"words.go": 'package words\n\nfunc Hello() string { return "hello" }\n'},
    OTHER: {"numbers.go": 'package numbers\n\nfunc Seven() string { return "7" }\n'},
}
LEFT_OUT = ("Staticcheck", "Tests under the race detector", "Known vulnerabilities", "wherry", "Prove")
"""Steps of GitHub that make no difference to what is kept, and compile a world of their own: `test_ci.py` runs them. wherry is
there already."""
LEFT_OUT_LINES = ("go run", "go test", "apt-get", "python3 -m venv", "/opt/wherry")
"""The same in GitLab's scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Of one job."""

    asked: tuple[str, ...]
    """What the module proxy was asked for."""
    compiled: int
    """Packages: those of this job that no job before had left in Go's cache."""

    @property
    def fetched(self) -> tuple[str, ...]:
        """The modules whose sources came over the network."""
        return modules_of(self.asked)


@dataclass(slots=True, kw_only=True)
class Bench:
    """A repository, and one machine at a time."""

    folder: Path
    proxy: str
    asked: list[str]

    @property
    def origin(self) -> Path:
        return self.folder / "shop"

    @property
    def checkout(self) -> Path:
        """Where each machine has it: Go's names for what it compiled depend on that."""
        return self.folder / "machine/work/shop"

    def variables(self) -> dict[str, str]:
        """Nothing of this machine's Go but where it lies."""
        known = on_path(self.folder / "programs", self.folder / "machine/home")
        return {
            "PATH": known["PATH"],
            "HOME": known["HOME"],
            "GOPROXY": self.proxy,
            "GONOSUMDB": "example.com",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def change(self, message: str, files: Mapping[str, str]) -> None:
        """Another commit of the repository, with or without files."""
        for name, text in files.items():
            (self.origin / name).write_text(text)
        for words in (["add", "-A"], ["commit", "-qm", message, "--allow-empty"]):
            subprocess.run(["git", *words], cwd=self.origin, check=True)

    def mark(self, name: str) -> None:
        """To come back to. A branch: of a commit with a tag, act would say that the tag was pushed."""
        subprocess.run(["git", "branch", name], cwd=self.origin, check=True)

    def parsed(self, path: str) -> Any:
        """A YAML file of the repository."""
        return parsed((self.origin / path).read_text())

    def back(self, name: str) -> None:
        """The default branch as it was there."""
        subprocess.run(["git", "reset", "-q", "--hard", name], cwd=self.origin, check=True)

    def require(self, module: str) -> dict[str, str]:
        """go.mod and go.sum with one module more."""
        words = ["go", "get", f"{module}@v1.0.0"]
        self.machine()
        subprocess.run(words, cwd=self.checkout, env=self.variables(), check=True, capture_output=True)
        self.forget()
        return {name: (self.checkout / name).read_text() for name in ("go.mod", "go.sum")}

    def github(self, workflow: Any, caches: GithubCaches, job: str, **said: str) -> Seen:
        """`said`: of the context `github`; a push to the default branch, else."""
        self.machine()
        sha = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=self.checkout, text=True).strip()
        github = {
            "event_name": "push", "ref": "refs/heads/main", "ref_type": "branch", "sha": sha,
            "event": {"repository": {"default_branch": "main"}}, **said,
        }  # fmt: skip
        brought: set[str] = set()
        objects = self.folder / "machine/home/.cache/go-build"

        def restored(runner: Runner, told: dict[str, str]) -> dict[str, str]:
            outputs = caches.restore(runner, told)
            brought.update(archives(objects))
            return outputs

        runner = Runner(
            folder=self.checkout, scratch=self.folder / "machine/scratch", variables=self.variables(), skipped=LEFT_OUT,
            context={"github": github, "runner": {"os": "Linux"}},
            actions={**caches.actions, "actions/cache/restore": restored},
        )  # fmt: skip
        assert runner.holds(workflow["jobs"][job].get("if", "true")), f"{job} is not for {github}"
        runner.run(workflow, workflow["jobs"][job])
        assert [(one.name, one.output) for one in runner.ended if one.code] == []
        return Seen(asked=self.forget(), compiled=len(archives(objects) - brought))

    def gitlab(self, pipeline: Any, caches: GitlabCaches, job: str, *, branch: str) -> Seen:
        self.machine()
        place = str(self.checkout)
        predefined = {"CI_PROJECT_DIR": place, "CI_JOB_NAME_SLUG": job, "CI_COMMIT_REF_SLUG": branch}
        told = {name: expanded(value, predefined) for name, value in pipeline["variables"].items()}
        variables, objects = self.variables() | predefined | told, self.checkout / ".cache/objects"
        caches.restore(pipeline[job], self.checkout, variables)
        brought = archives(objects)
        done = gitlab_job(pipeline[job], self.checkout, variables, LEFT_OUT_LINES)
        assert done.returncode == 0, done.stdout + done.stderr
        caches.save(pipeline[job], self.checkout, variables)
        return Seen(asked=self.forget(), compiled=len(archives(objects) - brought))

    def machine(self) -> None:
        """An empty one with the sources."""
        if self.checkout.parent.exists():
            subprocess.run(["chmod", "-R", "u+w", self.folder / "machine"], check=True)
            shutil.rmtree(self.folder / "machine")
        (self.folder / "machine/home").mkdir(parents=True)
        subprocess.run(["git", "clone", "-q", self.origin, self.checkout], check=True)

    def forget(self) -> tuple[str, ...]:
        """What the proxy was asked for since the last time."""
        asked, self.asked[:] = tuple(self.asked), []
        return asked


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """The application with its first commit, whose dependency only this proxy has."""
    for module, files in PUBLISHED.items():
        modules.publish(folder / "proxy", module, "v1.0.0", files)
    for name, text in FILES.items():
        (folder / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "shop" / name).write_text(text)
    commit(folder / "shop", tag="v1.0.0")
    with modules.counted(folder / "proxy") as (address, asked):
        made = Bench(folder=folder, proxy=address, asked=asked)
        made.change("go.sum", made.require(DEPENDENCY))
        yield made


def generated(made: Bench, service: str) -> None:
    """Its file, committed."""
    done = subprocess.run(
        ["wherry", "generate", "ci", "--for", service], cwd=made.origin,
        env={**made.variables(), "WHERRY_OFFLINE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made.change(service, {})


def modules_of(asked: Iterable[str]) -> tuple[str, ...]:
    """Those whose archives are among the paths."""
    return tuple(path.split("/@v/")[0].lstrip("/") for path in asked if path.endswith(".zip"))


def archives(objects: Path) -> set[str]:
    """The compiled packages in a cache of Go's, by the names of their files."""
    return {file.name for file in objects.glob("??/*-d") if _begin(file) == b"!<arch>\n"}


def _begin(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(8)
