"""Attacks and faults at the terminal (reliability.md, room H): foreign text, exit codes, interrupts, odd surroundings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import answers, examples, looks
from tests.support.cli import COMMAND, Done, variables, wherry
from tests.support.refusals import only, refusals
from tests.support.servers import need_open, need_root
from tests.support.tools import need

pytestmark = pytest.mark.e2e

ESC, BEL, C1, CSI = "\x1b", "\x07", "\x9b", "\x1b[2J"
LINK, CLIPBOARD = "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07", "\x1b]52;c;ZXZpbA==\x07"
EVIL = f"a{CSI}b{BEL}c{C1}d\re\bf{LINK}{CLIPBOARD}\u2028g\u202eh"
FORGED = "x\nerror [fake]: forged"
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
MAIN = 'package main\n\nfunc main() { println("hello") }\n'
GO_MOD = "module example.com/app\n\ngo 1.24\n"


def repository(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in {"go.mod": GO_MOD, "main.go": MAIN, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return examples.commit(root)


def harmless(done: Done) -> str:
    """All that the run said, once it is sure to do nothing to a terminal."""
    text = done.stdout + done.stderr
    assert not HARMFUL.search(text), ascii(HARMFUL.search(text))
    assert not re.search(r"^(error|warning) \[fake\]", text, re.MULTILINE)
    assert "Traceback" not in text
    assert "[crash]" not in text
    return text


def toml(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's, surrogate pairs aside."""
    return json.dumps(text)


H01_SOURCES = {
    "compiler": {"main.go": f"package main\n\nfunc main() {{ {EVIL.replace(chr(13), '')} }}\n"},
    "go.mod": {"go.mod": GO_MOD + f"require {EVIL} v1\n"},
    "toml key": {"wherry.toml": f"[image]\n{toml(EVIL)} = 1\n"},
    "toml value": {"wherry.toml": f"[image]\nuser = {toml(EVIL)}\n"},
    "toml list": {"wherry.toml": f"[image]\nports = [{toml(FORGED)}]\n"},
    "asset": {"wherry.toml": f'[[image.assets]]\nfrom = {toml(EVIL)}\ninto = "/srv"\n'},
    "template": {"wherry.toml": f"[image]\nname = {toml(EVIL)}\n"},
    "base": {"wherry.toml": f"[image]\nbase = {toml(EVIL)}\n"},
    "label": {"wherry.toml": f"[image.labels]\n{toml(FORGED)} = {toml(EVIL)}\n"},
    "env": {"wherry.toml": f"[image.env]\nGREETING = {toml(EVIL)}\n"},
    "hook": {"wherry.toml": f"[build]\nhooks = [[{toml(EVIL)}]]\n"},
    "main": {"wherry.toml": f"[main.{toml(EVIL)}.image]\nuser = 1\n"},
}


@pytest.mark.parametrize("files", H01_SOURCES.values(), ids=H01_SOURCES)
def test_h01_what_a_repository_says_reaches_no_terminal(files: Mapping[str, str], tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", files)
    for line in ("build", "plan", "plan --why"):
        harmless(wherry(*line.split(), home=tmp_path / "home", cwd=root))
    document = wherry("plan", "--json", home=tmp_path / "home", cwd=root)
    assert not HARMFUL.search(document.stdout.replace("\n", "")) or json.loads(document.stdout)


def test_h01_names_of_files_folders_tags_and_branches(tmp_path: Path) -> None:
    need("go", "git")
    name = EVIL.replace("/", "").encode()
    root = repository(tmp_path / "app", {"wherry.toml": '[[image.assets]]\nfrom = "web"\ninto = "/srv"\n', "web/x": ""})
    Path(os.fsdecode(os.fsencode(root / "web") + b"/" + name)).write_text("x")
    folder = Path(os.fsdecode(os.fsencode(root) + b"/cmd-" + name))
    folder.mkdir()
    (folder / "main.go").write_text(MAIN)
    subprocess.run(["git", "checkout", "-qb", "x\u202ey\u2028z"], cwd=root, check=True)
    for line in ("plan --why", "build", "build ./...", "build -o oci:out", "inspect oci:out"):
        harmless(wherry(*line.split(), home=tmp_path / "home", cwd=root))
    strange = wherry("build", f"./{os.fsdecode(name)}-gone", home=tmp_path / "home", cwd=root)
    assert strange.code == 2
    harmless(strange)


def test_h01_a_layout_of_somebody_else(tmp_path: Path) -> None:
    need("go", "git")
    labels = f"[image.labels]\nnote = {toml(EVIL)}\n[image.annotations]\nnote = {toml(FORGED)}\n"
    root = repository(tmp_path / "app", {"wherry.toml": labels})
    wherry("build", "-o", "oci:out", home=tmp_path / "home", cwd=root)
    if not (root / "out").exists():
        return  # refused before it was written: harmless, as the first test shows
    index = json.loads((root / "out/index.json").read_text())
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = EVIL
    (root / "out/index.json").write_text(json.dumps(index))
    for line in ("inspect oci:out", "inspect oci:out:nothing"):
        harmless(wherry(*line.split(), home=tmp_path / "home", cwd=root))


def test_h01_a_registry_that_answers_in_escapes(tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", {})
    body = json.dumps({"errors": [{"code": EVIL, "message": FORGED, "detail": EVIL}]}).encode()
    head = (
        f'HTTP/1.1 403 {CSI}no\r\nWww-Authenticate: Basic realm="{BEL}"\r\nContent-Length: {len(body)}\r\n\r\n'.encode()
    )
    with answers.serving(answers.say(head + body)) as server:
        done = wherry("build", "-o", f"docker://127.0.0.1:{server.port}/a:1", home=tmp_path / "home", cwd=root)
    assert done.code in (4, 5)
    harmless(done)


def test_h01_on_a_terminal_too(tmp_path: Path) -> None:
    """What a terminal gets beside wherry's own colours and its one changing line is as harmless."""
    need("go", "git")
    root = repository(tmp_path / "app", H01_SOURCES["toml value"])
    shown = looks.on_terminal("build", home=tmp_path / "home", cwd=root)
    harmless(Done(code=shown.code, stdout=shown.stdout, stderr=looks.still(shown.stderr)))


def test_h05_one_of_several_images_fails_and_the_whole_run_says_so(tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", {"cmd/a/main.go": MAIN, "cmd/b/main.go": MAIN + "func x() { gone() }\n"})
    done = wherry("build", "./cmd/...", "-o", "oci:out", home=tmp_path / "home", cwd=root)
    only(done, "compile", 3)


def test_h05_one_of_several_places_fails_and_the_whole_run_says_so(tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", {})
    done = wherry("build", "-o", "oci:out", "-o", "docker://127.0.0.1:1/app:1", home=tmp_path / "home", cwd=root)
    only(done, "unreachable", 4)


SHELL = {
    "build closed": ("{wherry} build -q --no-cache >&-", False),
    "build full": ("{wherry} build -q --no-cache >/dev/full", False),
    "unchanged full": ("{wherry} build >/dev/full", False),
    "version full": ("{wherry} --version >/dev/full", False),
    "version closed": ("{wherry} --version >&-", False),
    "card full": ("{wherry} >/dev/full", False),
    "help full": ("{wherry} --help >/dev/full", False),
    "help of a command full": ("{wherry} registry tags -h >/dev/full", False),
    "help closed": ("{wherry} registry tags -h >&-", False),
    "plan full": ("{wherry} plan >/dev/full", False),
    "document full": ("{wherry} plan --json >/dev/full", False),
    "no stderr": ("{wherry} build --no-cache 2>&-", True),
    "no stdin": ("{wherry} build --no-cache <&-", True),
    "full stderr": ("{wherry} build --no-cache 2>/dev/full", True),
}


@pytest.mark.parametrize(("script", "works"), SHELL.values(), ids=SHELL)
def test_h05_a_stream_that_takes_nothing(script: str, works: bool, tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", {})
    assert wherry("build", home=tmp_path / "home", cwd=root).code == 0
    done = shell(script, home=tmp_path / "home", cwd=root)
    assert (done.code == 0) is works, done
    assert "Traceback" not in done.stderr
    assert "crash" not in done.stderr
    assert works or "[stdout]" in done.stderr
    if works:
        assert looks.RESULT.fullmatch(done.stdout.strip())


@pytest.mark.parametrize("line", ["plan --json", "explain", "completion bash", "build --json --no-cache"])
def test_h05_a_reader_that_quits_early(line: str, tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", {})
    script = "{wherry} " + line + " | true; exit ${PIPESTATUS[0]}"
    done = shell(script, home=tmp_path / "home", cwd=root)
    assert done.code in (0, 1, 141), (
        "data that nobody read is no error of 2 to 5, or was written before the reader went"
    )
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr
    slow = shell("{wherry} " + line + " | sleep 0", home=tmp_path / "home", cwd=root)
    assert "Traceback" not in slow.stderr


def shell(script: str, *, home: Path, cwd: Path, **environment: str) -> Done:
    words = ["bash", "-c", script.replace("{wherry}", " ".join(COMMAND))]
    done = subprocess.run(
        words, cwd=cwd, env=variables(home, **environment), capture_output=True, text=True, check=False
    )
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


SURROUNDINGS: dict[str, dict[str, str]] = {
    "C": {"LC_ALL": "C", "LANG": "C"},
    "POSIX": {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
    "no such locale": {"LC_ALL": "tlh_KX.UTF-8"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "40 columns": {"COLUMNS": "40"},
    "odd columns": {"COLUMNS": "-3", "LINES": "x"},
    "no colour": {"NO_COLOR": "1"},
    "dumb": {"TERM": "dumb"},
    "CI": {"CI": "true", "GITHUB_ACTIONS": "true"},
    "Kiritimati": {"TZ": "Pacific/Kiritimati"},
    "no such zone": {"TZ": "Mars/Olympus"},
    "huge environment": {f"JUNK_{number}": "x" * 1000 for number in range(200)},
    "other user name": {"USER": "nobody", "LOGNAME": "nobody"},
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository with names in many scripts, and the digest it gives in usual surroundings."""
    need("go", "git")
    folder = tmp_path_factory.mktemp("surroundings")
    files = {
        "wherry.toml": '[[image.assets]]\nfrom = "web"\ninto = "/srv"\n',
        "web/größe.txt": "groß",
        "web/猫.txt": "cat",
    }
    root = folder / "app"
    (root / "web").mkdir(parents=True)
    repository(root, files)
    done = wherry("build", "-q", "--no-cache", home=folder / "home", cwd=root)
    assert done.code == 0, done.stderr
    return root, done.stdout.strip()


@pytest.mark.parametrize("environment", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_h07_odd_surroundings_change_no_byte(environment: dict[str, str], usual: tuple[Path, str]) -> None:
    root, reference = usual
    done = wherry("build", "--no-cache", home=root.parent / "home", cwd=root, **environment)
    assert (done.code, done.stdout.strip()) == (0, reference), done.stderr


SHELL_SURROUNDINGS = {
    "no stdin": "exec {wherry} build -q --no-cache <&-",
    "umask": "umask 077; exec {wherry} build -q --no-cache",
    "open umask": "umask 0; exec {wherry} build -q --no-cache",
    "few descriptors": "ulimit -n 64; exec {wherry} build -q --no-cache",
    "long command line": "exec {wherry} build -q --no-cache $(printf -- '--pass-env N%s ' $(seq 5000))",
    "niced": "exec nice -n 10 {wherry} build -q --no-cache",
    "by a link": "ln -sfn $PWD ../link; cd ../link; exec {wherry} build -q --no-cache",
    "no HOME": "unset HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_CONFIG_HOME; exec {wherry} build -q --no-cache",
}


@pytest.mark.parametrize("script", SHELL_SURROUNDINGS.values(), ids=SHELL_SURROUNDINGS)
def test_h07_odd_processes_change_no_byte(script: str, usual: tuple[Path, str], tmp_path: Path) -> None:
    root, reference = usual
    folders = {"WHERRY_CACHE_DIR": f"{tmp_path}/cache", "WHERRY_DATA_DIR": f"{tmp_path}/data"}
    done = shell(script, home=root.parent / "home", cwd=root, **folders)
    assert (done.code, done.stdout.strip()) == (0, reference), done.stderr


def test_h07_a_home_that_may_not_be_written(usual: tuple[Path, str], tmp_path: Path) -> None:
    """Without a place for its cache wherry says which folder, and which variable names another; with one it builds."""
    need_root()
    root, reference = usual
    home = tmp_path / "home"
    home.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(home)], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        refusal = only(wherry("build", home=home, cwd=root), "disk", 4)
        assert refusal.rows("where") == [f"{home}/cache/wherry"]
        assert refusal.rows("next") == ["free space there, or export WHERRY_CACHE_DIR=/another/folder"]
        elsewhere = {"WHERRY_CACHE_DIR": f"{tmp_path}/cache", "WHERRY_DATA_DIR": f"{tmp_path}/data"}
        done = wherry("build", "-q", home=home, cwd=root, **elsewhere)
        assert (done.code, done.stdout.strip()) == (0, reference), done.stderr
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "POSIX"])
def test_h07_a_name_that_is_not_utf_8_is_refused_in_every_locale(locale: str, tmp_path: Path) -> None:
    need("go", "git")
    root = repository(tmp_path / "app", {"wherry.toml": '[[image.assets]]\nfrom = "web"\ninto = "/srv"\n', "web/a": ""})
    Path(os.fsdecode(os.fsencode(root / "web") + b"/latin-\xe9.txt")).write_text("not UTF-8")
    done = wherry("build", home=tmp_path / "home", cwd=root, LC_ALL=locale)
    assert "\\udce9" in only(done, "bad-path", 3).text


def test_h07_a_folder_on_path_that_may_not_be_read(tmp_path: Path) -> None:
    """As under sudo and su, whose PATH and HOME may still be another user's."""
    need("go", "git", "setpriv")
    need_root()
    need_open(Path(sys.executable).parent)
    (tmp_path / "secret").mkdir(mode=0o700)
    folder = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path("/tmp")
    path = f"{tmp_path}/secret:{os.environ['PATH']}"
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *COMMAND, "doctor"]
    for home in (tmp_path / "secret", folder):
        done = subprocess.run(
            words, cwd="/", env=variables(home, PATH=path), capture_output=True, text=True, check=False
        )
        assert "crash" not in done.stderr, done.stderr
        assert done.returncode in (0, 4)


def test_h07_the_folder_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f"mkdir {gone}; cd {gone}; rmdir {gone}; exec "
    done = shell(script + "{wherry} build", home=tmp_path, cwd=tmp_path)
    assert done.code in (2, 4)
    assert len(refusals(done.stderr)) == 1, done.stderr
