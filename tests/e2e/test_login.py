"""`wherry registry login` and `logout`, as somebody types them, at a real registry."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.accounts import PAIR, PASSWORD, USER, helper, htpasswd
from tests.support.cli import COMMAND, Done, variables
from tests.support.refusals import only
from tests.support.runbook import heard, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.docker_registry(htpasswd(tmp_path_factory.mktemp("basic"))) as host:
        yield host


def wherry(*words: str, home: Path, given: str = "", **environment: str) -> Done:
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [*COMMAND, *words], cwd=home, env=variables(home, **environment), input=given, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def login(host: str, home: Path, password: str = PASSWORD, **environment: str) -> Done:
    words = ("registry", "login", host, "-u", USER, "--password-stdin")
    return wherry(*words, home=home, given=f"{password}\n", **environment)


def kept(path: Path) -> dict[str, object]:
    found = json.loads(path.read_text())
    assert isinstance(found, dict)
    return found


def test_a_login_is_kept_beside_what_was_there(registry: str, tmp_path: Path) -> None:
    path = tmp_path / "home/.docker/config.json"
    path.parent.mkdir(parents=True)
    before = {
        "auths": {"other.example": {"auth": "YTpi", "email": "x"}, f"https://{registry}/v1/": {"auth": "b2xkOm9sZA=="}},
        "HttpHeaders": {"X-Ünï": "1"},
        "proxies": {"default": {"noProxy": None}},
        "n": [1, 2.5, 12345678901234567890, True],
    }
    path.write_text(json.dumps(before))
    path.chmod(0o644)
    done = login(registry, tmp_path / "home")
    assert (done.code, done.stdout) == (0, "")
    assert f"logged in to {registry} as {USER}" in done.stderr
    assert "warning [plain-credentials]" in done.stderr
    after = kept(path)
    assert after.pop("auths") == {"other.example": before["auths"]["other.example"], registry: {"auth": PAIR}}  # type: ignore[index]
    assert after == {key: value for key, value in before.items() if key != "auths"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert wherry("inspect", f"docker://{registry}/none:1", home=tmp_path / "home").stderr.startswith(
        "error [registry-not-found]"
    )


def test_a_wrong_password_is_not_kept(registry: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    refusal = only(login(registry, home, "wr0ng-canary"), "wrong-password", 4)
    assert USER in refusal.text
    assert not (home / ".docker").exists()
    assert "wr0ng-canary" not in refusal.text


def test_a_helper_keeps_it(registry: str, tmp_path: Path) -> None:
    home, script = tmp_path / "home", 'cat > "$HOME/helper-$1"'
    path = helper(tmp_path, "test", script)
    (home / ".docker").mkdir(parents=True)
    (home / ".docker/config.json").write_text('{"credsStore": "test"}')
    done = login(registry, home, PATH=f"{path}:{os.environ['PATH']}")
    assert (done.code, "plain-credentials" in done.stderr) == (0, False), done.stderr
    assert json.loads((home / "helper-store").read_text()) == {
        "ServerURL": registry, "Username": USER, "Secret": PASSWORD,
    }  # fmt: skip
    assert kept(home / ".docker/config.json") == {"credsStore": "test", "auths": {registry: {}}}
    assert PASSWORD not in (home / ".docker/config.json").read_text()


def test_a_helper_that_fails_keeps_nothing(registry: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker/config.json").write_text('{"credsStore": "test"}')
    path = helper(tmp_path, "test", "exit 1")
    only(login(registry, home, PATH=f"{path}:{os.environ['PATH']}"), "credential-helper", 4)
    assert (home / ".docker/config.json").read_text() == '{"credsStore": "test"}'


def test_a_logout_forgets_it_everywhere(registry: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for folder in (".docker", "config/containers"):
        (home / folder).mkdir(parents=True)
    entries = {"auths": {registry: {"auth": PAIR}, f"{registry}/team": {"auth": PAIR}, "other.example": {"auth": PAIR}}}
    files = (home / ".docker/config.json", home / "config/containers/auth.json")
    for path in files:
        path.write_text(json.dumps(entries))
    done = wherry("registry", "logout", registry, home=home)
    assert done.code == 0
    assert all(str(path) in done.stderr.replace("\n", " ") for path in files)
    assert [list(kept(path)["auths"]) for path in files] == [["other.example"]] * 2  # type: ignore[call-overload]
    assert "nobody was logged in" in wherry("registry", "logout", registry, home=home).stderr


def test_a_file_that_is_a_link_stays_one(registry: str, tmp_path: Path) -> None:
    home, real = tmp_path / "home", tmp_path / "dotfiles.json"
    (home / ".docker").mkdir(parents=True)
    real.write_text("{}")
    (home / ".docker/config.json").symlink_to(real)
    assert login(registry, home).code == 0
    assert (home / ".docker/config.json").is_symlink()
    assert registry in real.read_text()


def test_logins_at_once_lose_nothing(registry: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    port = registry.rpartition(":")[2]
    hosts = [registry, f"localhost:{port}", f"a.localhost:{port}", f"b.localhost:{port}"]
    words = ("registry", "login", "-u", USER, "--password-stdin")
    started = [
        subprocess.Popen([*COMMAND, *words, host], env=variables(home), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for host in hosts
    ]
    for one in started:
        one.communicate(PASSWORD.encode(), timeout=60)
    codes = [one.returncode for one in started]
    known = kept(home / ".docker/config.json")["auths"]
    assert isinstance(known, dict)
    assert set(known) == {host for host, code in zip(hosts, codes, strict=True) if code == 0} >= set(hosts[:2])


def test_authfile_is_made_and_used(registry: str, tmp_path: Path) -> None:
    home, mine = tmp_path / "home", tmp_path / "mine.json"
    done = wherry(
        *("registry", "login", registry, "-u", USER, "--password-stdin", "--authfile", str(mine)),
        home=home, given=PASSWORD,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert not (home / ".docker").exists()
    asked = ("inspect", f"docker://{registry}/none:1")
    only(wherry(*asked, "--authfile", str(mine), home=home), "registry-not-found", 4)
    only(wherry(*asked, home=home), "registry-denied", 4)
    only(wherry(*asked, "--authfile", "gone.json", home=home), "authfile", 2)


@pytest.mark.parametrize(
    ("words", "given", "name"),
    [
        (("{}", "-u", "ada"), "", "no-password"),
        (("{}",), "", "no-password"),
        (("{}", "--password-stdin"), "x", "usage"),
        (("{}", "-u", "ada", "--password-stdin"), "", "no-password"),
        (("{}", "-u", "ada", "--password-stdin"), "\n", "no-password"),
        (("{}", "-u", "ada", "--password-stdin"), "x" * 40_000, "no-password"),
        (("{}", "-u", "a:b", "--password-stdin"), "x", "bad-user"),
        (("{}", "-u", "ada", "-p", "x"), "", "usage"),
        (("{}/team", "-u", "ada", "--password-stdin"), "x", "bad-registry"),
        (("https://{}", "-u", "ada", "--password-stdin"), "x", "bad-registry"),
        (("reg\x1b[2Jexample", "-u", "ada", "--password-stdin"), "x", "bad-registry"),
        ((), "", "usage"),
    ],
)
def test_what_a_login_needs(words: tuple[str, ...], given: str, name: str, registry: str, tmp_path: Path) -> None:
    said = (word.format(registry) for word in words)
    only(wherry("registry", "login", *said, home=tmp_path / "home", given=given), name, 2)


def test_a_host_that_is_no_registry(tmp_path: Path) -> None:
    only(login("127.0.0.1:9", tmp_path / "home"), "unreachable", 4)
    only(login("registry.invalid", tmp_path / "home"), "no-such-host", 4)


def test_a_terminal_is_asked_and_shows_no_password(registry: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(COMMAND[0], [*COMMAND, "registry", "login", registry], variables(tmp_path / "home"))
    shown = b""
    for asked, answer in ((b"user: ", USER), (b"password: ", PASSWORD)):
        shown += heard(terminal, asked)
        if answer == PASSWORD:  # what is typed before is thrown away, and shown
            until(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO)
        os.write(terminal, answer.encode() + b"\n")
    shown += heard(terminal, b"kept in")
    os.close(terminal)
    os.waitpid(child, 0)
    assert PASSWORD.encode() not in shown
    assert re.search(rb"logged in to \S+ as ada", shown)
