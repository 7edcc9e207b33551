"""D09 over every command that talks to a registry: no password, token or signed address is in what it says, writes, or keeps."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.accounts import PAIR, PASSWORD, USER, htpasswd
from tests.support.cli import COMMAND, Done, variables
from tests.support.images import random_image
from tests.support.ports import ports
from tests.support.registry import Answer, Call, FakeRegistry, Fault, fake_registry, refusal
from wherry.store import place as places
from wherry.store.places import at

pytestmark = pytest.mark.e2e

TOKEN, SIGNED, AMBIENT = "canary-t0ken-of-the-run", "canary-s1gnature", "canary-ambient"
HIDDEN = (PASSWORD, PAIR, TOKEN, SIGNED, AMBIENT, base64.b64encode(f"{USER}:{AMBIENT}".encode()).decode())
ENVIRONMENT = {
    "HTTPS_PROXY": f"http://{USER}:{AMBIENT}@127.0.0.1:9",
    "REGISTRY_PASSWORD": AMBIENT,
    "GITHUB_TOKEN": AMBIENT,
    "AWS_SECRET_ACCESS_KEY": AMBIENT,
}
#: Each word of a line may name the registry as {host}; {digest} is the image's.
COMMANDS = (
    "push oci:{folder}/layout:1 -t {host}/team/app:1 -t {host}/team/app:2",
    "push oci:{folder}/layout:1 -t {host}/team/app:1 --json",
    "inspect docker://{host}/team/app:1 --json",
    "pull {host}/team/app:1 -o oci:{folder}/pulled --json",
    "pull {host}/team/app:1",
    "copy {host}/team/app:1 {host}/team/copy:1 --referrers",
    "copy {host}/team/app:1 oci-archive:{folder}/archive.tar",
    "annotate {host}/team/app:2 --label a=b --json",
    "rebase {host}/team/app:1 --base {host}/team/copy:1",
    "registry tags {host}/team/app --json",
    "registry manifest {host}/team/app:1",
    "registry blob {host}/team/app@{digest} -o {folder}/blob",
    "base lock --base {host}/team/app:1 -C {folder}/repository --json",
    "base outdated -C {folder}/repository --json",
    "base verify -C {folder}/repository",
    "build -C {folder}/repository --base {host}/team/app:1 -t {host}/team/made:1 --push --json",
    "registry delete {host}/team/app:2 --yes",
    "registry login {host} -u ada --password-stdin",
    "registry logout {host}",
    "inspect docker://{host}/team/app:1",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image in a layout, a home, and a repository without Go files."""
    place = f"oci:{tmp_path}/layout:1"
    at(places.parse(place), ports(tmp_path / "made")).publish(random_image(tmp_path / "layers", seed=4))
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository/go.mod").write_text("module example.com/app\n\ngo 1.24\n")
    (tmp_path / "repository/main.go").write_text("package main\n\nfunc main() {}\n")
    return tmp_path


def known(folder: Path, host: str) -> dict[str, str]:
    docker = folder / "docker"
    docker.mkdir(exist_ok=True)
    (docker / "config.json").write_text(json.dumps({"auths": {host: {"auth": PAIR}}}))
    return variables(folder / "home", DOCKER_CONFIG=str(docker), **ENVIRONMENT)


def run(line: str, folder: Path, environment: dict[str, str]) -> Done:
    done = subprocess.run(
        [*COMMAND, *line.split()], cwd=folder, env=environment, input=f"{PASSWORD}\n", capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def told(folder: Path, said: dict[str, Done]) -> list[str]:
    """Where a secret turned up: a command, or a file that is not the user's own."""
    own = folder / "docker/config.json"
    spoken = [line for line, done in said.items() if any(word in done.stdout + done.stderr for word in HIDDEN)]
    files = [path for path in folder.rglob("*") if path.is_file() and path not in (own, folder / "htpasswd")]
    return spoken + [str(path) for path in files if any(word.encode() in path.read_bytes() for word in HIDDEN)]


def test_d09_commands_that_do_it(folder: Path) -> None:
    with servers.docker_registry(htpasswd(folder)) as host:
        environment = known(folder, host)
        digest = at(places.parse(f"oci:{folder}/layout:1"), ports(folder / "made")).open().images[0].layers[0].digest
        said = {
            line: run(line.format(host=host, folder=folder, digest=digest), folder, environment) for line in COMMANDS
        }
    assert told(folder, said) == []
    done = {line.split()[0]: line for line, one in said.items() if one.code == 0}
    assert {"push", "inspect", "pull", "copy", "annotate", "registry", "base"} <= set(done), said
    assert said[COMMANDS[-1]].stderr.startswith("error [registry-denied]"), "logged out"


@pytest.fixture
def hostile() -> Iterator[FakeRegistry]:
    """Says back what it was sent, in errors, headers and redirects."""
    with fake_registry() as state:
        yield state


def echoing(call: Call) -> Answer | None:
    """A token for whoever asks; then an error that repeats every header."""
    if call.path.startswith("/token"):
        return Answer(200, {}, json.dumps({"token": TOKEN, "refresh_token": TOKEN}).encode())
    sent = call.headers.get("authorization", "")
    return refusal(403, "DENIED", f"you sent Authorization: {sent}") if sent else None


def signing(call: Call) -> Answer | None:
    """A token, and a redirect to a signed address that then fails."""
    if "canary-s1gnature" in call.path:
        return refusal(403, "EXPIRED", "no")
    if call.path.startswith("/token") or "authorization" not in call.headers:
        return echoing(call)
    return Answer(307, {"Location": f"{call.path.partition('?')[0]}?X-Amz-Signature={SIGNED}"})


@pytest.mark.parametrize("answer", [echoing, signing], ids=["echo", "signed"])
def test_d09_commands_that_fail(answer: object, hostile: FakeRegistry, folder: Path) -> None:
    hostile.extra = answer  # type: ignore[assignment]  # one of the two above
    hostile.authorize = lambda _: Answer(401, {"WWW-Authenticate": f'Bearer realm="{hostile.base}/token"'})
    environment = known(folder, hostile.host)
    digest = f"sha256:{'0' * 64}"
    said = {
        line: run(line.format(host=hostile.host, folder=folder, digest=digest), folder, environment)
        for line in COMMANDS
        if "logout" not in line and "login" not in line
    }
    assert told(folder, said) == []
    assert all(one.code for line, one in said.items() if "base" not in line), said
    assert hostile.sent(PAIR)
    assert hostile.sent(TOKEN)


def test_d09_a_lost_connection_shows_no_address_with_a_query(hostile: FakeRegistry, folder: Path) -> None:
    away = {"Location": f"/v2/x?token={SIGNED}"}
    hostile.faults = [
        Fault(path="X|x.token", cut=True, times=99),
        Fault(path="/manifests/", status=307, headers=away, times=99),
    ]
    done = run(f"inspect docker://{hostile.host}/team/app:1", folder, known(folder, hostile.host))
    assert done.code
    assert told(folder, {"inspect": done}) == []
