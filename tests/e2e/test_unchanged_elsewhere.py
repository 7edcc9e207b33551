"""An unchanged build whose image lies in a registry that speaks TLS and wants a password: Go is not started, the registry is
asked once, and any other answer is looked into by the whole build."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.accounts import PAIR, htpasswd
from tests.support.certificates import Authority
from tests.support.cli import Done, wherry
from tests.support.forward import Forward, forward
from tests.support.images import Shape, random_image
from tests.support.ports import ports
from tests.support.tools import need
from wherry.store import place as places
from wherry.store.places import at

pytestmark = pytest.mark.e2e
NAME = "registry.internal"


class Yard:
    """A program, and a registry behind a proxy that alone knows its name."""

    def __init__(self, folder: Path, proxy: Forward, authority: Authority) -> None:
        self.home, self.root, self.proxy = folder / "home", folder / "repo", proxy
        self.write("repo/go.mod", "module example.com/app\n\ngo 1.24\n")
        self.write("repo/main.go", "package main\n\nfunc main() {}\n")
        rule = f'[registry."{NAME}"]\nca = "{authority.ca}"\n'
        self.write("home/config/wherry/registries.toml", rule)
        self.write("home/.docker/config.json", json.dumps({"auths": {NAME: {"auth": PAIR}}}))

    def write(self, name: str, text: str) -> None:
        path = self.root.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *words: str, **environment: str) -> Done:
        through = {"HTTPS_PROXY": f"http://127.0.0.1:{self.proxy.port}", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
        return wherry(*words, home=self.home, cwd=self.root, **through, **environment)

    def build(self, *more: str, **environment: str) -> Done:
        done = self.run("build", "--push", "-t", f"{NAME}/team/app:1", *more, **environment)
        assert done.code == 0, done.stderr
        return done


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    need("go")
    authority = Authority(tmp_path / "authority")
    authority.issue("server", names=f"DNS:{NAME}")
    tls = f"tls: {{certificate: {authority.folder}/server.cert, key: {authority.folder}/server.key}}"
    with servers.docker_registry(htpasswd(tmp_path), http=tls) as host, forward() as proxy:
        proxy.places = {f"{NAME}:443": int(host.rpartition(":")[2])}
        yield Yard(tmp_path, proxy, authority)


def is_unchanged(done: Done) -> bool:
    return done.stderr.startswith("unchanged,")


def test_the_registry_is_asked_and_nothing_else_is_done(yard: Yard) -> None:
    first = yard.build()
    assert not is_unchanged(first)
    yard.proxy.heads.clear()
    second = yard.build()
    assert is_unchanged(second), second.stderr
    assert second.stdout == first.stdout
    assert len(yard.proxy.heads) == 1, "one connection"


def test_another_image_under_the_name_is_noticed(yard: Yard) -> None:
    first = yard.build()
    yard.write("repo/main.go", "package main\n\nfunc main() { println(1) }\n")
    other = yard.build()
    yard.write("repo/main.go", "package main\n\nfunc main() {}\n")
    assert other.stdout != first.stdout
    again = yard.build()
    assert not is_unchanged(again)
    assert again.stdout == first.stdout
    assert (
        yard.run("registry", "delete", f"{NAME}/team/app@{first.stdout.strip().rpartition('@')[2]}", "--yes").code == 0
    )
    assert not is_unchanged(yard.build())


def test_a_registry_that_does_not_answer_is_told_by_the_build(yard: Yard) -> None:
    yard.build()
    yard.proxy.places.clear()
    done = yard.run("build", "--push", "-t", f"{NAME}/team/app:1")
    assert (done.code, "unchanged" in done.stderr) == (4, False), done.stderr


def test_a_password_that_is_wrong_now_is_told_too(yard: Yard) -> None:
    yard.build()
    yard.write("home/.docker/config.json", json.dumps({"auths": {NAME: {"auth": "YWRhOndyb25n"}}}))
    done = yard.run("build", "--push", "-t", f"{NAME}/team/app:1")
    assert (done.code, "[wrong-password]" in done.stderr) == (4, True), done.stderr


@pytest.mark.parametrize("more", [("--offline",), ("--authfile", "{}/.docker/config.json")])
def test_the_users_word_about_asking_counts(more: tuple[str, ...], yard: Yard) -> None:
    words = ("build", "--push", "-t", f"{NAME}/team/app:1", *(one.format(yard.home) for one in more))
    first = yard.run(*words)
    yard.proxy.heads.clear()
    second = yard.run(*words)
    assert not is_unchanged(second)
    assert first.code == second.code == (4 if more == ("--offline",) else 0), second.stderr
    assert not yard.proxy.heads or "--offline" not in more


def test_a_base_by_tag_that_moved_is_noticed(yard: Yard) -> None:
    words = ("build", "--base", f"{NAME}/team/base:1", "-o", "oci:../out:1")
    digests = []
    for seed in (1, 2):
        base = random_image(yard.home / "layers", seed=seed, shape=Shape(name="base", version=str(seed)))
        at(places.parse(f"oci:{yard.home}/bases:{seed}"), ports(yard.home)).publish(base)
        assert yard.run("copy", f"oci:{yard.home}/bases:{seed}", f"{NAME}/team/base:1").code == 0
        first, second = yard.run(*words), yard.run(*words)
        assert (first.code, is_unchanged(first), is_unchanged(second)) == (0, False, True), second.stderr
        digests.append(second.stdout)
    assert len(set(digests)) == 2
