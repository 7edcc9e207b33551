"""The workflow for GitHub: judged by actionlint, and its scripts run in order by the real Go and wherry, up to a registry."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support import servers
from tests.support.cli import go_caches, wherry
from tests.support.examples import repository
from tests.support.generated import GOLDENS
from tests.support.real import HTTPBIN, cloned
from tests.support.tools import go_tool, need
from tests.support.workflow import Runner, gitlab_job, parsed
from tests.support.wrapped import on_path

pytestmark = pytest.mark.e2e
ACTIONLINT = "github.com/rhysd/actionlint"
WORKFLOWS = sorted(GOLDENS.glob("ci-*github-*/**/*.yaml"))


def actionlint(*files: Path) -> str:
    """What it says, with shellcheck for the scripts."""
    tool = go_tool(f"{ACTIONLINT}@v1.7.12", f"{ACTIONLINT}/cmd/actionlint")
    shellcheck = Path(sys.executable).parent / "shellcheck"
    words = [tool, "-no-color", "-shellcheck", str(shellcheck), *map(str, files)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def test_actionlint_finds_nothing() -> None:
    need("go")
    assert len(WORKFLOWS) >= 6
    assert actionlint(*WORKFLOWS) == ""


def test_actionlint_would_see_a_branch_in_a_script(tmp_path: Path) -> None:
    need("go")
    text = next(path for path in WORKFLOWS if "docker" not in str(path)).read_text()
    wrong = text.replace("go vet ./...", "echo ${{ github.head_ref }}", 1)
    (tmp_path / "a.yaml").write_text(wrong)
    assert "github.head_ref" in actionlint(tmp_path / "a.yaml")


@pytest.mark.xdist_group("engines")
def test_what_was_proved_is_pushed(tmp_path: Path) -> None:
    """On a branch that is named like a command, too."""
    need("go", "git", "runc", "gcc")
    servers.need_root()
    tmp_path.chmod(0o755)
    root = repository("http-api", tmp_path)
    evil = "a;touch${IFS}pwned"
    home = tmp_path / "home"
    with servers.docker_registry() as registry:
        (root / "wherry.toml").write_text(
            f'platforms = ["linux/amd64", "linux/arm64"]\n[prove]\nunknown = "accept"\nskip = ["arm64"]\n'
            f'[generate]\nimage = "{registry}/shop/{{name}}"\n'
        )
        made = wherry("generate", "ci", home=home, cwd=root, WHERRY_OFFLINE="1")
        assert made.code == 0, made.stderr
        for words in (["checkout", "-qb", evil], ["add", "-A"], ["commit", "-qm", "ci"], ["tag", "v2.0.0"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        document = parsed((root / ".github/workflows/http-api.yaml").read_text())
        runner = Runner(
            folder=root, scratch=tmp_path / "scratch",
            context={"github": {"event_name": "push", "ref": f"refs/heads/{evil}"}},
            variables=on_path(tmp_path / "programs", home) | go_caches() | {"GITHUB_REF_NAME": evil},
            skipped=("wherry", "Known vulnerabilities", "Log in"),
        )  # fmt: skip
        runner.run(document, document["jobs"]["test"])
        outputs = runner.run(document, document["jobs"]["build"])
        runner.context["needs"] = {"build": {"outputs": outputs}}
        runner.run(document, document["jobs"]["publish"])
        assert [(one.name, one.output) for one in runner.ended if one.code] == []
        assert [one.name for one in runner.ended].count("Prove") == 1
        assert digest(registry, "shop/http-api", "2.0.0") == outputs["digest"]
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.xdist_group("engines")
def test_gitlabs_jobs_push_what_was_proved(tmp_path: Path) -> None:
    """Caches lie in the project's folder, and the version is not +dirty for that."""
    need("go", "git", "runc", "gcc")
    servers.need_root()
    tmp_path.chmod(0o755)
    root, home = repository("http-api", tmp_path), tmp_path / "home"
    with servers.docker_registry() as registry:
        (root / "wherry.toml").write_text(
            f'[prove]\nunknown = "accept"\n[generate]\nimage = "{registry}/shop/{{name}}"\nbranch = "main"\n'
        )
        made = wherry("generate", "ci", "--for", "gitlab", home=home, cwd=root, WHERRY_OFFLINE="1")
        assert made.code == 0, made.stderr
        for words in (["add", "-A"], ["commit", "-qm", "ci"], ["tag", "v2.0.0"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        kept = root / ".cache/modules/example.com/ugly@v1.0.0"
        kept.mkdir(parents=True)
        (kept / "ugly.go").write_text("package  ugly\n")
        document = parsed((root / ".gitlab-ci.yml").read_text())
        variables = on_path(tmp_path / "programs", home) | go_caches()
        install = ("apt-get", "python3 -m venv", "/opt/wherry", "go run", "registry login")
        for name in ("test", "build", "prove", "publish"):
            done = gitlab_job(document[name], root, variables, install)
            assert done.returncode == 0, f"{name}\n{done.stdout}\n{done.stderr}"
            dotenv = root / ".cache/image.env"
            variables |= dict(line.split("=", 1) for line in dotenv.read_text().split()) if dotenv.exists() else {}
        assert digest(registry, "shop/http-api", "2.0.0") == variables["PROVED"]


KNOWN = {
    "id": "GO-2099-0001",
    "modified": "2099-01-01T00:00:00Z",
    "published": "2099-01-01T00:00:00Z",
    "database_specific": {"url": "https://pkg.go.dev/vuln/GO-2099-0001"},
    "affected": [
        {
            "package": {"name": "stdlib", "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
            "ecosystem_specific": {"imports": [{"path": "net/http", "symbols": ["Server.ListenAndServe"]}]},
        }
    ],
}


def vulnerabilities(folder: Path, *known: dict[str, Any]) -> str:
    """The address of a database (https://go.dev/doc/security/vuln/database) that knows of these in the standard library."""
    listed = [{"id": one["id"], "modified": one["modified"]} for one in known]
    documents = {
        "index/db": {"modified": "2099-01-01T00:00:00Z"},
        "index/modules": [{"path": "stdlib", "vulns": listed}] if known else [],
        "index/vulns": listed,
        **{f"ID/{one['id']}": one for one in known},
    }
    for name, document in documents.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    return folder.as_uri()


#: Without the tests of go-httpbin that a busy machine fails: they give it 10 to 250 ms.
PATIENT = {"GOFLAGS": "-skip=^Test(Delay|Drip|JSONL|SSE|SlowResponse)$"}


def test_the_gates_let_a_program_of_others_pass_and_no_mistake(tmp_path: Path) -> None:
    """go-httpbin as it is published: a gate that is red on its first day would be taken away. Vulnerabilities are asked of a
    database here."""
    need("go", "git", "gcc")
    root = cloned(HTTPBIN, tmp_path / "httpbin", tag="v2.26.0")
    made = wherry("generate", "ci", "./cmd/go-httpbin", home=tmp_path / "home", cwd=root, WHERRY_OFFLINE="1")
    assert made.code == 0, made.stderr
    workflow = root / ".github/workflows/go-httpbin.yaml"
    document = parsed(workflow.read_text())
    runner = Runner(
        folder=root, scratch=tmp_path / "scratch", context={"github": {"event_name": "push"}},
        variables=on_path(tmp_path / "programs", tmp_path / "home") | go_caches() | PATIENT,
    )  # fmt: skip

    def ended(database: str) -> list[tuple[str, int]]:
        steps = [dict(one) for one in document["jobs"]["test"]["steps"]]
        for one in steps:
            if one["name"] == "Known vulnerabilities":
                one["run"] = one["run"].replace("govulncheck@v1.9.0 ", f"govulncheck@v1.9.0 -db={database} ")
                assert database in one["run"]
        runner.ended.clear()
        runner.run(document, {**document["jobs"]["test"], "steps": steps})
        return [(one.name, one.code) for one in runner.ended]

    names = ["Modules are what go.sum says", "Format", "Vet", "Staticcheck", "Tests under the race detector"]
    names += ["Known vulnerabilities"]
    assert ended(vulnerabilities(tmp_path / "none")) == [(name, 0) for name in names], runner.ended[-1].output
    assert ended(vulnerabilities(tmp_path / "one", KNOWN))[-1] == ("Known vulnerabilities", 1)
    assert "Your code is affected by 1 vulnerability" in runner.ended[-1].output
    (root / "httpbin/mistake.go").write_text("package httpbin\n\nfunc same(x int) bool { return x == x }\n")
    assert ended("file:///")[-1] == ("Staticcheck", 1)
    assert "SA4000" in runner.ended[-1].output


def test_gitlabs_gates_let_the_same_program_pass_and_no_mistake(tmp_path: Path) -> None:
    """Every line of the job that asks no package index, beside what the job before left in the project's folder."""
    need("go", "git", "gcc")
    root = cloned(HTTPBIN, tmp_path / "httpbin", tag="v2.26.0")
    words = ("generate", "ci", "./cmd/go-httpbin", "--for", "gitlab")
    made = wherry(*words, home=tmp_path / "home", cwd=root, WHERRY_OFFLINE="1")
    assert made.code == 0, made.stderr
    kept = root / ".cache/modules/example.com/ugly@v1.0.0"
    kept.mkdir(parents=True)
    (kept / "ugly.go").write_text("package  ugly\nfunc same(x int) bool { return x == x }\n")
    document = parsed((root / ".gitlab-ci.yml").read_text())
    told = {name: document["variables"][name] for name in ("GIT_DEPTH", "GOTOOLCHAIN")}
    variables = on_path(tmp_path / "programs", tmp_path / "home") | go_caches() | PATIENT | told

    def ended(database: str, *leave_out: str) -> subprocess.CompletedProcess[str]:
        script = [line.replace("govulncheck@v1.9.0 ", f"govulncheck@v1.9.0 -db={database} ") for line in job["script"]]
        assert database in script[-1]
        return gitlab_job({**job, "script": script}, root, variables, leave_out)

    job = document["test"]
    assert [line for line in job["script"] if "go run" in line] == [job["script"][3], job["script"][5]]
    passed = ended(vulnerabilities(tmp_path / "none"))
    assert passed.returncode == 0, passed.stdout + passed.stderr
    vulnerable = ended(vulnerabilities(tmp_path / "one", KNOWN), "go test", "staticcheck")
    assert vulnerable.returncode != 0
    assert "Your code is affected by 1 vulnerability" in vulnerable.stdout
    (root / "httpbin/mistake.go").write_text("package httpbin\n\nfunc same(x int) bool { return x == x }\n")
    mistaken = ended("file:///")
    assert mistaken.returncode != 0
    assert "SA4000" in mistaken.stdout
    assert "ugly" not in passed.stdout + mistaken.stdout


def digest(registry: str, repository: str, tag: str) -> str:
    asking = urllib.request.Request(f"http://{registry}/v2/{repository}/manifests/{tag}", method="HEAD")
    asking.add_header("Accept", "application/vnd.oci.image.index.v1+json")
    with urllib.request.urlopen(asking, timeout=10) as answer:
        return str(answer.headers["Docker-Content-Digest"])
