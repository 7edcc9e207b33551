"""What is in the image of each variant, and texts and modules that no Dockerfile can hold."""

from __future__ import annotations

import posixpath
import re
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.applications import API, HOSTILE, JOBS, pins
from tests.support.generated_dockerfiles import building, copies, only, read, runs, text, with_runs, with_sources
from wherry.errors import UsageError
from wherry.formats.dockerwords import expand, pairs
from wherry.generate import shell
from wherry.generate.ci.checks import checks
from wherry.generate.dockerfile.files import files
from wherry.generate.shell import packages
from wherry.generate.tools import DELVE, GOVULNCHECK, pinned
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.plan import Asset, Health, WritableDirectory

STATIC = replace(JOBS, sources=replace(JOBS.sources, static=True, cgo=False))


@pytest.mark.parametrize("variant", ["distroless", "scratch", "hardened", "full"])
def test_a_check_by_a_program_that_is_not_there(variant: str) -> None:
    shell = with_runs(API, health=Health(command=("/bin/sh", "-c", "true")))
    with pytest.raises(UsageError, match="/bin/sh") as caught:
        text(shell, variant)
    assert caught.value.name == "shell-probe"
    assert "/bin/sh" in text(shell, "alpine")
    brought = replace(shell, assets=(Asset(source="tools/sh", into="/bin"),))
    assert "/bin/sh" in text(brought, variant)


def test_what_each_base_lacks() -> None:
    assert "COPY" not in [one.keyword for one in read(API) if "--from=files" in one.flags]
    assert "--from=files /out/etc/ssl/certs/ /etc/ssl/certs/" in copies(API, "debian")
    assert "--from=files /out/usr/share/ /usr/share/" in copies(API, "alpine")
    assert copies(API, "scratch")[0] == "--from=files /out/ /"
    made = next(one.text for one in runs(API, "scratch") if "install" in one.text)
    for word in ("ca-certificates.crt", "zoneinfo.zip", "install -d -m 1777 /out/tmp", "nonroot:x:65532:65532:"):
        assert word in made
    modest = with_runs(API, certificates=False, zones=False)
    assert "zoneinfo" in text(modest, "scratch"), "its libraries were not looked at"
    assert "ca-certificates" in text(with_sources(modest, module_files=("go.mod",), vendored=True), "debian")
    needless = with_sources(modest, module_files=("go.mod",))
    assert "ca-certificates" not in text(needless, "scratch") + text(needless, "debian")
    assert "zoneinfo" not in text(needless, "scratch") + text(needless, "alpine")


LISTS = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nother:x:10011:65533::/:/bin/sh\n",
    "group": "root:x:0:root\nother:x:65533:\n",
}


@pytest.mark.parametrize("variant", ["alpine", "debian", "single-stage", "dev", "distroless", "hardened", "full"])
def test_the_user_gets_a_line_beside_those_of_the_base(variant: str, tmp_path: Path) -> None:
    """Twice: who has the number already gets no second name."""
    made = with_runs(API, user=1001, group=1001, home=None)
    command = next(one.text for one in runs(made, variant) if "/etc/group" in one.text)
    added = " && ".join(re.findall(r"\{ grep [^}]+\}", command))
    for name, lines in LISTS.items():
        (tmp_path / name).write_text(lines)
    script = re.sub("(/out)?/etc/", f"{tmp_path}/", added)
    for _ in range(2):
        subprocess.run(["sh", "-ec", script], check=True)
        assert (tmp_path / "passwd").read_text() == LISTS["passwd"] + "app:x:1001:1001::/:/sbin/nologin\n"
        assert (tmp_path / "group").read_text() == LISTS["group"] + "app:x:1001:\n"


@pytest.mark.parametrize("variant", ["alpine", "debian", "distroless", "hardened", "full"])
def test_lists_are_the_bases_own_and_nothing_runs_in_it(variant: str) -> None:
    made = with_runs(API, user=1001, group=1001, home=None)
    rows = copies(made, variant)
    assert "--from=base /etc/passwd /etc/group /out/etc/" in rows
    assert "--from=files /out/etc/passwd /out/etc/group /etc/" in rows
    of_base = text(made, variant).partition("FROM ${BASE_IMAGE} AS base\n")[2]
    assert of_base.startswith("\n"), "a RUN would be emulated for another platform"


def test_nothing_is_added_for_whom_the_base_knows() -> None:
    assert "/etc/passwd" not in text(API, "distroless") + text(with_runs(API, user=0, group=0), "alpine")
    copied = [one for one in copies(with_runs(API, group=0), "alpine") if "/etc/" in one]
    assert copied == ["--from=base /etc/passwd /out/etc/", "--from=files /out/etc/passwd /etc/"]


@pytest.mark.parametrize("variant", ["scratch", "alpine", "debian", "single-stage"])
def test_the_home_is_the_plans(variant: str) -> None:
    """On such an image.base there is none: not in images of `wherry build`, and no file mounts one."""
    at_home, homeless = text(API, variant), text(with_runs(API, home=None), variant)
    assert "nonroot:x:65532:65532::/home/nonroot:" in at_home
    assert "install -d -m 0700 -o 65532 -g 65532 " in at_home
    assert "nonroot:x:65532:65532::/:" in homeless
    assert "/home" not in homeless


def test_folders_of_the_user_come_from_the_folder_above() -> None:
    assert [one for one in copies(JOBS) if "--from=files" in one] == [
        "--from=files /top/ /",
        "--from=files /out/var/cache/ /var/cache/",
        "--from=files /out/etc/passwd /etc/",
    ]
    made = next(one.text for one in runs(JOBS) if "install" in one.text)
    assert "install -d -m 0755 -o 1001 -g 0 /top/data" in made
    assert "install -d -m 0750 -o 1001 -g 0 /out/var/cache/jobs" in made


def test_a_folder_below_another_of_the_users_comes_along() -> None:
    folders = (WritableDirectory(path="/data/in/deep"), WritableDirectory(path="/var/lib/x/y"))
    application = with_runs(JOBS, writable=folders, volumes=("/data", "/var/lib/x"))
    assert [one for one in copies(application) if "--from=files" in one] == [
        "--from=files /top/ /",
        "--from=files /out/var/lib/ /var/lib/",
        "--from=files /out/etc/passwd /etc/",
    ]
    made = next(one.text for one in runs(application) if "install" in one.text)
    assert " /top/data/in/deep" in made
    assert " /out/var/lib/x/y" in made


def test_assets() -> None:
    assets = (
        Asset(source="web", into="/srv/web"),
        Asset(source="a[1] b.txt", into="/srv"),
        Asset(source="conf", into="/etc/app", mode=0o440, include=("*.toml",), exclude=("secret*",)),
    )
    tracked = ("conf/a.toml", "conf/secret.toml", "conf/x/b.toml", "conf/x/c.txt")
    found = copies(replace(with_sources(API, tracked=tracked), assets=assets))
    assert "web /srv/web/" in found
    assert "a[[]1] b.txt /srv/" in found
    assert "--chmod=0440 conf/a.toml /etc/app/" in found
    assert "--chmod=0440 conf/x/b.toml /etc/app/x/" in found
    with pytest.raises(UsageError, match="conf") as caught:
        text(replace(API, assets=(Asset(source="conf", into="/x", exclude=("*",)),)))
    assert caught.value.name == "asset-empty"


def test_the_program_that_needs_a_c_library() -> None:
    bases = {variant: only(JOBS, "FROM", variant).text for variant in ("distroless", "alpine", "debian")}
    assert bases["distroless"] == "${BASE_IMAGE} AS final"
    assert "BASE_IMAGE=gcr.io/distroless/base-debian13:nonroot@" in text(JOBS)
    assert "GO_IMAGE=golang:1.25.11-alpine@" in text(JOBS, "alpine")
    assert "apk add --no-cache gcc git musl-dev" in text(JOBS, "alpine")
    assert "GO_IMAGE=golang:1.25.11-trixie@" in text(JOBS, "debian")
    with pytest.raises(UsageError, match="scratch has none") as caught:
        text(JOBS, "scratch")
    assert caught.value.name == "base-libc"
    assert "-alpine@" not in text(STATIC, "alpine"), "a static program needs no musl"


def test_hardened_is_position_independent_and_still_static() -> None:
    command = building(API, "hardened").text
    assert "-buildmode=pie -tags=netgo,osusergo" in command
    assert "-linkmode=external -extldflags=-static-pie" in command
    environment = dict(pairs(next(one.text for one in read(API, "hardened") if one.keyword == "ENV")))
    assert environment["CGO_ENABLED"] == "1"
    dynamic = building(JOBS, "hardened").text
    assert "-buildmode=pie -tags=netgo " in dynamic
    assert "static-pie" not in dynamic


def test_an_init_only_where_the_program_starts_others() -> None:
    assert "init" not in text(API, "hardened")
    assert only(JOBS, "ENTRYPOINT", "hardened").words == ("/wherry/init", "/app/jobs")
    assert only(JOBS, "ENTRYPOINT").words == ("/app/jobs",)


def test_every_gate_is_on_the_way_to_the_image() -> None:
    reached, waiting = set(), ["final"]
    needs: dict[str, list[str]] = {}
    for one in read(API, "full"):
        if one.keyword == "FROM":
            base, _, name = one.text.split()
            needs[name] = [base]
        elif needs:
            needs[[*needs][-1]] += one.flag("from")
    while waiting:
        stage = waiting.pop()
        reached.add(stage)
        waiting += [other for other in needs.get(stage, []) if other not in reached]
    assert {"vet", "test", "vuln", "build", "deps", "checked"} <= reached


def searched(application: Application) -> str:
    """The words of govulncheck."""
    return " ".join(next(one.text for one in runs(application, "full") if "govulncheck" in one.text).split())


def test_gates() -> None:
    commands = {
        name: one.text for one in runs(API, "full") for name in ("go vet", "go test", "govulncheck") if name in one.text
    }
    assert commands["go vet"] == "go vet ./... && touch /passed"
    assert "CGO_ENABLED=1 go test -race -cover -coverprofile=/coverage.out ./... &&" in commands["go test"]
    assert re.search(
        r'go run golang\.org/x/vuln/cmd/govulncheck@v[\d.]+ -db="\$GOVULNDB" \./cmd/api', commands["govulncheck"]
    )
    assert "go vet -tags=netgo work && touch /passed" in [one.text for one in runs(JOBS, "full")]
    assert "-tags=netgo . ./cmd/jobctl " in searched(JOBS)
    from_above = replace(JOBS, sources=replace(JOBS.sources, directory="."))
    assert "-C services/jobs example.com/jobs " in searched(from_above), "where its go.mod is"
    assert "||" not in "".join(commands.values()), "nothing makes a failure good"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"workspace": ""}, ("./...",)),
        ({"go": "1.24.2"}, ("./...",)),
        ({"go": "1.24.2", "directory": "."}, ("./services/jobs/...",)),
        ({"go": "1.24.2", "directory": "lib"}, ("../services/jobs/...",)),
    ],
)
def test_the_packages_of_a_workspace(changed: dict[str, str], expected: tuple[str, ...]) -> None:
    """`./...` is an error where a workspace's folder is no module."""
    where = str(posixpath.relpath("services/jobs", changed.get("directory", "services/jobs")))
    programs = tuple(replace(one, package=f"{where}/{one.package}") for one in JOBS.programs)
    assert packages(replace(with_sources(JOBS, **changed), programs=programs)) == expected


@pytest.mark.parametrize(("go", "words"), [("1.26.8", "work"), ("1.24.2", "./...")])
def test_govulncheck_starts_beside_a_go_mod(go: str, words: str) -> None:
    """Makefiles and CI say it too, from the workspace's folder."""
    assert shell.searched(JOBS) == shell.checked(JOBS)
    programs = tuple(replace(one, package=f"./services/jobs/{one.package}") for one in JOBS.programs)
    from_above = replace(with_sources(JOBS, go=go, directory="."), programs=programs)
    assert shell.searched(from_above) == f"-C services/jobs -tags=netgo {words}"
    assert f"govulncheck@{pinned(GOVULNCHECK, go).partition('@')[2]} {shell.searched(from_above)}" in [
        one.command.removeprefix("go run golang.org/x/vuln/cmd/") for one in checks(from_above)
    ]


def test_dev_starts_a_debugger_as_the_user() -> None:
    words = only(JOBS, "ENTRYPOINT", "dev").words
    assert words
    assert words[:2] == ("dlv", "debug")
    assert words[-3:] == (".", "--", "--verbose")
    assert "--listen=:2345" in words
    assert "--build-flags=-buildvcs=false -tags=netgo" in words
    assert "--chown=1001:0 . /src/" in copies(JOBS, "dev")
    assert only(JOBS, "USER", "dev").text == "1001:0"
    assert "2345/tcp" in only(JOBS, "EXPOSE", "dev").text
    assert "type=secret,id=netrc,target=/tmp/.netrc,uid=1001" in text(JOBS, "dev")
    assert (pinned(DELVE, "1.24.2"), pinned(DELVE, "1.26.8")) == (
        "github.com/go-delve/delve/cmd/dlv@v1.26.0",
        "github.com/go-delve/delve/cmd/dlv@v1.27.2",
    )


def test_dev_says_nothing_that_is_meant_for_servers() -> None:
    gin = with_runs(API, environment=(("A", "1"), ("GIN_MODE", "release")), debugging=(("GIN_MODE", "debug"),))
    assert "GIN_MODE=release" in text(gin, "debian")
    assert "GIN_MODE" not in text(gin, "dev")
    assert "A=1" in text(gin, "dev")


def test_dev_of_an_entrypoint_with_arguments() -> None:
    application = replace(JOBS, entrypoint=("/app/jobctl", "serve"))
    words = only(application, "ENTRYPOINT", "dev").words
    assert words
    assert words[-4:] == ("./cmd/jobctl", "--", "serve", "--verbose")
    assert "--output=/tmp/jobctl" in words


def test_single_stage_has_one_stage_for_the_program() -> None:
    stages = [one.text.split()[2] for one in read(JOBS, "single-stage") if one.keyword == "FROM"]
    assert stages == ["final"]
    assert "-o /app/jobs" in building(JOBS, "single-stage").text
    assert "install -d -m 0755 -o 1001 -g 0 /data" in text(JOBS, "single-stage")


def test_the_syntax_line_only_when_asked() -> None:
    assert "syntax" not in text(API)
    assert text(API, "", "syntax").startswith("# syntax=docker/dockerfile:1\n")


def test_without_a_digest_the_tag_stays() -> None:
    bare = tuple(replace(pin, digest="") for pin in pins())
    assert "ARG GO_IMAGE=golang:1.26.8-trixie\n" in text(replace(API, pins=bare))


def test_root_is_argued() -> None:
    root = with_runs(API, user=0, group=0)
    assert only(root, "USER").comments[-1] == "# hadolint ignore=DL3002"
    assert "root:x:0:0:" in text(root, "scratch")


def test_files_lie_beside_wherry_toml_and_the_context_is_the_root() -> None:
    paths = [one.path for one in files((API, JOBS), Choice(what="dockerfile"))]
    assert paths == ["shop-api.Dockerfile", "jobs.Dockerfile"]
    assert files((JOBS,), Choice(what="dockerfile", variant="dev"))[0].path == "dev.Dockerfile"
    assert "docker build -f services/jobs/Dockerfile " in text(JOBS)


@pytest.mark.parametrize(
    ("application", "where"),
    [
        (with_runs(API, environment=(("A", HOSTILE),)), "image.env.A"),
        (replace(API, labels=(("team", HOSTILE),)), "image.labels.team"),
        (replace(API, labels=(("te=am", "x"),)), "image.labels"),
        (replace(API, working_directory=f"/{HOSTILE}"), "image.workdir"),
        (with_runs(API, volumes=("/data ",)), "image.volumes"),
        (with_sources(API, module_files=("é/go.mod", "go.sum")), "the path of a go.mod"),
        (with_sources(API, flags=(f"-tags={HOSTILE}",)), "build.flags"),
    ],
)
def test_what_no_instruction_can_hold(application: Application, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        text(application)
    assert caught.value.name == "bad-text"
    assert where in " ".join((caught.value.message, *caught.value.where))


def test_what_the_exec_form_holds() -> None:
    application = replace(API, arguments=(HOSTILE,), entrypoint=("/app/api", HOSTILE))
    assert only(application, "CMD").words == (HOSTILE,)
    assert only(application, "ENTRYPOINT").words == ("/app/api", HOSTILE)


def test_modules_outside_of_the_repository() -> None:
    with pytest.raises(UsageError, match="outside of the repository") as caught:
        text(with_sources(API, replaced_outside=("../lib",)))
    assert caught.value.name == "outside-sources"
    assert caught.value.where == ("../lib",)


def test_a_shell_reads_hostile_words_as_words() -> None:
    nasty = "".join(sign for sign in HOSTILE if sign >= " ")
    program = replace(API.programs[0], package=f"./{nasty}", linker_flags=('-X=main.a=$(id)`id`"',), stamps=())
    command = building(replace(API, programs=(program,))).text
    show = "show() { printf '%s\\n' \"$@\"; }; "
    script = show + command[command.index("go build") :].replace("go build", "show", 1)
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=True, env={"VERSION": "1"})
    assert done.stdout.rstrip("\n").split("\n") == [
        "-trimpath",
        "-buildvcs=true",
        '-ldflags=-X=main.a=$(id)`id`"',
        "-o",
        "/out/app/api",
        f"./{nasty}",
    ]


def test_the_environment_of_go() -> None:
    environment = dict(pairs(next(one.text for one in read(JOBS) if one.keyword == "ENV")))
    assert {name: expand(value) for name, value in environment.items()} == {
        "CGO_ENABLED": "1",
        "GOTOOLCHAIN": "local",
        "GOWORK": "/src/go.work",
    }
    assert only(JOBS, "WORKDIR").text == "/srv"
    assert next(one.text for one in read(JOBS) if one.keyword == "WORKDIR") == "/src/services/jobs"
