"""build.sh, run by bash with programs that write down how they were called: what it refuses, and what Docker gets."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.applications import API, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.looks import until_closed
from tests.support.programs import path_without
from tests.support.recorder import Recorder, recorder
from wherry.errors import UsageError
from wherry.generate.build_script import files
from wherry.generate.table import WRITERS
from wherry.model.application import Application
from wherry.model.file import Choice, File

CHOICE = Choice(what="build-script")
VERSION = (("wherry", "plan"), "1.4.0\n", 0)
IMAGE = "registry.example.com/shop/shop-api:1.4.0"
EVERY = ("docker", "wherry", "trivy")
Answers = tuple[tuple[tuple[str, ...], str, int], ...]


def written(folder: Path, *applications: Application) -> Path:
    (made,) = files(applications, CHOICE)
    assert made.executable
    (folder / "build.sh").write_text(made.text)
    (folder / "build.sh").chmod(0o755)
    for one in ("Dockerfile", "shop-api.Dockerfile", "jobs.Dockerfile", ".netrc"):
        (folder / one).write_text("")
    return folder


def committed(folder: Path) -> Path:
    """The same as a repository with a commit."""
    for words in (("init", "-q"), ("add", "build.sh"), ("commit", "-qm", "one")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def recorded(folder: Path, *names: str, answers: Answers = (VERSION,)) -> Recorder:
    return recorder(folder / "programs", *(names or EVERY), answers=answers)


def run(folder: Path, programs: Recorder, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "build.sh", *words],
        cwd="/",
        env=clean(folder, programs) | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def clean(folder: Path, programs: Recorder) -> dict[str, str]:
    path = f"{programs.folder}:{path_without('docker', 'wherry', 'trivy', 'grype')}"
    return {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def builds(programs: Recorder) -> list[tuple[str, ...]]:
    """What was built, scanned and pushed, without the questions about tools."""
    asked = (("docker", "version"), ("docker", "buildx", "version"), ("wherry", "plan"))
    return [one for one in programs.words() if not any(one[: len(start)] == start for start in asked)]


def shellcheck(path: Path) -> None:
    tool = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([tool, path], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (API, JOBS))], ids=["api", "jobs", "both"]
)
def test_golden_is_clean_for_shellcheck(name: str, applications: tuple[Application, ...], tmp_path: Path) -> None:
    same_as_golden(f"build-script-{name}", files(applications, CHOICE))
    shellcheck(written(tmp_path, *applications) / "build.sh")


def test_it_builds_then_scans_and_says_the_name_alone(tmp_path: Path) -> None:
    programs = recorded(written(tmp_path, API))
    done = run(tmp_path, programs)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{IMAGE}\n"
    build, scan = builds(programs)
    assert build[:4] == ("docker", "build", "--file", "Dockerfile")
    facts = {"VERSION=1.4.0", "REVISION=unknown", "SOURCE_DATE_EPOCH=0"}
    assert facts < set(build)
    assert build[-3:] == ("--tag", IMAGE, ".")
    assert scan == ("trivy", "image", "--exit-code", "1", "--severity", "HIGH,CRITICAL", IMAGE)
    assert {one.folder for one in programs.calls} == {str(tmp_path)}, "from wherever it is called"
    said = [line for line in done.stderr.splitlines() if line.startswith("[INFO] ")]
    assert said == [
        "[INFO] building shop-api 1.4.0 from Dockerfile",
        "[INFO] built shop-api",
        f"[INFO] scanning {IMAGE} with trivy",
    ]
    assert "\x1b" not in done.stderr, "no colours where nobody looks"


def test_colours_are_for_who_looks(tmp_path: Path) -> None:
    """On a terminal: green, yellow without a scanner, red; none where NO_COLOR asks for none."""
    programs = recorded(written(tmp_path, API), "docker", "wherry")
    for painted, environment in ((True, dict[str, str]()), (False, {"NO_COLOR": "1"})):
        for words, colours in ((tuple[str, ...](), {"32", "33", "0"}), (("--strange",), {"31", "0"})):
            reader, terminal = pty.openpty()
            command = (f"{tmp_path}/build.sh", *words)
            own = clean(tmp_path, programs) | environment
            subprocess.run(command, env=own, stdout=subprocess.DEVNULL, stderr=terminal, check=False)
            os.close(terminal)
            said = b"".join(until_closed(reader)).decode()
            os.close(reader)
            assert set(re.findall(r"\x1b\[(\d+)m", said)) == (colours if painted else set())
            assert ("\x1b[32m[INFO]\x1b[0m building shop-api" in said) == (painted and not words)


def test_the_context_is_the_root_unless_somebody_says_another(tmp_path: Path) -> None:
    programs = recorded(written(tmp_path, API))
    assert run(tmp_path, programs, BUILD_CONTEXT="a folder").returncode == 0
    assert builds(programs)[0][-1] == "a folder"


@pytest.mark.parametrize(("answer", "code"), [(0, 0), (1, 1)])
def test_without_trivy_grype_scans(answer: int, code: int, tmp_path: Path) -> None:
    answers = (VERSION, (("grype",), "", answer))
    programs = recorded(committed(written(tmp_path, API)), "docker", "wherry", "grype", answers=answers)
    assert run(tmp_path, programs, "--push").returncode == code
    build, scan, *push = builds(programs)
    assert (build[1], scan) == ("build", ("grype", "--fail-on", "high", IMAGE))
    assert push == ([] if code else [("docker", "push", IMAGE)])


def test_several_platforms_are_scanned_here_and_pushed_together(tmp_path: Path) -> None:
    programs = recorded(committed(written(tmp_path, API)))
    done = run(tmp_path, programs, "--platform", "linux/amd64,linux/arm64", "--push")
    assert done.returncode == 0, done.stderr
    build, scan, push = builds(programs)
    assert build[:2] == ("docker", "build")
    assert "--platform" not in build
    assert scan[0] == "trivy"
    assert push[:6] == ("docker", "buildx", "build", "--platform", "linux/amd64,linux/arm64", "--push")
    assert push[6:] == build[2:], "the same build"


def test_one_platform_is_pushed_as_it_was_scanned(tmp_path: Path) -> None:
    programs = recorded(committed(written(tmp_path, API)))
    names = ("reg.example/a:1", "127.0.0.1:5000/b:2")
    done = run(tmp_path, programs, "--push", "-t", names[0], "--tag", names[1], "--platform", "linux/arm64")
    assert done.returncode == 0, done.stderr
    build, scan, *pushes = builds(programs)
    assert build[:4] == ("docker", "build", "--platform", "linux/arm64")
    assert scan[-1] == names[0]
    assert pushes == [("docker", "push", name) for name in names]
    assert done.stdout.split() == list(names)


def test_a_cache_is_written_where_it_is_read_and_only_by_a_push(tmp_path: Path) -> None:
    programs = recorded(committed(written(tmp_path, API)))
    cache = "type=registry,ref=reg.example/a:cache"
    assert run(tmp_path, programs, "--cache", "reg.example/a:cache").returncode == 0
    read = builds(programs)[0]
    assert read[:4] == ("docker", "buildx", "build", "--load")
    assert read[read.index("--cache-from") + 1] == cache
    assert "--cache-to" not in read
    programs.forget()
    assert run(tmp_path, programs, "--cache", "reg.example/a:cache", "--push").returncode == 0
    both = builds(programs)[0]
    assert both[both.index("--cache-to") + 1] == f"{cache},mode=max,image-manifest=true"


def test_a_stage_is_built_and_neither_named_nor_scanned(tmp_path: Path) -> None:
    programs = recorded(committed(written(tmp_path, API)))
    assert run(tmp_path, programs, "--target", "test", "--no-cache").returncode == 0
    (build,) = builds(programs)
    assert build[-4:] == ("--no-cache", "--target", "test", ".")
    assert "--tag" not in build


REFUSED: tuple[tuple[tuple[str, ...], dict[str, str], int, str], ...] = (
    (("--tagg", "x"), {}, 2, "there is no option --tagg"),
    (("--tag",), {}, 2, "--tag needs a value"),
    (("--platform", ""), {}, 2, "--platform needs a value"),
    (("--platform", "linux/amd64,linux/arm64"), {}, 2, "several platforms need --push"),
    (("--target", "test", "--push"), {}, 2, "--target builds no image that could be pushed"),
    (("other",), {}, 2, "there is no other here, only shop-api jobs"),
    (("--tag", "a:1"), {}, 2, "one name for 2 images"),
    ((), {"IMAGE": "a"}, 2, "one name for 2 images"),
    (("--push", "jobs"), {}, 1, "jobs:1.4.0 names no registry"),
    (("--push", "jobs", "-t", "jobs.example:1"), {}, 1, "jobs.example:1 names no registry"),
    (("--push", "shop-api"), {"VERSION": "1.4.0+dirty"}, 1, "no commit describes these files"),
    (("jobs",), {"NETRC": "/nowhere"}, 1, "private modules need credentials, and there is no /nowhere"),
    ((), {"DOCKERFILE": "gone"}, 1, "there is no gone; `wherry generate dockerfile` writes one"),
    ((), {"SOURCE_DATE_EPOCH": "now"}, 1, "SOURCE_DATE_EPOCH is no number of seconds: now"),
    ((), {"SOURCE_DATE_EPOCH": "1;id"}, 1, "SOURCE_DATE_EPOCH is no number of seconds: 1;id"),
)


@pytest.mark.parametrize(("words", "environment", "code", "message"), REFUSED)
def test_refusals_say_what_and_build_nothing(
    words: tuple[str, ...], environment: dict[str, str], code: int, message: str, tmp_path: Path
) -> None:
    programs = recorded(written(tmp_path, API, JOBS))
    done = run(tmp_path, programs, *words, **environment)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"[ERROR] {message}"), done.stderr
    assert builds(programs) == []


@pytest.mark.parametrize(
    ("answers", "names", "message"),
    [
        ((), ("trivy",), "docker is not installed"),
        (((("docker", "version"), "", 1),), EVERY, "no Docker engine answers"),
        (((("docker", "buildx"), "", 1),), EVERY, "--cache and several platforms need Docker's buildx plugin"),
    ],
)
def test_missing_tools_are_named_before_anything_is_built(
    answers: Answers, names: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    programs = recorded(written(tmp_path, API), *names, answers=(*answers, VERSION))
    done = run(tmp_path, programs, "--cache", "reg.example/c")
    assert done.returncode == 1
    assert message in done.stderr
    assert not [one for one in programs.words() if "--file" in one]


@pytest.mark.parametrize("started", [False, True])
def test_what_is_in_no_commit_is_not_pushed_unless_forced(started: bool, tmp_path: Path) -> None:
    """Outside of git, and before the first commit; a version that somebody says is one."""
    programs = recorded(written(tmp_path, API), answers=((("wherry", "plan"), "latest\n", 0),))
    if started:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    above = {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    refused = run(tmp_path, programs, "--push", **above)
    assert (refused.returncode, builds(programs)) == (1, [])
    assert "no commit describes these files, so no version does: commit them first, or --force" in refused.stderr
    assert run(tmp_path, programs, "--push", VERSION="2.0.0", **above).returncode == 0
    assert run(tmp_path, programs, "--push", "--force", **above).returncode == 0


def test_what_a_scanner_refuses_is_not_pushed(tmp_path: Path) -> None:
    programs = recorded(committed(written(tmp_path, API)), answers=(VERSION, (("trivy",), "CVE-1\n", 1)))
    done = run(tmp_path, programs, "--push")
    assert done.returncode == 1
    assert "trivy did not pass" in done.stderr
    assert [one[1] for one in builds(programs)] == ["build", "image"]


def test_without_a_scanner_nothing_is_pushed_unless_said(tmp_path: Path) -> None:
    programs = recorded(committed(written(tmp_path, API)), "docker", "wherry")
    done = run(tmp_path, programs, "--push")
    assert done.returncode == 1
    assert "what nobody scanned is not pushed" in done.stderr
    assert [one[1] for one in builds(programs)] == ["build"]
    only_built = run(tmp_path, programs)
    assert only_built.returncode == 0
    assert "[WARN] not scanned" in only_built.stderr
    assert run(tmp_path, programs, "--push", "--no-scan").returncode == 0
    assert builds(programs)[-1] == ("docker", "push", IMAGE)


def test_a_failed_build_is_the_end(tmp_path: Path) -> None:
    programs = recorded(
        committed(written(tmp_path, API)), answers=(VERSION, (("docker", "build"), "words of Docker\n", 17))
    )
    done = run(tmp_path, programs, "--push")
    assert (done.returncode, done.stdout) == (17, "")
    assert len(builds(programs)) == 1


def hostile(text: str) -> Application:
    sources = msgspec.structs.replace(API.sources, directory=text)
    return msgspec.structs.replace(API, image=text, name=text, sources=sources)


def docker_gets_the_text(folder: Path, text: str) -> None:
    written(folder, hostile(text), JOBS)
    name = text.rpartition("/")[2]
    (folder / f"{name}.Dockerfile").write_text("")
    programs = recorded(folder)
    programs.forget()
    done = run(folder, programs, name)
    assert done.returncode == 0, done.stderr
    (build, _) = builds(programs)
    assert build[2:4] == ("--file", f"{name}.Dockerfile")
    assert build[-3:] == ("--tag", f"{text}:1.4.0", ".")


@pytest.mark.parametrize("text", [HOSTILE, "it's", "$(id)", "`id`", "\\", "a\nb", "*", "~"])
def test_docker_gets_texts_as_they_are(text: str, tmp_path: Path) -> None:
    docker_gets_the_text(tmp_path, text)


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_docker_gets_any_text_as_it_is(text: str, tmp_path: Path) -> None:
    if text in (".", "..") or text.startswith("-") or text == "jobs":
        return
    docker_gets_the_text(tmp_path, text)


def test_two_applications_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="would be called shop-api"):
        files((API, msgspec.structs.replace(API, name="team/shop-api")), CHOICE)


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_what_docker_is_told_is_what_the_dockerfile_asks_for(application: Application, tmp_path: Path) -> None:
    """SOURCE_DATE_EPOCH is BuildKit's own."""
    (dockerfile, *_) = written_by("dockerfile", application)
    asked = set(re.findall(r"^ARG ([A-Z_]+)", dockerfile.text, re.MULTILINE))
    programs = recorded(written(tmp_path, application))
    assert run(tmp_path, programs).returncode == 0
    build = builds(programs)[0]
    told = {word.partition("=")[0] for at, word in enumerate(build) if build[at - 1] == "--build-arg"}
    assert told == {"VERSION", "REVISION", "SOURCE_DATE_EPOCH"}
    assert told - asked <= {"SOURCE_DATE_EPOCH"}
    assert build[build.index("--file") + 1] == dockerfile.path
    secrets = set(re.findall(r"type=secret,id=([\w-]+)", dockerfile.text))
    assert {word for word in build if word.startswith("id=")} == {f"id={one},src={tmp_path}/.netrc" for one in secrets}


def written_by(what: str, application: Application) -> tuple[File, ...]:
    (row,) = (one for one in WRITERS if one.what == what)
    return row.write((application,), Choice(what=what, variant=row.variants[0]))
