"""Each way in which Go fails gets its name: real failures, and the words of those that need a network or a full disk."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.support.compiling import compilation, module, workplace
from tests.support.tools import need
from wherry.compile import compile_all
from wherry.compile.diagnose import build_error
from wherry.errors import UnavailableError, WherryError
from wherry.system.processes import Processes

REQUIRE = "module example.com/app\n\ngo 1.24\n\nrequire {} v1.0.0\n"
SUM = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
SUMS = f"{{0}} v1.0.0 {SUM}\n{{0}} v1.0.0/go.mod {SUM}\n"
IMPORT = 'package main\n\nimport _ "{}"\n\nfunc main() {{}}\n'
GONE = "example.invalid/m"
C = 'package main\n\n// {}\n// int one(void) {{ return 1; }}\nimport "C"\n\nfunc main() {{ C.one() }}\n'


class Case(NamedTuple):
    """A failure to provoke, and what it should be called."""

    name: str
    files: dict[str, str] = {}
    where: str = ""
    flags: tuple[str, ...] = ()
    variables: dict[str, str] = {}


ON = {"CGO_ENABLED": "1"}
EMBED = 'package main\n\nimport _ "embed"\n\n//go:embed dist/*\nvar s string\n\nfunc main() {}\n'
FETCH = {"go.mod": REQUIRE.format(GONE), "main.go": IMPORT.format(GONE), "go.sum": SUMS.format(GONE)}
REAL = (
    Case("compile", {"main.go": "package main\n\nfunc main() { fmt.Println(1 }\n"}, "main.go:3:29"),
    Case("compile", {"main.go": "package main\n\nfunc main() {\n\tx := 1\n}\n"}, "main.go:4:2"),
    Case("go-sum", {"go.mod": REQUIRE.format(GONE), "main.go": IMPORT.format(GONE)}, "main.go:3:8"),
    Case("go-mod", {"main.go": IMPORT.format(GONE)}, "main.go:3:8"),
    Case("go-mod", {"main.go": IMPORT.format("notstd/x")}, "main.go:3:8"),
    Case("go-mod", {"go.mod": "module example.com/app\n\ngo 1.24\nbogus\n"}, "go.mod:4"),
    Case("go-mod", {"go.work": "go 1.24\n\nuse ./nothere\n"}),
    Case("go-too-old", {"go.mod": "module example.com/app\n\ngo 1.99\n"}),
    Case("go-too-old", {"go.work": "go 1.99.3\n\nuse .\n"}),
    Case("module-download", FETCH, "main.go:3:8"),
    Case("no-go-files", {"main.go": "//go:build windows\n\npackage main\n\nfunc main() {}\n"}),
    Case("no-go-files", {"main.go": C.format("")}),
    Case("cgo-compiler", {"main.go": C.format("")}, variables={**ON, "CC": "no-cc-here"}),
    Case("cgo-flags", {"main.go": C.format("#cgo LDFLAGS: -fplugin=./evil.so")}, variables=ON),
    Case("cgo-flags", {"main.go": C.format("#cgo pkg-config: --log-file=/tmp/evil")}, variables=ON),
    Case("go-flags", flags=("-bogus",)),
    Case("go-flags", flags=("-ldflags=-bogus",)),
    Case("go-flags", variables={"GOARCH": "nope"}),
    Case("go-flags", flags=("-race",)),
    Case("embed", {"main.go": EMBED}, "main.go:5:12"),
    Case("vcs-stamp", {".git/HEAD": "garbage"}, flags=("-buildvcs=true",)),
)


@pytest.mark.parametrize("case", REAL)
def test_real_failures(case: Case, tmp_path: Path) -> None:
    if case.variables == ON:
        need("gcc")
    folder = module(tmp_path / "app", case.files)
    place = workplace(tmp_path / "work", root=folder, variables={"GOPROXY": "off", "GONOSUMDB": GONE})
    what = compilation(folder, flags=case.flags, **case.variables)
    with pytest.raises(WherryError) as caught:
        compile_all((what,), place, Processes())
    error = caught.value
    assert (error.name, error.output != "") == (case.name, True), error.output
    assert not case.where or error.where == (case.where,)


RECORDED = (
    ("go-sum-mismatch", "verifying a.example/b@v1.0.0: checksum mismatch\n\tdownloaded: h1:x=\n\nSECURITY ERROR\n"),
    ("module-download", 'main.go:3:8: a/b@v1.0.0: Get "https://p.example/a": dial tcp 127.0.0.1:9: refused\n'),
    ("module-download", 'main.go:3:8: unrecognized import path "e.invalid/m": https fetch: no such host\n'),
    ("module-download", "go: github.com/me/private@v1.0.0: reading https://p.example/x.zip: 404 Not Found\n"),
    ("module-download", "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n"),
    ("go-sum", "go: updates to go.sum needed, disabled by -mod=readonly\n"),
    ("go-mod", "go: updates to go.mod needed; to update it:\n\tgo mod tidy\n"),
    ("go-mod", "go: inconsistent vendoring in /x/vendor:\n\ta@v1: is explicitly required in go.mod, but not marked\n"),
    ("go-too-old", "go: github.com/a/b@v1.0.0 requires go >= 1.27.1 (running go 1.26.8; GOTOOLCHAIN=local)\n"),
    ("disk", "# example.com/app\n/usr/local/go/pkg/tool/linux_amd64/link: mapping failed: no space left on device\n"),
    ("disk", "failed to initialize build cache at /root/.cache/go-build: mkdir /root/.cache: permission denied\n"),
    ("go-killed", "# example.com/app\ngo build example.com/app: /usr/local/go/pkg/tool/linux_amd64/link: signal: killed\n"),
    ("vcs-stamp", "go: missing Git command. See https://golang.org/s/gogetcmd\nerror obtaining VCS status: exec\n"),
    ("compile", "something that Go has never said before\n"),
    ("compile", "# example.com/app\n./main.go:3:5: cannot use \"dial tcp\" as int: missing go.sum entry, checksum mismatch\n"),
    ("compile", "./main.go:4:2: undefined: SECURITY\n"),
)  # fmt: skip


def test_a_full_disk_is_told_in_few_lines() -> None:
    """Every compiler and linker of the build says it."""
    said = "".join(
        f"# example.com/app/p{n}\ncompile: writing output: write $WORK/b{n}/_pkg_.a: no space left on device\n"
        for n in range(16)
    )
    error = build_error(compilation(Path("/src")), said, 1)
    assert error.name == "disk"
    assert error.output.splitlines() == [*said.splitlines()[:3], "... and 29 more lines of the kind"]
    whole = "".join(f"./main.go:{n}:1: undefined: a{n}\n" for n in range(1, 30))
    assert build_error(compilation(Path("/src")), whole, 1).output == whole


@pytest.mark.parametrize(("name", "said"), RECORDED)
def test_recorded_failures(name: str, said: str) -> None:
    error = build_error(compilation(Path("/src")), said, 1)
    assert (error.name, error.output) == (name, said)


def test_the_version_wanted_is_named() -> None:
    said = "go: go.mod requires go >= 1.99.3 (running go 1.26.8; GOTOOLCHAIN=local)\n"
    error = build_error(compilation(Path("/src")), said, 1)
    assert "1.99.3" in error.message
    assert error.next == ("install Go 1.99.3 or newer", "let Go fetch it: wherry build --toolchain auto")
    assert isinstance(error, UnavailableError)


def test_a_killed_go_is_not_blamed_on_the_sources() -> None:
    assert build_error(compilation(Path("/src")), "", 137).name == "go-killed"


def test_progress_is_no_part_of_the_error_and_many_mains_are_counted() -> None:
    what = compilation(Path("/src"), "a", "b", "c", "d")
    error = build_error(what, "go: downloading example.com/m v1.0.0\nwhat\n", 1)
    assert error.output == "what\n"
    assert "example.com/app/a, example.com/app/b and 2 more" in error.message


def test_only_places_that_exist_are_made_to_lead(tmp_path: Path) -> None:
    folder = module(tmp_path / "app")
    said = "./main.go:1:2: x\n\tmain.go:3: y\nnone.go:1:1: z\n/abs/main.go:1:1: a\n  main.go is fine\nmain.go:x\n"
    what = msgspec.structs.replace(compilation(folder))
    error = build_error(what, said, 1, reader=str(tmp_path))
    expected = (
        "app/main.go:1:2: x\n\tapp/main.go:3: y\nnone.go:1:1: z\n/abs/main.go:1:1: a\n  main.go is fine\nmain.go:x\n"
    )
    assert error.output == expected
    assert build_error(what, said, 1, reader=str(folder)).output == said


def test_places_far_away_become_absolute(tmp_path: Path) -> None:
    folder = module(tmp_path / "app")
    reader = tmp_path / "a/b/c"
    reader.mkdir(parents=True)
    error = build_error(compilation(folder), "./main.go:1:2: x\n", 1, reader=str(reader))
    assert error.output == f"{folder}/main.go:1:2: x\n"
