"""What generated files state, decided once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import planning
from wherry.errors import WherryError
from wherry.model.application import Application, Backing, Stamp
from wherry.model.lock import Lock, LockedBase
from wherry.model.project import Holdings, Main, Module, ModuleFiles, Project
from wherry.plan.application import Known, decide
from wherry.plan.make import make_plan

HELD = Holdings(
    modules=(ModuleFiles(directory=".", files=("go.mod", "go.sum"), outside=("../other",)),),
    tracked=("cmd/api/main.go", "go.mod"),
)
FACTS = planning.inferred(
    ("port", "8080", "found"),
    ("health-route", "/healthz", "found"),
    ("readiness-route", "/readyz", "found"),
    ("version-variable", "main.version", "found"),
)
DIGEST = "sha256:" + "1" * 64


def made(toml: str = "", *, facts: Any = FACTS, lock: Lock | None = None, **more: Any) -> Application:
    """The application of one main that the sources say `facts` about."""
    project = more.pop("project", planning.project(planning.main(inferred=facts)))
    inputs = planning.inputs(toml, project=project, **more)
    known = Known(plan=make_plan(inputs), project=project, holdings=HELD, tiers=inputs.tiers, lock=lock)
    (one,) = decide(known)
    return one


def refused(toml: str, **more: Any) -> WherryError:
    with pytest.raises(WherryError) as caught:
        made(toml, **more)
    assert caught.value.where[0].startswith("wherry.toml:"), caught.value.where
    return caught.value


def test_the_usual() -> None:
    app = made()
    assert (app.name, app.image, app.version, app.home) == ("api", "api", "1.4.0", ".")
    assert app.command == ("/app/api",)
    assert app.port == 8080
    runs = app.runs
    assert (runs.user, runs.group, runs.ports, runs.readiness) == (65532, 65532, ("8080/tcp",), "/readyz")
    assert runs.health
    assert (runs.health.path, runs.health.port) == ("/healthz", 8080)
    assert runs.liveness == "/healthz"
    assert (app.size_budget, made('[prove]\nsize = "30MB"\n').size_budget) == (0, 30_000_000)
    assert (runs.limits.memory, runs.memory_request, runs.limits.cpus) == (256 << 20, 128 << 20, 2.0)
    assert runs.go_memory_limit == int(0.9 * (256 << 20))
    assert (runs.drain, runs.grace) == (10.0, 30.0)


def test_a_check_by_command_leaves_the_route_known() -> None:
    runs = made('[image.health]\ncommand = ["api", "health"]\n').runs
    assert runs.health
    assert (runs.health.path, runs.liveness) == ("", "/healthz")
    assert made(facts=()).runs.liveness == ""


def test_sources_are_without_this_machine() -> None:
    sources = made().sources
    assert (sources.go, sources.go_line, sources.directory) == ("1.26.8", "1.24", ".")
    assert sources.module_files == ("go.mod", "go.sum")
    assert sources.replaced_outside == ("../other",)
    assert sources.flags == ("-trimpath", "-buildvcs=true")
    assert sources.environment == (("CGO_ENABLED", "0"), ("GOWORK", "off"))
    assert (sources.stamped, sources.static, sources.cgo) == (True, True, False)


def test_what_changes_with_each_commit_is_a_stamp() -> None:
    toml = '[build]\nldflags = ["-X main.commit={git.commit} -X main.fixed=1 -X main.when={created}"]\n'
    (program,) = made(toml).programs
    assert program.linker_flags == ("-w", "-X=main.fixed=1")
    assert program.stamps == (
        Stamp(variable="main.version", meaning="version", at=1),
        Stamp(variable="main.commit", meaning="revision", at=2),
        Stamp(variable="main.when", meaning="date", at=4),
    )


def test_several_programs_of_one_image() -> None:
    mains = (planning.main(), planning.main("migrate"))
    toml = 'packages = ["./cmd/api"]\n[image]\nbinaries = ["./cmd/migrate"]\n'
    app = made(toml, project=planning.project(*mains))
    assert [(one.name, one.package) for one in app.programs] == [("api", "./cmd/api"), ("migrate", "./cmd/migrate")]


def workspace() -> Project:
    module = Module(path="example.com/jobs", directory="services/jobs", go="1.25")
    job = Main(import_path="example.com/jobs", name="jobs", module=module.path, directory="services/jobs")
    return planning.project(job, modules=(module,), workspace="go.work")


def test_a_module_of_a_workspace() -> None:
    app = made(project=workspace())
    assert (app.home, app.sources.directory, app.sources.workspace) == ("services/jobs", ".", "go.work")
    assert app.programs[0].package == "./services/jobs"
    assert (app.sources.module, app.sources.module_directory) == ("example.com/jobs", "services/jobs")
    assert "GOWORK" not in dict(app.sources.environment)


def test_go_1_25_and_later_know_the_processors() -> None:
    assert made().runs.go_processors == 2  # the go line is 1.24
    assert made(project=workspace()).runs.go_processors == 0
    assert made("[run]\ncpus = 0.5\n").runs.go_processors == 1


def test_digests_come_from_the_lock() -> None:
    reference = "docker.io/library/golang:1.26.8-trixie"
    lock = Lock(bases=(LockedBase(reference=reference, digest=DIGEST, files=True),))
    assert str(made(lock=lock).pin("builder")) == f"golang:1.26.8-trixie@{DIGEST}"
    assert str(made().pin("builder")) == "golang:1.26.8-trixie"
    assert made().pin("static").reference.startswith("gcr.io/distroless/static-debian13")


@pytest.mark.parametrize(
    ("locked", "line", "toolchain", "go"),
    [
        ("", "1.24", "", "1.26.8"),
        ("", "1.24", "go1.26.2", "1.26.2"),
        ("go1.26.3", "1.24", "", "1.26.3"),
        ("go1.26.3", "1.24", "go1.26.2", "1.26.3"),
        ("go1.25.9", "1.26", "", "1.26.8"),
        ("go1.26.1", "1.24", "go1.26.2", "1.26.2"),
        ("go1.26rc1", "1.26.0", "", "1.26.8"),
        ("", "1.24", "default", "1.26.8"),
    ],
)
def test_the_go_of_files_is_the_same_on_every_machine(locked: str, line: str, toolchain: str, go: str) -> None:
    module = Module(path=planning.MODULE, directory=".", go=line, toolchain=toolchain)
    lock = Lock(parts=(("go", locked),)) if locked else None
    assert made(project=planning.project(modules=(module,)), lock=lock).sources.go == go


def test_platforms_are_the_same_on_every_machine() -> None:
    assert [str(one) for one in made().platforms] == ["linux/amd64", "linux/arm64"]
    assert [str(one) for one in made('platforms = ["linux/riscv64"]\n[image]\nbase = "scratch"\n').platforms] == [
        "linux/riscv64"
    ]
    c_code = planning.project(planning.main(cgo=planning.SQLITE))
    assert [str(one) for one in made(project=c_code).platforms] == ["linux/amd64"]


def test_stamps_do_not_wait_for_the_first_commit() -> None:
    before = planning.project(planning.main(inferred=FACTS), vcs=None)
    toml = '[build]\nstrip = "all"\nldflags = ["-X main.fixed=1"]\n'
    assert made(toml, project=before).programs == made(toml).programs


def test_a_builder_of_ones_own() -> None:
    pin = made(f'[generate]\nbuilder = "mirror.example/go:1@{DIGEST}"\n').pin("builder")
    assert (pin.reference, pin.digest) == ("mirror.example/go:1", DIGEST)


@pytest.mark.parametrize(
    ("base", "kind", "pin"),
    [
        ("", "static", ""),
        ("static", "static", ""),
        ("scratch", "scratch", ""),
        ("distroless", "distroless", "gcr.io/distroless/static-debian13:nonroot"),
        ("gcr.io/distroless/base-debian13:debug", "distroless", "gcr.io/distroless/base-debian13:debug"),
        ("alpine:3.22", "alpine", "alpine:3.22"),
        ("debian", "debian", "debian:stable-slim"),
        ("mirror.example/library/alpine", "own", "mirror.example/library/alpine:latest"),
        (f"docker://registry.example/base@{DIGEST}", "own", f"registry.example/base@{DIGEST}"),
        (f"registry.example/base:1@{DIGEST}", "own", f"registry.example/base:1@{DIGEST}"),
        ("oci:bases/web", "own", ""),
    ],
)
def test_the_base_that_somebody_chose(base: str, kind: str, pin: str) -> None:
    app = made(f'[image]\nbase = "{base}"\n' if base else "")
    assert (app.base, app.base_kind) == (base or "static", kind)
    assert str(app.own_base or "") == pin


def test_the_digest_of_a_base_is_the_locked_one() -> None:
    lock = Lock(bases=(LockedBase(reference="registry.example/base:1", digest=DIGEST),))
    app = made('[image]\nbase = "registry.example/base:1"\n', lock=lock)
    assert str(app.own_base) == f"registry.example/base:1@{DIGEST}"


def test_where_it_is_published() -> None:
    assert made('[generate]\nimage = "registry.example.com/shop/{name}"\n').image == "registry.example.com/shop/api"
    assert refused('[generate]\nimage = "registry.example.com/shop/api:1"\n').name == "bad-setting"
    assert refused('[generate]\nimage = "Registry.example.com/Shop"\n').name == "bad-reference"


def test_servers_that_it_talks_to() -> None:
    facts = (*FACTS, *planning.inferred(("backing", "redis"), ("backing", "postgres")))
    found = made(facts=facts)
    assert [one.kind for one in found.runs.backing] == ["postgres", "redis"]
    assert [(one.name, one.value) for one in found.decisions if one.name == "backing"] == [
        ("backing", "postgres"),
        ("backing", "redis"),
    ]
    assert made("[generate]\nbacking = []\n", facts=facts).runs.backing == ()


def test_variables_that_lead_to_servers() -> None:
    named = (
        ("redis-url", "DATABASE_URL"),
        ("redis-address", "CACHE"),
        ("postgres-url", "STORE"),
        ("environment", "STORE"),
    )
    runs = made(facts=planning.inferred(("backing", "redis"), *named)).runs
    assert runs.backing == (
        Backing(kind="redis", place=runs.backing[0].place, urls=("DATABASE_URL",), addresses=("CACHE",)),
    )
    assert runs.variables == ("CACHE", "DATABASE_URL", "STORE")


def test_what_the_sources_say_of_stopping_secrets_and_variables() -> None:
    facts = planning.inferred(
        ("drain", "40"), ("secret-file", "/run/secrets/db"), ("environment", "PORT"), ("children", "os/exec")
    )
    runs = made(facts=facts).runs
    assert (runs.drain, runs.grace, runs.secrets, runs.variables, runs.children) == (
        40.0,
        45.0,
        ("db",),
        ("PORT",),
        True,
    )


@pytest.mark.parametrize(
    ("toml", "image", "usual", "debugging"),
    [
        ("", {"GIN_MODE": "release"}, {"LOG_LEVEL": "info", "TZ": "UTC"}, {"GIN_MODE": "debug", "LOG_LEVEL": "debug"}),
        (
            '[image.env]\nGIN_MODE = "test"\nTZ = "UTC+1"\n',
            {"GIN_MODE": "test", "TZ": "UTC+1"},
            {"LOG_LEVEL": "info"},
            {"LOG_LEVEL": "debug"},
        ),
    ],
)
def test_variables_that_the_code_reads_have_a_usual_value(
    toml: str, image: dict[str, str], usual: dict[str, str], debugging: dict[str, str]
) -> None:
    facts = planning.inferred(*(("environment", name, "found") for name in ("GIN_MODE", "LOG_LEVEL", "TZ", "PORT")))
    runs = made(toml, facts=facts).runs
    assert (dict(runs.environment), dict(runs.usual), dict(runs.debugging)) == (image, usual, debugging)
    assert (made(facts=()).runs.usual, made(facts=()).runs.debugging) == ((), ())


def test_no_port_is_told() -> None:
    assert [one.name for one in made(facts=()).findings] == ["no-port"]
    assert made(facts=()).port == 0
    assert made("[image]\nports = []\n", facts=()).findings == (), "somebody said that there is none"


def test_a_health_route_that_is_not_there() -> None:
    app = made('[image]\nhealth = { path = "/nope", port = 8080 }\n')
    (finding,) = app.findings
    assert (finding.name, finding.next) == ("health-route", 'image.health.path = "/healthz"')


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ('[image]\nenv = { GOMEMLIMIT = "256MiB" }\n', "limits-conflict"),
        ('[run]\nmemory = "64m"\n[generate]\nmemory-request = "65m"\n', "limits-conflict"),
        ("[run]\ncpus = 1\n[generate]\ncpu-request = 2\n", "limits-conflict"),
        ('[run]\ngrace = "5s"\n', "limits-conflict"),
        ("[generate]\nreplicas = 5\nmax-replicas = 4\n", "bad-setting"),
        ("[generate]\nreplicas = 0\n", "bad-setting"),
        ('[generate]\ndrain = "soon"\n', "bad-setting"),
        ('[generate]\nreadiness = "readyz"\n', "bad-setting"),
        ('[generate]\nmemory-request = "1"\n', "bad-setting"),
        ('[generate]\nsecrets = ["../x"]\n', "bad-setting"),
        ('[generate]\nseccomp = "../x.json"\n', "path-escape"),
        ('[image]\nhealth = { command = ["/bin/sh", "-c", "true"] }\n', "shell-probe"),
        ('[image]\nbase = "distroless"\nhealth = { command = ["/usr/bin/curl", "x"] }\n', "shell-probe"),
    ],
)
def test_what_cannot_hold_is_one_error_with_its_line(toml: str, name: str) -> None:
    assert refused(toml).name == name


@pytest.mark.parametrize(
    ("toml", "limit"),
    [
        ('[image]\nenv = { GOMEMLIMIT = "256MiB" }\n', "memory"),
        ('[run]\nmemory = "64m"\n[generate]\nmemory-request = "65m"\n', "memory"),
        ("[run]\ncpus = 1\n[generate]\ncpu-request = 2\n", "cpus"),
    ],
)
def test_what_is_above_a_limit_is_told_which(toml: str, limit: str) -> None:
    error = refused(toml)
    assert error.next == (f"lower it, or raise run.{limit}",)
    assert len(error.where) == 1 + ("[run]" in toml), "the setting's line, and the limit's where somebody set it"


def test_what_does_hold() -> None:
    assert made('[image]\nenv = { GOMEMLIMIT = "200MiB" }\n').runs.go_memory_limit == 0  # the image says it
    assert made('[image]\nbase = "debian"\nhealth = { command = ["/bin/sh", "-c", "true"] }\n').runs.health
    assert made('[generate]\ndrain = "55s"\n').runs.grace == 60.0


def test_the_published_branch_is_said_and_never_looked_up() -> None:
    """No clone in CI knows which branch is the default one, and files must come out the same there."""
    assert made().branch == ""
    assert made('[generate]\nbranch = "trunk"\n').branch == "trunk"


def test_a_port_that_the_sources_do_not_show() -> None:
    app = made("[image]\nports = [9191]\nhealth = false\n")
    assert [one.name for one in app.findings] == ["port-differs"]
    assert made("[image]\nports = [8080, 9191]\nhealth = false\n").findings == ()


def test_one_port_or_none_is_in_order() -> None:
    assert not made(facts=planning.inferred(("port", "8080", "found"))).runs.unordered
    assert not made(facts=()).runs.unordered


def test_no_health_is_none_in_a_cluster_too() -> None:
    assert made("[image]\nhealth = false\n").runs.liveness == ""
    assert made().runs.liveness == "/healthz"
