"""One `go build` for all mains of a platform, with the real Go on tiny modules."""

import os
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from tests.support.compiling import MAIN, compilation, module, unique, workplace
from wherry.compile import Workplace, compile_all
from wherry.compile.build import split_output
from wherry.errors import BuildError, Several, UsageError, WherryError
from wherry.kit.ports import Command, Completed, Event
from wherry.model.binary import Binary
from wherry.model.plan import Compilation, Target
from wherry.oci.platform import Platform
from wherry.system.processes import Processes

TWO = {"cmd/api/main.go": MAIN, "cmd/job/main.go": MAIN.replace("hello", "job")}


class Recording(Processes):
    """The real port, with everything it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Command] = []

    def __call__(self, command: Command, /) -> Completed:
        self.commands.append(command)
        return super().__call__(command)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return workplace(tmp_path / "work", root=tmp_path / "app")


def build(place: Workplace, *what: Compilation) -> tuple[Binary, ...]:
    return compile_all(what, place, Processes()).binaries


def output(binary: Binary) -> str:
    return subprocess.run([binary.file], capture_output=True, text=True, check=True).stdout


def failure(place: Workplace, *what: Compilation) -> WherryError:
    with pytest.raises(WherryError) as caught:
        build(place, *what)
    return caught.value


def test_all_mains_of_a_platform_in_one_build(tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app", {**TWO, "new/new.go": unique()}), "cmd/api", "cmd/job", "new")
    run = Recording()
    done = compile_all((what,), place, run)
    assert [output(binary) for binary in done.binaries[:2]] == ["hello\n", "job\n"]
    packages = ("example.com/app/cmd/api", "example.com/app/cmd/job", "example.com/app/new")
    assert tuple(binary.import_path for binary in done.binaries) == packages
    assert all(binary.linked and binary.size == Path(binary.file).stat().st_size for binary in done.binaries)
    assert len(run.commands) == 1
    assert run.commands[0].argv[-4:] == ("--", *packages)
    assert done.compiled_packages >= 1


def test_go_sees_only_what_was_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    what = compilation(module(tmp_path / "app"), GOAMD64="v2")
    place = workplace(tmp_path / "work", root=tmp_path / "app", variables={"GOFLAGS": "-x", "GOTMPDIR": "/elsewhere"})
    run = Recording()
    compile_all((what,), place, run)
    seen = dict(run.commands[0].environment)
    assert (seen["GOAMD64"], seen["CGO_ENABLED"], seen["GOFLAGS"], seen["GOENV"]) == ("v2", "0", "", "off")
    assert seen["GOTMPDIR"].startswith(place.scratch)
    assert seen["PWD"] == run.commands[0].directory == what.directory
    assert "MY_TOKEN" not in seen


def test_linking_is_skipped_when_nothing_changed(tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app", TWO), "cmd/api", "cmd/job")
    first = build(place, what)
    (tmp_path / "app/cmd/job/main.go").write_text(MAIN.replace("hello", "other"))
    second = build(place, what)
    assert [binary.linked for binary in second] == [False, True]
    assert Path(second[0].file).read_bytes() == Path(first[0].file).read_bytes()
    assert [output(binary) for binary in second] == ["hello\n", "other\n"]
    assert [binary.linked for binary in build(place, what)] == [False, False]


def test_a_binary_is_never_changed_by_a_later_build(tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app"))
    (first,) = build(place, what)
    before = Path(first.file).read_bytes()
    (tmp_path / "app/main.go").write_text(MAIN.replace("hello", "changed"))
    (second,) = build(place, what)
    assert second.file != first.file
    assert Path(first.file).read_bytes() == before
    assert (output(first), output(second)) == ("hello\n", "changed\n")


def test_other_flags_never_share_a_kept_binary(tmp_path: Path, place: Workplace) -> None:
    folder = module(tmp_path / "app", {"main.go": MAIN.replace('"hello\\n"', 'word + "\\n"') + '\nvar word = "none"\n'})
    one, two = (compilation(folder, flags=(f"-ldflags=-X main.word={word}",)) for word in ("one", "two"))
    assert [output(binary) for binary in build(place, one, two)] == ["one\n", "two\n"]
    again = build(place, two, one)
    assert [binary.linked for binary in again] == [False, False]
    assert [output(binary) for binary in again] == ["two\n", "one\n"]


def test_the_same_bytes_from_another_folder_at_another_time(tmp_path: Path, place: Workplace) -> None:
    files = []
    for name in ("a", "b/c"):
        (binary,) = build(place, compilation(module(tmp_path / name)))
        files.append(Path(binary.file).read_bytes())
        time.sleep(0.01)
    assert files[0] == files[1]


def test_platforms_at_once_and_one_after_another_are_equal(tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app"))
    other = msgspec.structs.replace(what, flags=(*what.flags, "-tags=other"))
    together = build(msgspec.structs.replace(place, jobs=4), what, other, what)
    assert [output(binary) for binary in together] == ["hello\n"] * 3
    assert len({binary.file for binary in together}) == 3


def test_go_s_words_are_whole_and_lead_from_where_one_stands(tmp_path: Path, place: Workplace) -> None:
    broken = 'package x\n\nfunc F() int { return "a" }\n'
    main = 'package main\n\nimport "example.com/app/internal/x"\n\nfunc main() { x.F() }\n'
    what = compilation(module(tmp_path / "app", {"internal/x/x.go": broken, "main.go": main}))
    error = failure(msgspec.structs.replace(place, reader=str(tmp_path)), what)
    assert isinstance(error, BuildError)
    assert error.name == "compile"
    assert error.where == ("app/internal/x/x.go:3:23",)
    assert error.output == (
        "# example.com/app/internal/x\n"
        'app/internal/x/x.go:3:23: cannot use "a" (untyped string constant) as int value in return statement\n'
    )
    here = failure(place, what)
    assert here.where == ("internal/x/x.go:3:23",)


def test_platforms_that_fail_alike_are_one_error_and_else_several(tmp_path: Path, place: Workplace) -> None:
    folder = module(tmp_path / "app", {"main.go": "package main\n\nfunc main() { nope() }\n"})
    one = compilation(folder)
    at_once = msgspec.structs.replace(place, jobs=2)
    alike = failure(at_once, one, msgspec.structs.replace(one, flags=("-trimpath",)))
    assert not isinstance(alike, Several)
    slow = {"nope.go": "//go:build other\n\npackage main\n\nvar nope = 1\n"}
    module(folder, {**slow, "main.go": (folder / "main.go").read_text()})
    different = failure(at_once, one, msgspec.structs.replace(one, flags=("-tags=other",)))
    assert isinstance(different, Several)
    assert [error.name for error in different.errors] == ["compile", "compile"]


@pytest.mark.parametrize("package", ["-toolexec=/bin/sh", "", "main.go", "a\nb", "a\0b"])
def test_what_is_no_package_never_reaches_go(package: str, tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app"))
    bad = msgspec.structs.replace(what, targets=(Target(import_path=package, name="x", file="x"),))
    with pytest.raises(UsageError) as caught:
        build(place, bad)
    assert caught.value.name == "not-a-package"


def test_a_build_that_leaves_no_program_is_an_error(tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app"), flags=("-n",))
    assert failure(place, what).name == "not-built"


def test_events_tell_begin_and_end(tmp_path: Path, place: Workplace) -> None:
    seen: list[Event] = []
    what = compilation(module(tmp_path / "app", {"main.go": unique()}))
    compile_all((what,), place, Processes(), seen.append)
    assert [(event.phase, event.state, event.subject) for event in seen] == [
        ("compile", "start", "linux/amd64"),
        ("compile", "end", "linux/amd64"),
    ]
    assert seen[1].done >= 1


def test_package_lines_are_counted_and_not_shown() -> None:
    said = "runtime\ngolang.org/x/net/http2\n# example.com/app\n./a.go:1:1: bad\ngo: note\ngithub.com/a/b-c_d/v2\n"
    packages, rest = split_output(said)
    assert packages == ("runtime", "golang.org/x/net/http2", "github.com/a/b-c_d/v2")
    assert rest == "# example.com/app\n./a.go:1:1: bad\ngo: note\n"


def test_a_go_module_in_a_folder_with_odd_characters(tmp_path: Path, place: Workplace) -> None:
    folder = module(tmp_path / "with blank, ümlaut and 'quote'")
    (binary,) = build(place, compilation(folder))
    assert output(binary) == "hello\n"


def test_the_platform_is_the_compilations(tmp_path: Path, place: Workplace) -> None:
    what = compilation(module(tmp_path / "app"))
    armed = msgspec.structs.replace(what, platform=Platform(architecture="arm64"))
    assert build(place, armed)[0].platform == Platform(architecture="arm64")
    assert os.access(place.scratch, os.W_OK)
