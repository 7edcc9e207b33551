"""Where sources come from, asked of a real BuildKit: private modules by a secret that is nowhere afterwards, vendored ones
without a network, modules beside one another in the repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support import dockerfiles
from tests.support.buildkit import Builder, Log
from tests.support.dockerfiles import Repository
from tests.support.examples import commit
from tests.support.gated import gated
from tests.support.hub import Hub
from tests.support.modules import publish
from tests.support.private_git import HOST, OPEN, PASSWORD, PrivateGit, private_git
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("buildkit")]
WORD = '// Package {name} has a word.\npackage {name}\n\n// Word is it.\nfunc Word() string {{ return "{word}" }}\n'
MAIN = """// Command {name} says a word.
package main

import (
	"fmt"

	"{module}"
)

func main() {{ fmt.Println({package}.Word()) }}
"""


@pytest.fixture
def git(hub: Hub, tmp_path: Path) -> Iterator[PrivateGit]:
    need("go", "git")
    with private_git(tmp_path / "private", hub) as made:
        yield made


@pytest.fixture(name="private")
def make(git: PrivateGit, hub: Hub, tmp_path: Path) -> Callable[[str], Repository]:
    return partial(private, git, hub, tmp_path)


def private(git: PrivateGit, hub: Hub, folder: Path, path: str) -> Repository:
    """Sources that need the private module HOST/PATH, which no build has seen before. This machine's Go has it from a folder."""
    name = path.rpartition("/")[2]
    files = {f"{name}.go": WORD.format(name=name, word=f"private {name}")}
    module = git.publish(path, files)
    root = folder / "root"
    written(root, {
        "go.mod": f"module example.com/needs\n\ngo 1.24\n\nrequire {module} v1.0.0\n",
        "main.go": MAIN.format(name="needs", module=module, package=name),
        "wherry.toml": f'[build]\nprivate = ["{HOST}"]\n',
    })  # fmt: skip
    environment = {
        "GOPROXY": publish(folder / "proxy", module, "v1.0.0", files | {"go.mod": f"module {module}\n\ngo 1.24\n"}),
        "GOMODCACHE": str(folder / "modules"),
    }
    tidying = {**os.environ, **environment, "GONOSUMDB": HOST, "GOFLAGS": "-mod=mod -modcacherw"}
    subprocess.run(["go", "mod", "tidy"], cwd=root, env=tidying, check=True, capture_output=True)
    return dockerfiles.repository(commit(root), folder, hub, **environment)


def written(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def built(builder: Builder, source: Repository, variant: str, image: str, *words: str) -> Log:
    (file,) = source.dockerfiles(variant).values()
    return builder.build(source.root, f"--file={file}", f"--tag={image}", *words)


@pytest.mark.parametrize("variant", ["distroless", "single-stage", pytest.param("dev", marks=pytest.mark.oracle)])
def test_a_private_modules_password_is_nowhere_afterwards(
    variant: str, builder: Builder, git: PrivateGit, private: Callable[[str], Repository]
) -> None:
    name = f"of{variant.replace('-', '')}"
    source, netrc = private(f"team/{name}"), git.netrc()
    log = built(builder, source, variant, name, f"--secret=id=netrc,src={netrc}")
    assert log.code == 0, log.text
    assert f"/team/{name}?go-get=1" in git.served
    if variant != "dev":
        assert builder("run", "--rm", "--network=none", name) == f"private {name}"
    assert PASSWORD not in log.text + builder("history", "--no-trunc", name) + builder("image", "inspect", name)
    assert builder.keeps(f"private {name}"), "or the next line says nothing"
    assert builder.keeps(PASSWORD) == []


#: Who is refused: Go, which asks where the repository is, or git. What they then say.
REFUSALS = {"team/": "401 Unauthorized", OPEN: "terminal prompts disabled"}


@pytest.mark.parametrize("password", ["", "wrong"], ids=["none", "wrong"])
@pytest.mark.parametrize("where", REFUSALS, ids=["by-go", "by-git"])
def test_without_the_right_password_there_is_no_image(
    where: str, password: str, builder: Builder, git: PrivateGit, private: Callable[[str], Repository]
) -> None:
    name = f"closed{len(password)}"
    source, netrc = private(f"{where}{name}"), git.netrc(password)
    log = built(builder, source, "distroless", name, *((f"--secret=id=netrc,src={netrc}",) if password else ()))
    assert log.code != 0
    assert f"{HOST}/{where}{name}" in log.text
    assert REFUSALS[where] in log.text, log.text
    assert git.served == []
    assert not builder("images", "--quiet", name)


def test_vendored_modules_need_no_network(builder: Builder, hub: Hub, tmp_path: Path) -> None:
    need("go", "git")
    what = gated(tmp_path, "example.com/vendored")
    vendoring = {**os.environ, **what.environment, "GONOSUMDB": "example.com/vendored", "GOFLAGS": "-modcacherw"}
    subprocess.run(["go", "mod", "vendor"], cwd=what.root, env=vendoring, check=True, capture_output=True)
    dockerfiles.commit(what.root)
    source = dockerfiles.repository(what.root, tmp_path, hub)
    hub.modules.downloads()
    log = built(builder, source, "distroless", "vendored", "--network=none")
    assert log.code == 0, log.text
    assert hub.modules.asked == []
    assert builder("run", "--rm", "--network=none", "vendored") == "fine 1"
    same(builder, source, "vendored", "gated")


#: What makes the other module known.
BESIDE = {
    "replace": ("services/say/go.mod", "\nrequire example.com/word v0.0.0\n\nreplace example.com/word => ../../word\n"),
    "workspace": ("go.work", "go 1.24\n\nuse (\n\t./services/say\n\t./word\n)\n"),
}


@pytest.mark.parametrize("way", BESIDE)
def test_modules_beside_one_another(way: str, builder: Builder, hub: Hub, tmp_path: Path) -> None:
    """The Dockerfile is the module's, the context the repository's root."""
    need("go", "git")
    root = tmp_path / "root"
    file, text = BESIDE[way]
    module = "module example.com/say\n\ngo 1.24\n"
    written(root, {
        "word/go.mod": "module example.com/word\n\ngo 1.24\n",
        "word/word.go": WORD.format(name="word", word="beside"),
        "services/say/go.mod": module,
        "services/say/main.go": MAIN.format(name="say", module="example.com/word", package="word"),
        "services/say/wherry.toml": '[image]\nname = "say"\n',
        file: module + text if file.endswith("go.mod") else text,
    })  # fmt: skip
    source = dockerfiles.repository(commit(root), tmp_path, hub, start="services/say")
    assert (root / "services/say/Dockerfile").exists()
    log = built(builder, source, "distroless", f"beside-{way}")
    assert log.code == 0, log.text
    assert builder("run", "--rm", "--network=none", f"beside-{way}") == "beside"
    same(builder, source, f"beside-{way}", "say")


def same(builder: Builder, source: Repository, image: str, name: str) -> None:
    """Byte for byte the program of `wherry build`."""
    (ours,) = source.images().values()
    assert builder.file(image, f"/app/{name}") == source.programs(ours)[name]
