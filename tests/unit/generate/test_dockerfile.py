"""Dockerfiles, read back: hadolint and BuildKit have nothing to say about them, and the program is that of wherry build."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from tests.support.buildkit_parser import checked
from tests.support.generated import same_as_golden
from tests.support.generated_dockerfiles import building, only, read, runs, text, with_runs, with_sources
from tests.support.tools import need
from wherry.generate.dockerfile.files import files
from wherry.generate.dockerfile.variants import NAMES
from wherry.model.application import Application, Program, Stamp
from wherry.model.file import Choice
from wherry.model.plan import Health
from wherry.oci.platform import parse as platform
from wherry.probe.elf import init_elf, probe_elf

STATIC = replace(JOBS, sources=replace(JOBS.sources, static=True, cgo=False))
CASES = [
    *((variant, API) for variant in NAMES),
    *((variant, JOBS) for variant in NAMES if variant != "scratch"),
    ("scratch", STATIC),
]
IDS = [f"{variant}-{one.name}" for variant, one in CASES]


@pytest.mark.parametrize(("variant", "application"), CASES, ids=IDS)
def test_golden(variant: str, application: Application) -> None:
    made = files((application,), Choice(what="dockerfile", variant=variant))
    same_as_golden(f"dockerfile-{variant}-{application.name}", made)


def test_golden_of_several() -> None:
    same_as_golden("dockerfile-distroless-both", files((API, JOBS), Choice(what="dockerfile", variant="distroless")))


@pytest.mark.parametrize(("variant", "application"), CASES, ids=IDS)
def test_hadolint_has_nothing_to_say(variant: str, application: Application, tmp_path: Path) -> None:
    locked = Path(sys.executable).with_name("hadolint")
    if not locked.exists():
        need("hadolint")
    program = locked if locked.exists() else "hadolint"
    file = tmp_path / "Dockerfile"
    file.write_text(text(application, variant))
    done = subprocess.run([str(program), "--no-color", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("variant", "application"), CASES, ids=IDS)
def test_buildkit_checks_it_and_has_nothing_to_say(variant: str, application: Application) -> None:
    assert checked(text(application, variant)) == []


def test_what_buildkit_would_say() -> None:
    bad = "FROM a\nENV MY_TOKEN=x\nLABEL a=$b\nCMD x\nCMD y\n"
    rules = {one.partition(":")[0] for one in checked(bad)}
    assert {"SecretsUsedInArgOrEnv", "UndefinedVar", "JSONArgsRecommended", "MultipleInstructionsDisallowed"} <= rules


@pytest.mark.parametrize(("variant", "application"), CASES, ids=IDS)
def test_an_ignored_rule_has_its_reason_above(variant: str, application: Application) -> None:
    for one in read(application, variant):
        for number, line in enumerate(one.comments):
            if line.startswith("# hadolint"):
                assert number
                assert not one.comments[number - 1].startswith("# hadolint"), one.comments


def test_the_words_of_go_build_are_the_plans_in_their_order() -> None:
    program = Program(
        name="api",
        package="./cmd/api",
        import_path="example.com/shop/cmd/api",
        linker_flags=("-w", "-X=main.fixed=a b", "-s"),
        stamps=(
            Stamp(variable="main.when", meaning="date", at=3),
            Stamp(variable="main.version", at=1),
            Stamp(variable="main.commit", meaning="revision", at=4),
        ),
    )
    command = building(replace(API, programs=(program,)))
    assert "go build -trimpath -buildvcs=true " in command.text
    wanted = (
        "-ldflags=\"-w '-X=main.version=$VERSION' '-X=main.fixed=a b' '-X=main.when=$CREATED' "
        "'-X=main.commit=$REVISION' -s\""
    )
    assert wanted in command.text
    arguments = [one.text for one in read(replace(API, programs=(program,)), "full") if one.keyword == "ARG"]
    assert "SOURCE_DATE_EPOCH=0" in arguments


def test_each_program_is_compiled_with_its_own_words() -> None:
    command = building(JOBS).text
    assert 'go build -trimpath -buildvcs=true -tags=netgo -ldflags="-s -w" -o /out/app/jobs .' in command
    assert "go build -trimpath -buildvcs=true -tags=netgo -o /out/app/jobctl ./cmd/jobctl" in command


def test_a_version_changes_nothing_that_is_downloaded() -> None:
    rows = read(API)
    download = next(number for number, one in enumerate(rows) if "go mod download" in one.text)
    version = [number for number, one in enumerate(rows) if one.keyword == "ARG" and one.text.startswith("VERSION")]
    assert min(version) > download
    assert len(version) == 2, "in the stage that compiles and, for the label, in the last"


def test_the_version_is_an_argument_only_where_it_is_stamped() -> None:
    stages = [one.text for one in read(JOBS) if one.keyword == "ARG" and one.text.startswith("VERSION")]
    assert stages == ["VERSION=dev"], "for the label alone"
    assert 'version="$VERSION"' in only(JOBS, "LABEL").text


def test_modules_are_bound_one_by_one_and_the_sources_as_a_whole() -> None:
    download, compile_ = (one for one in runs(JOBS) if "go " in one.text)
    bound = [one for one in download.flag("mount") if one.startswith("type=bind")]
    names = ("go.work", "lib/go.mod", "services/jobs/go.mod", "services/jobs/go.sum")
    assert bound == [f"type=bind,source={name},target=/src/{name}" for name in names]
    for one in (download, compile_):
        assert "type=cache,target=/go/pkg/mod" in one.flag("mount")
        assert "type=secret,id=netrc,target=/root/.netrc" in one.flag("mount")
    assert "type=cache,target=/root/.cache/go-build" in compile_.flag("mount")
    assert "type=bind,target=/src" in compile_.flag("mount")


def test_without_modules_nothing_is_downloaded() -> None:
    assert not [one for one in runs(with_sources(API, module_files=("go.mod",))) if "download" in one.text]


def test_vendored_modules_are_not_downloaded() -> None:
    application = with_sources(API, vendored=True)
    assert not [one for one in runs(application) if "download" in one.text]
    assert "go build -trimpath -buildvcs=true -mod=vendor " in building(application).text
    assert "type=cache,target=/go/pkg/mod" not in building(application).flag("mount")
    said = with_sources(application, flags=(*API.sources.flags, "-mod=mod"))
    assert "-mod=vendor" not in building(said).text


def test_go_stands_on_the_builders_platform_unless_c_is_compiled() -> None:
    assert [one.flags for one in read(API) if one.keyword == "FROM" and "AS build" in one.text] == [
        ("--platform=$BUILDPLATFORM",)
    ]
    assert 'GOOS="$TARGETOS" GOARCH="$TARGETARCH"' in building(API).text
    (start,) = [one for one in read(JOBS) if one.keyword == "FROM" and "AS build" in one.text]
    assert start.flags == ()
    assert "GOOS" not in building(JOBS).text


def test_versions_of_architectures() -> None:
    assert "arm/?*" in building(API).text
    assert "riscv64/?*" not in building(API).text
    wide = replace(API, platforms=(platform("linux/riscv64/rva22u64"),))
    assert 'riscv64/?*) export GORISCV64="$TARGETVARIANT"' in building(wide).text


@pytest.mark.parametrize(
    ("target", "expected"),
    [("arm/v6", "6"), ("arm/v7", "7"), ("amd64/v3", "v3"), ("amd64/", ""), ("arm64/v8", "")],
)
def test_the_shell_chooses_go_variables(target: str, expected: str) -> None:
    """A GOAMD64 of v7 would end every build of arm/v7: Go checks variables of all architectures."""
    architecture, _, variant = target.partition("/")
    script = re.search(r"case .* esac", building(API).text)
    assert script
    line = f'{script[0]}; echo "${{GOARM-}}${{GOAMD64-}}"'
    environment = {"TARGETARCH": architecture, "TARGETVARIANT": variant}
    done = subprocess.run(["sh", "-ec", line], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_shell_writes_the_probe_and_the_init(architecture: str, tmp_path: Path) -> None:
    both = with_runs(API, children=True)
    codes = {"probe": probe_elf(architecture), "init": init_elf(architecture)}
    for one in runs(both, "hardened"):
        name = next((name for name in codes if f">/out/{name}" in one.text), "")
        if name:
            script = one.text.replace("/tmp/", f"{tmp_path}/text-").replace("/out", f"{tmp_path}/out")
            subprocess.run(["sh", "-ec", script], env={"TARGETARCH": architecture, "PATH": "/usr/bin:/bin"}, check=True)
            assert (tmp_path / "out" / name).read_bytes() == codes.pop(name)
    assert codes == {}


def test_without_a_probe_for_it_there_is_no_image() -> None:
    (command,) = [one for one in runs(API) if "base64" in one.text]
    done = subprocess.run(["sh", "-ec", command.text], env={"TARGETARCH": "s390x"}, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"no probe for s390x" in done.stderr


def test_no_text_of_the_probe_but_the_probe() -> None:
    (command,) = [one for one in runs(API) if "base64" in one.text]
    found = re.findall(r"printf %s ([A-Za-z0-9+/= ]+) ;;", command.text)
    assert [base64.b64decode(one.replace(" ", "")) for one in found] == [probe_elf("amd64"), probe_elf("arm64")]


def test_health() -> None:
    check = only(API, "HEALTHCHECK")
    assert check.flags == ("--interval=30s", "--timeout=3s", "--start-period=5s", "--retries=3")
    assert check.text == 'CMD ["/wherry/probe", "8080", "/healthz", "2"]'
    assert not [one for one in read(JOBS) if one.keyword == "HEALTHCHECK"]
    own = with_runs(API, health=Health(command=("/app/api", "check me"), interval=1.5, timeout=0.25))
    assert only(own, "HEALTHCHECK").text == 'CMD ["/app/api", "check me"]'
    assert only(own, "HEALTHCHECK").flags[:2] == ("--interval=1.5s", "--timeout=0.25s")
    assert "base64" not in text(own)
