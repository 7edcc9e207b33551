"""`module/path/cmd/x@version`, from a module proxy in a folder, by the real Go."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.support.analysis import MAIN, Watched, look, toolchain
from tests.support.modules import publish
from wherry.errors import WherryError
from wherry.kit.goenv import go_environment, merged
from wherry.kit.ports import Command
from wherry.model.project import Project
from wherry.system.environment import environment
from wherry.system.processes import Processes

SERVER = """package main

import (
	"net/http"

	"example.com/dep"
)

func main() { http.ListenAndServe(dep.Address, nil) }
"""
FILES = {
    "go.mod": "module example.com/app\n\ngo 1.24.1\n\ngodebug panicnil=1\n\nrequire example.com/dep v1.1.0\n",
    "cmd/server/main.go": SERVER,
    "cmd/other/main.go": MAIN,
    "examples/x/main.go": MAIN,
    "lib/lib.go": "package lib\n",
    "LICENSE": "Apache License\nVersion 2.0, January 2004\n",
}


@pytest.fixture
def proxy(tmp_path: Path) -> Path:
    folder = tmp_path / "proxy"
    publish(folder, "example.com/app", "v1.2.3", FILES)
    publish(folder, "example.com/app", "v1.3.0-rc.1", FILES)
    publish(folder, "example.com/dep", "v1.1.0", {"dep.go": 'package dep\n\nconst Address = ":8080"\n'})
    publish(folder, "example.com/dep", "v1.9.0", {"dep.go": 'package dep\n\nconst Address = ":9999"\n'})
    return folder


def settings(tmp_path: Path, proxy: Path) -> tuple[tuple[str, str], ...]:
    cache = tmp_path / "modcache"
    return (("GOPROXY", f"file://{proxy}"), ("GOSUMDB", "off"), ("GOMODCACHE", str(cache)), ("GOFLAGS", "-modcacherw"))


def ask(tmp_path: Path, proxy: Path, *words: str, run: Watched | None = None) -> Project:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True, mode=0o700)
    (tmp_path / "empty").mkdir(exist_ok=True)
    variables = settings(tmp_path, proxy)
    go = msgspec.structs.replace(toolchain(), environment=merged(toolchain().environment, variables))
    return look(tmp_path / "empty", *words, run=run, scratch=str(scratch), variables=variables, toolchain=go)


def test_a_main_of_a_published_module(tmp_path: Path, proxy: Path) -> None:
    project = ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3")
    assert (project.remote, project.version) == ("example.com/app@v1.2.3", "1.2.3")
    assert project.vcs is None
    assert project.licences == ("Apache-2.0",)
    main = project.mains[0]
    assert (main.import_path, main.name, main.module) == ("example.com/app/cmd/server", "server", "example.com/app")
    assert main.directory == f"{project.root}/cmd/server"
    assert project.root == str(tmp_path / "modcache/example.com/app@v1.2.3")
    assert project.modules[0].go == "1.24.1"
    assert project.findings == ()


def test_it_builds_what_go_install_builds(tmp_path: Path, proxy: Path) -> None:
    """Byte for byte, with the module's version in it, and without asking the network again."""
    project = ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3")
    go, chosen = toolchain(), (*settings(tmp_path, proxy), ("CGO_ENABLED", "0"))
    variables = merged(go_environment(environment(), go.environment, root=""), chosen, (("GOWORK", "off"),))
    offline = merged(variables, (("GOPROXY", "off"), ("GOFLAGS", "")))
    built = tmp_path / "built"
    build = (go.go, "build", "-trimpath", "-buildvcs=false", "-o", str(built), "--", "example.com/app/cmd/server")
    ended = Processes()(Command(argv=build, environment=offline, directory=project.working_directory))
    assert ended.code == 0, ended.stderr.decode()
    installed = merged(variables, (("GOBIN", str(tmp_path / "bin")),))
    install = (go.go, "install", "-trimpath", "-buildvcs=false", "example.com/app/cmd/server@v1.2.3")
    ended = Processes()(Command(argv=install, environment=installed, directory=str(tmp_path)))
    assert ended.code == 0, ended.stderr.decode()
    assert built.read_bytes() == (tmp_path / "bin/server").read_bytes()
    said = subprocess.run([go.go, "version", "-m", str(built)], capture_output=True, text=True, check=True).stdout
    assert "mod\texample.com/app\tv1.2.3\t" in said
    assert "dep\texample.com/dep\tv1.1.0\t" in said
    assert "DefaultGODEBUG=" in said


def test_queries_and_patterns(tmp_path: Path, proxy: Path) -> None:
    assert ask(tmp_path, proxy, "example.com/app/cmd/server@latest").version == "1.2.3"
    everything = ask(tmp_path, proxy, "example.com/app/...@v1.3.0-rc.1")
    assert everything.version == "1.3.0-rc.1"
    assert [main.name for main in everything.mains] == ["other", "server"]
    assert [(one.directory, one.reason) for one in everything.left_out] == [("examples/x", "an example (examples/)")]
    both = ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3", "example.com/app/cmd/other@v1.2.3")
    assert [main.name for main in both.mains] == ["other", "server"]


def test_a_known_module_is_found_by_one_question(tmp_path: Path, proxy: Path) -> None:
    """Once it is in the cache, shorter and longer paths need not be asked for."""
    ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3")
    run = Watched()
    first = ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3", run=run)
    assert [command.argv[1:4] for command in run.commands] == [("mod", "download", "-json"), ("list", "-e", "-deps")]
    assert run.commands[0].argv[4:] == ("example.com/app@v1.2.3",)
    assert ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3") == first


def test_a_nested_module_wins(tmp_path: Path, proxy: Path) -> None:
    publish(proxy, "example.com/app/cmd/nested", "v1.2.3", {"main.go": MAIN})
    assert ask(tmp_path, proxy, "example.com/app/cmd/nested@v1.2.3").remote == "example.com/app/cmd/nested@v1.2.3"


def test_a_module_from_before_modules(tmp_path: Path, proxy: Path) -> None:
    publish(proxy, "example.com/old", "v1.0.0", {"go.mod": "module example.com/old\n", "main.go": MAIN})
    project = ask(tmp_path, proxy, "example.com/old@v1.0.0")
    assert [main.name for main in project.mains] == ["old"]
    assert "go 1.20" in Path(project.working_directory, "go.mod").read_text()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("example.com/app/cmd/server@v9.9.9", "no-such-version"),
        ("example.com/nobody/x@v1.0.0", "no-such-version"),
        ("example.com/app/cmd/nothing@v1.2.3", "no-such-package"),
        ("example.com/app/lib@v1.2.3", "not-main"),
        ("example.com/app/cmd/server@", "bad-package"),
        ("fmt@v1.0.0", "bad-package"),
        ("example.com/app/cmd/../x@v1.0.0", "bad-package"),
        ("example.com/app@v1.0.0@v2", "bad-package"),
    ],
)
def test_wrong_words(word: str, name: str, tmp_path: Path, proxy: Path) -> None:
    with pytest.raises(WherryError) as raised:
        ask(tmp_path, proxy, word)
    assert raised.value.name == name
    assert raised.value.next


@pytest.mark.parametrize("word", ["example.com/app/lib@v1.2.3", "example.com/app@v1.2.3"])
def test_what_is_no_program_of_a_module_is_answered_with_all_that_are(word: str, tmp_path: Path, proxy: Path) -> None:
    with pytest.raises(WherryError) as raised:
        ask(tmp_path, proxy, word)
    (step,) = raised.value.next
    assert step == "wherry build example.com/app/...@v1.2.3"
    assert ask(tmp_path, proxy, step.removeprefix("wherry build ")).mains


def test_a_version_that_is_not_there_is_not_answered_with_itself(tmp_path: Path, proxy: Path) -> None:
    with pytest.raises(WherryError) as raised:
        ask(tmp_path, proxy, "example.com/nobody/x@latest")
    assert raised.value.next[0] == "check the path"


@pytest.mark.parametrize("line", ["replace example.com/dep => ../dep", "exclude example.com/dep v1.0.0"])
def test_replace_and_exclude_are_refused_as_go_install_does(line: str, tmp_path: Path, proxy: Path) -> None:
    publish(proxy, "example.com/app", "v1.4.0", {**FILES, "go.mod": f"{FILES['go.mod']}\n{line}\n"})
    with pytest.raises(WherryError) as raised:
        ask(tmp_path, proxy, "example.com/app/cmd/server@v1.4.0")
    assert raised.value.name == "remote-replace"


def test_packages_of_two_modules_do_not_mix(tmp_path: Path, proxy: Path) -> None:
    for words in (
        ("example.com/app/cmd/server@v1.2.3", "."),
        ("example.com/app@v1.2.3", "example.com/app@v1.3.0-rc.1"),
    ):
        with pytest.raises(WherryError) as raised:
            ask(tmp_path, proxy, *words)
        assert raised.value.name == "mixed-packages"
    with pytest.raises(WherryError) as raised:
        ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3", "example.com/dep@v1.2.3")
    assert raised.value.name == "mixed-packages"


def test_what_go_mod_leaves_open_is_told(tmp_path: Path, proxy: Path) -> None:
    publish(proxy, "example.com/app", "v1.5.0", {**FILES, "go.mod": "module example.com/app\n\ngo 1.24\n"})
    project = ask(tmp_path, proxy, "example.com/app/cmd/server@v1.5.0")
    assert [one.name for one in project.findings] == ["untidy-module"]
    assert "example.com/dep" in project.findings[0].message


def test_only_scratch_is_written_to(tmp_path: Path, proxy: Path) -> None:
    ask(tmp_path, proxy, "example.com/app/cmd/server@v1.2.3")
    assert list((tmp_path / "empty").iterdir()) == []
    assert {path.name for path in (tmp_path / "scratch").rglob("*") if path.is_file()} == {"go.mod", "go.sum"}
