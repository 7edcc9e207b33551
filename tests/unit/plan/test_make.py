"""The whole plan: all mistakes at once, decisions that fit a line, and names that somebody explains."""

import msgspec
import pytest

from tests.support.planning import SQLITE, VCS, decision, findings, inferred, main, plan, project, refused, toolchain
from wherry.errors import Several
from wherry.model.finding import Finding
from wherry.model.plan import Decision, Plan
from wherry.model.project import Main, ModuleVersion

EVERYTHING = """
platforms = ["linux/amd64", "linux/arm64/v9.0"]
[build]
tags = ["netgo"]
ldflags = ["-X main.commit={git.commit}"]
strip = "all"
flags = ["-cover"]
pgo = "cpu.pprof"
experiment = ["jsonv2"]
fips140 = "latest"
private = ["git.example.com/team"]
env = { GOGC = 400 }
[image]
name = "team/{name}"
base = "gcr.io/distroless/static-debian12"
binaries = ["./cmd/migrate"]
user = "1000:1000"
env = { LOG = "info" }
labels = { team = "core" }
annotations = { "com.example.a" = "b" }
entrypoint = ["api", "serve"]
args = ["-v"]
workdir = "/srv"
ports = [8080]
volumes = ["/data"]
writable = ["/var/cache"]
stop-signal = "SIGQUIT"
compression = "zstd"
[[image.assets]]
from = "web"
into = "/srv/web"
[image.health]
path = "/healthz"
"""


def everything() -> Plan:
    mains = (main(inferred=inferred(("version-variable", "main.version", "found"))), main("migrate"))
    return plan(
        EVERYTHING, project=project(*mains), packages=("./cmd/api",), references=("reg.example/{name}:{version}",)
    )


def all_decisions() -> tuple[Decision, ...]:
    plans = (
        everything(),
        plan(),
        plan(project=project(main(cgo=SQLITE))),
        plan(toolchain=toolchain(GOFLAGS="-mod=mod")),
    )
    return tuple(
        one for made in plans for one in (*made.decisions, *(each for image in made.images for each in image.decisions))
    )


def test_each_setting_becomes_a_decision_with_its_line() -> None:
    made = everything()
    lines = {
        one.place.line
        for one in (*made.decisions, *made.images[0].decisions)
        if one.place and one.place.file == "wherry.toml"
    }
    tables = {
        number for number, line in enumerate(EVERYTHING.split("\n"), 1) if line.startswith(("[build]", "[image]"))
    }
    joined = {
        number for number, line in enumerate(EVERYTHING.split("\n"), 1) if line.startswith(("from", "into", "path"))
    }
    assert lines == set(range(2, EVERYTHING.count("\n") + 1)) - tables - joined


def test_decisions_fit_a_line_of_a_terminal() -> None:
    for one in all_decisions():
        assert one.value, one
        assert one.reason, one
        assert len(one.reason) <= 60, one
        assert one.origin != "default" or len(one.value) <= 40, one


def test_mistakes_of_different_decisions_are_told_together_and_once() -> None:
    toml = (
        '[image]\nuser = "bob"\nports = [0, 1, 70000]\nworkdir = "x"\n[build]\ntags = ["-"]\nflags = ["-toolexec=x"]\n'
    )
    with pytest.raises(Several) as caught:
        plan(toml, project=project(main(), main("worker")), packages=("./...",), references=("Bad",))
    names = [one.name for one in caught.value.errors]
    assert sorted(names) == [
        "bad-reference",
        "bad-setting",
        "bad-setting",
        "bad-setting",
        "bad-setting",
        "flag-refused",
        "user-name",
    ]
    assert len({one.message for one in caught.value.errors}) == len(names)


def test_decisions_about_compiling_that_all_share_stand_once() -> None:
    made = plan("[main.worker.build]\nstrip = 'all'\n", project=project(main(), main("worker")), packages=("./...",))
    assert decision(made, "cgo").value == "off"
    assert "strip" not in {one.name for one in made.decisions}
    assert [one.value for image in made.images for one in image.decisions if one.name == "strip"] == [
        "debug data left out",
        "symbols and debug data left out",
    ]


def test_the_projects_own_findings_are_in_the_plan() -> None:
    note = Finding(name="dirty-tree", message="from analysis")
    assert note in plan(project=project(findings=(note,))).findings


BY_FOLDER = 'name it by its folder, like [main."./cmd/api"]'
SOME_PLATFORMS = "use for instance linux/amd64, linux/arm64 or linux/arm/v7"


@pytest.mark.parametrize(
    ("toml", "message", "step"),
    [
        ("platforms = []", "platforms is empty", "leave it out"),
        ("packages = []", "packages is empty", "leave it out"),
        ('[image]\nbase = ""', "image.base is empty", "leave it out"),
        (
            '[[prove.waive]]\ncheck = "shell"\nuntil = 2027-01-01\nreason = "  "',
            "prove.waive[0].reason is empty",
            "say why, for who reads the report",
        ),
        ('[image]\nentrypoint = "api serve"', "image.entrypoint must be a list of texts", 'entrypoint = ["api", "serve"]'),
        ('[build]\ntags = "a b"', "build.tags must be a list of texts", 'tags = ["a", "b"]'),
        ('[build]\nldflags = "-s -w"', "build.ldflags must be a list of texts", 'ldflags = ["-s -w"]'),
        ('[image]\nenv = ["A=1"]', "image.env must be a table", 'env = { NAME = "value" }'),
        ('[build]\ncgo = "yes"', "build.cgo must be true or false", "cgo = true"),
        ("[main.x]\nbuild = {}", "[main.x] names no program of this repository", BY_FOLDER),
        ('platforms = ["linux"]', "'linux' is no platform that wherry builds for", SOME_PLATFORMS),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_answered_with_a_right_one(toml: str, message: str, step: str) -> None:
    error = refused(f"{toml}\n")
    assert (error.message, error.next) == (message, (step,))


def test_each_image_has_the_version_of_its_own_module() -> None:
    versions = (
        ModuleVersion(module="example.com/a", tag="a/v1.2.3", version="1.2.3"),
        ModuleVersion(module="example.com/b", tag="b/v3.0.0", version="3.0.0+dirty"),
    )
    facts = inferred(("version-variable", "main.version", "found"))
    mains = tuple(
        Main(import_path=f"example.com/{name}", name=name, module=f"example.com/{name}", directory=name, inferred=facts)
        for name in "ab"
    )
    vcs = msgspec.structs.replace(VCS, dirty=True, changed_files=1, modules=versions)
    toml = '[image.env]\nTAG = "{git.tag}"\n[main.a.image]\nbinaries = ["b"]\n'
    made = plan(toml, project=project(*mains, vcs=vcs), packages=("./...",), references=("x/{name}:{version}",))
    first, second = made.images
    assert [(one.version, one.references, dict(one.environment)["TAG"]) for one in made.images] == [
        ("1.2.3", ("x/a:1.2.3",), "a/v1.2.3"),
        ("3.0.0-dirty", ("x/b:3.0.0-dirty",), "b/v3.0.0"),
    ]
    assert [dict(one.labels)["org.opencontainers.image.version"] for one in made.images] == ["1.2.3", "3.0.0+dirty"]
    told = [next(each.value for each in one.decisions if each.name == "version") for one in (first, second)]
    assert told == ["1.2.3", "3.0.0+dirty"]
    assert findings(made)["dirty-tree"] == "1 file is not committed; versions end in +dirty"
    flags = " ".join(flag for one in made.compilations for flag in one.flags)
    assert "example.com/a=-w -X=main.version=1.2.3" in flags
    assert "example.com/b=-w -X=main.version=3.0.0+dirty" in flags
