"""The workflow for GitHub: judged by actionlint, and its scripts run in order by the real Go and wherry, up to a registry."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.cli import go_caches, wherry
from tests.support.examples import repository
from tests.support.generated import GOLDENS
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
            skipped=("wherry", "Staticcheck", "Errcheck", "Known vulnerabilities", "Log in"),
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


def digest(registry: str, repository: str, tag: str) -> str:
    asking = urllib.request.Request(f"http://{registry}/v2/{repository}/manifests/{tag}", method="HEAD")
    asking.add_header("Accept", "application/vnd.oci.image.index.v1+json")
    with urllib.request.urlopen(asking, timeout=10) as answer:
        return str(answer.headers["Docker-Content-Digest"])
