"""Facts of sources are kept by their bytes; the question to Go is asked once, in a fixed environment."""

import os
from pathlib import Path

from tests.support.analysis import MODULE, Watched, look, repository, toolchain, write
from wherry.analyze.project import analyze
from wherry.analyze.request import Request
from wherry.analyze.source.scan import scan
from wherry.system.environment import environment
from wherry.system.processes import Processes
from wherry.system.programs import programs

SERVER = 'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":8080", nil) }\n'


class Kept:
    """Records in memory, with what happened to them."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.hits = 0

    def get(self, key: str, /) -> bytes | None:
        self.hits += key in self.data
        return self.data.get(key)

    def put(self, key: str, data: bytes, /) -> None:
        self.data[key] = data


def ask(folder: Path, records: Kept) -> list[str]:
    request = Request(working_directory=str(folder), environment=environment())
    project = analyze(request, run=Processes(), which=programs("/usr/bin:/bin"), records=records)
    return [one.value for one in project.mains[0].inferred if one.kind == "port"]


def test_unchanged_sources_are_not_parsed_again(tmp_path: Path) -> None:
    records = Kept()
    write(tmp_path, {"a/go.mod": MODULE, "a/main.go": SERVER, "b/go.mod": MODULE, "b/main.go": SERVER})
    assert ask(tmp_path / "a", records) == ["8080"]
    assert (records.hits, len(records.data)) == (0, 2)
    assert ask(tmp_path / "a", records) == ["8080"]
    assert ask(tmp_path / "b", records) == ["8080"], "by bytes, not by place"
    assert (records.hits, len(records.data)) == (2, 2)
    write(tmp_path, {"a/main.go": SERVER.replace("8080", "9090")})
    assert ask(tmp_path / "a", records) == ["9090"]
    assert (records.hits, len(records.data)) == (2, 4)
    write(tmp_path, {"a/main.go": SERVER, "a/go.mod": MODULE.replace("app", "other")})
    assert ask(tmp_path / "a", records) == ["8080"]
    assert (records.hits, len(records.data)) == (3, 5), "the sources are known, what they are called is new"


def test_a_damaged_record_is_made_again(tmp_path: Path) -> None:
    records = Kept()
    write(tmp_path, {"go.mod": MODULE, "main.go": SERVER})
    ask(tmp_path, records)
    for damage in (b"", b"\xff", b"\x01", next(iter(records.data.values()))[:-1]):
        records.data = dict.fromkeys(records.data, damage)
        assert ask(tmp_path, records) == ["8080"]


def test_equal_bytes_give_equal_facts() -> None:
    assert scan(SERVER.encode()) == scan(SERVER.encode())
    assert not scan(b"\xff\xfe not go {{{{").whole or scan(b"\xff\xfe").package == ""


def test_one_go_process_and_its_environment(tmp_path: Path) -> None:
    """A01, A06, A07: no stamping, no other toolchain, nothing inherited."""
    repo = repository(tmp_path / "repo")
    (tmp_path / "env").write_text("GOFLAGS=-toolexec=/bin/false\n")
    run = Watched()
    odd = {
        **os.environ,
        "GOFLAGS": "-toolexec=/bin/false",
        "GOENV": str(tmp_path / "env"),
        "SECRET": "x",
        "GIT_DIR": "/nowhere",
    }
    look(repo, run=run, environment=environment(odd))
    asked = [command for command in run.commands if command.argv[0] == toolchain().go]
    assert len(asked) == 1
    assert "-buildvcs=false" in asked[0].argv
    variables = dict(asked[0].environment)
    wanted = {
        "GOENV": "off",
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOOS": "linux",
    }
    assert wanted.items() <= variables.items()
    assert "SECRET" not in variables
    assert not any("GIT_DIR" in dict(command.environment) for command in run.commands)


def test_tags_of_the_users_own_goflags_count(tmp_path: Path) -> None:
    import msgspec

    write(
        tmp_path,
        {
            "go.mod": MODULE,
            "main.go": "//go:build special\n\n" + SERVER,
            "other.go": "package main\n\nfunc init() {}\n",
        },
    )
    go = toolchain()
    own = msgspec.structs.replace(go, environment=(*go.environment, ("GOFLAGS", "-tags=special,more -trimpath")))
    ports = [one.value for one in look(tmp_path, toolchain=own).mains[0].inferred if one.kind == "port"]
    assert ports == ["8080"]
    assert [one.kind for one in look(tmp_path, toolchain=go).mains[0].inferred] == ["listens"]
