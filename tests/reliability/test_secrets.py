"""D09: what the environment and the user's files know in confidence is in no output, no cache, no image."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.support import examples
from tests.support.cli import Done, wherry
from tests.support.registry import fake_registry
from tests.support.tools import need

pytestmark = pytest.mark.e2e

CANARY = "c4n4ry-5ecret"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with credentials for a registry and for machines."""
    folder = tmp_path / "home"
    (folder / ".docker").mkdir(parents=True)
    auth = base64.b64encode(f"user:{CANARY}".encode()).decode()
    (folder / ".docker/config.json").write_text(json.dumps({"auths": {"127.0.0.1:5999": {"auth": auth}}}))
    (folder / ".netrc").write_text(f"machine example.com login a password {CANARY}\n")
    return folder


ENVIRONMENT = {
    "GOPROXY": f"https://user:{CANARY}@proxy.example,off",
    "GOFLAGS": "-modcacherw",
    "HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
    "GITHUB_TOKEN": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "SSH_AUTH_SOCK": f"/run/{CANARY}",
    "REGISTRY_PASSWORD": CANARY,
}


def told(home: Path, done: list[Done]) -> list[str]:
    """Where the secret turned up."""
    mine = {home / ".docker/config.json", home / ".netrc"}
    hidden = (CANARY, base64.b64encode(f"user:{CANARY}".encode()).decode())
    said = [one.stdout + one.stderr for one in done if any(word in one.stdout + one.stderr for word in hidden)]
    files = (path for path in home.parent.rglob("*") if path.is_file() and path not in mine)
    return said + [str(path) for path in files if any(word.encode() in path.read_bytes() for word in hidden)]


def test_d09_no_command_tells_and_no_cache_keeps(home: Path) -> None:
    need("go", "git")
    root = examples.repository("hello", home.parent)
    (home.parent / "out").mkdir()
    lines = (
        "build",
        "build",
        "build --no-cache -o oci:../out/x",
        "plan --why",
        "plan --json",
        "doctor --json",
        "cache df",
    )
    done = [wherry(*line.split(), home=home, cwd=root, **ENVIRONMENT) for line in lines]
    assert [one.code for one in done] == [0] * len(lines), [one.stderr for one in done]
    failing = (
        "build ./gone",
        "build -t x:{env.GITHUB_TOKEN}",
        "build -o docker://127.0.0.1:1/a:1",
        "build --base oci:nowhere",
    )
    done += [wherry(*line.split(), home=home, cwd=root, **ENVIRONMENT) for line in failing]
    assert all(one.code for one in done[len(lines) :])
    assert told(home, done) == []


def test_d09_a_module_that_cannot_be_fetched(home: Path) -> None:
    """Go itself names the proxy; it leaves the password out, and so does what wherry adds."""
    need("go", "git")
    root = home.parent / "app"
    root.mkdir()
    (root / "go.mod").write_text("module example.com/app\n\ngo 1.24\n\nrequire example.invalid/m v1.0.0\n")
    (root / "main.go").write_text('package main\n\nimport _ "example.invalid/m"\n\nfunc main() {}\n')
    examples.commit(root)
    done = [wherry("build", home=home, cwd=root, **{**ENVIRONMENT, "GOFLAGS": "-mod=mod"})]
    assert done[0].code in (3, 4)
    assert told(home, done) == []


def test_d09_credentials_go_to_their_registry_alone(home: Path) -> None:
    need("go", "git")
    root = examples.repository("hello", home.parent)
    with fake_registry() as registry:
        known = json.dumps({"auths": {registry.host: {"auth": base64.b64encode(f"user:{CANARY}".encode()).decode()}}})
        (home / ".docker/config.json").write_text(known)
        done = wherry("build", "-o", f"docker://{registry.host}/app:1", home=home, cwd=root, **ENVIRONMENT)
        assert done.code == 0, done.stderr
        assert told(home, [done]) == []
