"""`wherry prove` as people and pipelines use it: exit status, policy, waivers, documents, files of tests, [run]."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import wherry as face
from tests.support import apps, looks, odd_apps
from tests.support.cli import Done, wherry
from tests.support.servers import free_port, need_root
from tests.support.tools import need
from wherry.store import place as places

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("prove")]

STATIC = "--only=shell,setuid,writable-files,secrets,sources,size"
STRUCTURE = """\
schemaVersion: 2.0.0
commandTests:
- {name: says hello, command: hello, expectedOutput: ['^hel+o$']}
- {name: says farewell, command: hello, expectedOutput: [farewell]}
- {name: shell, command: sh}
- {name: prepared, command: hello, setup: [[hello]]}
- {name: variable, command: hello, envVars: [{key: A, value: b}], exitCode: 0}
fileExistenceTests:
- {name: program, path: /app/hello, permissions: -r-xr-xr-x, uid: 0}
fileContentTests:
- {name: users, path: /etc/passwd, expectedContents: ['nonroot:x:65532']}
metadataTest: {user: '65532:65532', entrypoint: [/app/hello]}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("runc", "go")
    need_root()
    folder = tmp_path_factory.mktemp("prove")
    folder.chmod(0o755)
    apps.build(("good", "hello", "nosigterm", "slowstart"))
    return folder


@pytest.fixture
def repository(home: Path, tmp_path: Path) -> Path:
    """A folder to stand in, with a wherry.toml to be written."""
    (tmp_path / "go.mod").write_text("module example.com/x\n\ngo 1.24\n")
    return tmp_path


def prove(home: Path, *words: str, cwd: Path | None = None) -> Done:
    return wherry("prove", *words, home=home, cwd=cwd or home, WHERRY_RUN_DIR=str(home / "run"))


def test_what_passes_is_exit_status_0(home: Path) -> None:
    done = prove(home, apps.place("good"), STATIC)
    assert done.code == 0, done.stdout + done.stderr
    assert "5 passed, 1 not applicable in " in done.stdout
    assert looks.too_wide(done.stdout, 80) == []
    assert f"@{apps.made('good').built.digest}" in done.stdout.splitlines()[0]


def test_what_fails_is_exit_status_1_and_gives_no_secret_away(home: Path) -> None:
    report = home / "secret.xml"
    done = prove(home, apps.place("secret-env"), STATIC, "--json", f"--junit={report}")
    assert done.code == 1
    (row,) = (row for row in json.loads(done.stdout)["verdicts"] if row["outcome"] == "FAIL")
    assert (row["check"], row["where"]) == ("secrets", ["ENV DB_PASSWORD"])
    assert "not-a-real-one-4711" not in done.stdout + done.stderr + report.read_text()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 5),
        (("--set=prove.unknown=health",), 0),
        (("--set=prove.unknown=accept",), 0),
        (("--set=prove.unknown=ready",), 5),
        (("--skip=health",), 0),
        (("--strict",), 5),
    ],
)
def test_an_unknown_is_exit_status_5_unless_somebody_accepts_it(home: Path, words: tuple[str, ...], code: int) -> None:
    done = prove(home, apps.place("no-health"), "--only=start,health", *words)
    assert done.code == code, done.stdout + done.stderr


def test_waivers_hold_up_to_their_day(home: Path, repository: Path) -> None:
    waiver = '[[prove.waive]]\ncheck = "secrets"\nreason = "until PROJ-1"\nuntil = {day}\n'
    (repository / "wherry.toml").write_text(waiver.format(day="2999-12-31"))
    done = prove(home, apps.place("secret-env"), STATIC, cwd=repository)
    assert done.code == 0, done.stdout
    assert "accepted until 2999-12-31: until PROJ-1" in done.stdout
    (repository / "wherry.toml").write_text(waiver.format(day="2020-01-01"))
    done = prove(home, apps.place("secret-env"), STATIC, cwd=repository)
    assert done.code == 1
    assert "warning [waiver-ended]: secrets was accepted until 2020-01-01" in done.stderr
    done = prove(home, apps.place("good"), STATIC, cwd=repository)
    assert done.code == 0
    assert "note [waiver-unneeded]" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[prove]\nskip = ["drian"]\n', ("[no-check]", "did you mean drain?", "wherry.toml:2:9")),
        ('[[prove.waive]]\ncheck = "x"\nreason = "y"\nuntil = 2999-01-01\n', ("[no-check]", "wherry.toml:2:1")),
        ('[prove]\nstart = "soon"\n', ("[bad-setting]", "wherry.toml:2:1")),
        ('[prove]\nslow-rute = "/x"\n', ("[unknown-key]", "did you mean slow-route?")),
        ('[run]\nnetwork = "host"\n', ("[run-refused]", "wherry.toml:2:1")),
        ('[prove]\ntests = ["../outside.yaml"]\n', ("[run-refused]", "wherry.toml:2:10")),
        ('[prove]\ntests = ["missing.yaml"]\n', ("[structure-test]", "there is no file missing.yaml")),
    ],
)
def test_mistakes_of_the_file_have_their_line(home: Path, repository: Path, text: str, words: tuple[str, ...]) -> None:
    (repository / "wherry.toml").write_text(text)
    done = prove(home, apps.place("good"), "--only=sources", cwd=repository)
    assert (done.code, done.stdout) == (2, "")
    assert all(word in done.stderr for word in words), done.stderr


def test_a_link_does_not_lead_out_of_the_repository(home: Path, repository: Path) -> None:
    (repository / "data").symlink_to("/etc")
    (repository / "wherry.toml").write_text('[run]\nvolumes = ["./data:/data:ro"]\n')
    done = prove(home, apps.place("good"), "--only=start", cwd=repository)
    assert done.code == 2
    assert "through links neither" in done.stderr.replace("\n", " ")


def test_run_settings_hold(home: Path, repository: Path) -> None:
    (repository / "wherry.toml").write_text('[run]\nmemory = "64m"\ncpus = 1\nenv = { START_DELAY = "0s" }\n')
    done = prove(home, apps.place("good"), "--only=start", "--json", cwd=repository)
    limits = json.loads(done.stdout)["limits"]
    assert (done.code, limits["memory"], limits["cpus"]) == (0, 64 << 20, 1.0)
    done = prove(home, apps.place("good"), "--only=start", "--json", "--memory=128m", cwd=repository)
    assert json.loads(done.stdout)["limits"]["memory"] == 128 << 20


def test_a_mains_own_settings_hold_for_its_image_in_any_folder(home: Path, repository: Path) -> None:
    (repository / "wherry.toml").write_text('[main.good.run]\nmemory = "64m"\n[main.images.run]\nmemory = "32m"\n')
    place = places.parse(apps.place("good"))
    assert isinstance(place, places.LayoutPlace)
    Path(repository, "images").symlink_to(place.directory)
    done = json.loads(prove(home, f"oci:images:{place.tag}", "--only=start", "--json", cwd=repository).stdout)
    assert (done["limits"]["memory"], done["subject"].partition(":")[0]) == (64 << 20, "good")


def test_a_package_tells_where(home: Path) -> None:
    words = (
        "./cmd/nosigterm",
        "--only=drain",
        "--slow-route=/slow",
        "-C",
        str(apps.repository()),
        "--set=prove.tries=1",
    )
    report = home / "drain.sarif"
    done = prove(home, *words, f"--sarif={report}")
    assert done.code == 1, done.stderr
    assert "FAIL     drain  stopping lost 8 of 8 requests, in 1 of 1 tries" in done.stdout
    assert "  where  internal/service/service.go:" in done.stdout
    (result,) = json.loads(report.read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (apps.repository() / place["artifactLocation"]["uri"]).is_file()


def test_files_of_tests_are_checks(home: Path, repository: Path) -> None:
    (repository / "t.yaml").write_text(STRUCTURE)
    (repository / "wherry.toml").write_text('[prove]\ntests = ["t.yaml"]\n')
    junit = home / "tests.xml"
    words = (f"--test={repository}/t.yaml", f"--junit={junit}")
    done = prove(home, apps.place("hello"), "--only=sources", *words, cwd=repository)
    assert done.code == 0
    done = prove(home, apps.place("hello"), "--skip=user,memory", "--all", "--json", cwd=repository)
    rows = {row["check"]: row for row in json.loads(done.stdout)["verdicts"] if row["check"].startswith("test: ")}
    outcomes = {name.removeprefix("test: "): row["outcome"] for name, row in rows.items()}
    assert outcomes == {
        "says hello": "PASS", "says farewell": "FAIL", "shell": "FAIL", "prepared": "UNKNOWN", "variable": "PASS",
        "program": "PASS", "users": "PASS", "metadata": "PASS",
    }  # fmt: skip
    assert rows["test: says farewell"]["summary"].endswith("does not match 'farewell': hello")
    assert {case.get("name") for case in ET.parse(junit).iter("testcase")} == {"sources"}


def test_containers_of_tests_are_as_their_options_say(home: Path, tmp_path: Path) -> None:
    """Users by name, variables of this machine; a user that is not there is no fault of the command's."""
    rows = "- {name: NAME, command: sh, args: [-c, test -w /home/nonroot || echo other; set], expectedOutput: WORDS}\n"
    rows = rows.replace("WORDS", "['(?m)^other$', 'HANDED=.over.']")
    for user in ("nobody", "nobodyelse"):
        options = f"containerRunOptions: {{user: {user}, envVars: [HANDED]}}\n"
        text = f"schemaVersion: 2.0.0\n{options}commandTests:\n{rows.replace('NAME', user)}"
        (tmp_path / user).write_text(text)
    words = (f"--test={tmp_path}/nobody", f"--test={tmp_path}/nobodyelse", "--only=test: nobody", "--json")
    done = wherry(
        "prove", odd_apps.place("shell"), *words, "--only=test: nobodyelse",
        home=home, cwd=home, WHERRY_RUN_DIR=str(home / "run"), HANDED="over",
    )  # fmt: skip
    found = {row["check"]: (row["outcome"], row["summary"]) for row in json.loads(done.stdout)["verdicts"]}
    assert found == {
        "test: nobody": ("PASS", "sh ended with 0"),
        "test: nobodyelse": ("UNKNOWN", "the image knows no user 'nobodyelse' [bad-user]"),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only=sources", "--skip=sources"), "no check is left"),
        (("--only=arm64",), "no check is left"),
        (("--only=sources", "--only=test: says helo"), "no file has a test 'says helo'"),
    ],
)
def test_a_proof_of_nothing_is_no_pass(home: Path, repository: Path, words: tuple[str, ...], said: str) -> None:
    (repository / "t.yaml").write_text(STRUCTURE)
    (repository / "wherry.toml").write_text('[prove]\ntests = ["t.yaml"]\nskip = ["arm64"]\n')
    done = prove(home, apps.place("hello"), *words, cwd=repository)
    assert (done.code, done.stdout) == (2, "")
    assert "[no-check]" in done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("budget", "code", "said"),
    [("60s", 0, "PASS     start  healthy after "), ("4.5s", 1, "; the budget is 4.5 s")],
)
def test_who_is_slow_and_who_never_comes_are_told_apart(home: Path, budget: str, code: int, said: str) -> None:
    done = prove(
        home, apps.place("slowstart"), "--only=start", "-e", "START_DELAY=5s", "--set", f"prove.start={budget}"
    )
    assert (done.code, said in done.stdout) == (code, True), done.stdout
    assert float(re.findall(r" after ([0-9.]+) s", done.stdout)[0]) >= 5


def test_a_report_that_cannot_be_written_is_one_error(home: Path) -> None:
    done = prove(home, apps.place("good"), "--only=sources", f"--junit={home}/no/such/folder.xml")
    assert done.code in (2, 4)
    assert done.stdout == ""
    assert done.stderr.count("error [") == 1


def test_in_python(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUN", "CACHE", "DATA"):
        monkeypatch.setenv(f"WHERRY_{name}_DIR", str(home / f"python-{name.lower()}"))
    heard: list[str] = []
    proof = face.prove(
        apps.place("good"),
        directory=home,
        assignments=("prove.only=size,sources", "prove.size=1MB"),
        events=lambda event: heard.append(event.phase),
    )
    assert [(one.check, one.outcome) for one in proof.verdicts] == [("sources", "PASS"), ("size", "FAIL")]
    assert (proof.count("FAIL"), proof.digest[:7]) == (1, "sha256:")
    assert "look" in heard


class Well(http.server.BaseHTTPRequestHandler):
    """Answers everything well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def neighbour() -> Iterator[None]:
    """A program of this machine that answers where `good` is said to listen."""
    with contextlib.ExitStack() as held, contextlib.suppress(OSError):  # somebody else is there, and answers, too
        server = held.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Well))
        held.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        return
    yield


@pytest.mark.usefixtures("neighbour")
def test_nobody_elses_answers_count_in_this_machines_network(home: Path) -> None:
    words = ("--network", "host", "--slow-route", "/slow", "--only=start,health,drain", "--json")
    done = prove(home, apps.place("good"), *words, "--set=prove.start=5s", "-e", f"PORT={free_port()}")
    found = {one["check"]: one["outcome"] for one in json.loads(done.stdout)["verdicts"]}
    assert done.code == 1, done.stdout + done.stderr
    assert found["health"] == "FAIL"
    assert found["drain"] == "UNKNOWN"
