"""Two applications that share no port, layout, user or dependency, and a text that attacks every format (I01). Touches
nothing."""

from __future__ import annotations

from wherry.model.application import NONROOT_HOME, Application, Backing, Pin, Program, Runs, Sources, Stamp
from wherry.model.container import Limits
from wherry.model.place import Place
from wherry.model.plan import Asset, Health, WritableDirectory
from wherry.oci.platform import parse

DIGEST = "sha256:" + "0123456789abcdef" * 4
HOSTILE = "a'b\"c`id`$(id)${{ github.token }}{{ .Values }}%s: #&*!|>\\@\n  evil: true\r\n\u2028x"
"""What no format may take for more than text."""


def pins(go: str = "1.26.8") -> tuple[Pin, ...]:
    """Every image that files stand on, all with a digest."""
    references = {
        "builder": f"docker.io/library/golang:{go}-trixie",
        "musl-builder": f"docker.io/library/golang:{go}-alpine",
        "static": "gcr.io/distroless/static-debian13:nonroot",
        "dynamic": "gcr.io/distroless/base-debian13:nonroot",
        "alpine": "docker.io/library/alpine:3",
        "debian": "docker.io/library/debian:trixie-slim",
        "postgres": "docker.io/library/postgres:18-trixie",
        "redis": "docker.io/library/redis:8-trixie",
    }
    return tuple(Pin(role=role, reference=reference, digest=DIGEST) for role, reference in references.items())


OWN_BASE = Pin(role="base", reference="registry.example.com/base/go:3", digest=DIGEST)


API = Application(
    name="shop-api",
    image="registry.example.com/shop/shop-api",
    version="1.4.0",
    source="https://github.com/example/shop",
    branch="main",
    licences=("Apache-2.0",),
    platforms=(parse("linux/amd64"), parse("linux/arm64")),
    programs=(
        Program(
            name="api",
            package="./cmd/api",
            import_path="example.com/shop/cmd/api",
            linker_flags=("-w",),
            stamps=(Stamp(variable="main.version", at=1),),
        ),
    ),
    sources=Sources(
        go="1.26.8",
        go_line="1.26",
        module="example.com/shop",
        module_files=("go.mod", "go.sum"),
        flags=("-trimpath", "-buildvcs=true"),
        environment=(("CGO_ENABLED", "0"), ("GOWORK", "off")),
        tracked=("cmd/api/main.go", "go.mod", "go.sum"),
    ),
    runs=Runs(
        home=NONROOT_HOME,
        ports=("8080/tcp",),
        limits=Limits(memory=256 << 20, cpus=2.0, pids=256, files=1024),
        memory_request=128 << 20,
        cpu_request=0.1,
        go_memory_limit=235_929 << 10,
        health=Health(port=8080, path="/healthz"),
        asked=8080,
        liveness="/healthz",
        readiness="/readyz",
        drain=10.0,
        variables=("DATABASE_URL", "LOG_LEVEL"),
        usual=(("LOG_LEVEL", "info"),),
        debugging=(("LOG_LEVEL", "debug"),),
        backing=(Backing(kind="postgres", place=Place(file="internal/store/db.go", line=9)),),
        secrets=("database-password",),
    ),
    pins=pins(),
    namespace="shop",
    host="shop.example.com",
)
"""A service with everything: module at the root, Postgres, two platforms, a published name."""

JOBS = Application(
    name="jobs",
    image="jobs",
    version="0.0.0",
    home="services/jobs",
    base="registry.example.com/base/go:3",
    base_kind="own",
    certificates=("deploy/ca.pem",),
    platforms=(parse("linux/amd64"),),
    programs=(
        Program(name="jobs", package=".", import_path="example.com/jobs", linker_flags=("-s", "-w")),
        Program(name="jobctl", package="./cmd/jobctl", import_path="example.com/jobs/cmd/jobctl"),
    ),
    arguments=("--verbose",),
    working_directory="/srv",
    labels=(("team", "core"),),
    assets=(Asset(source="services/jobs/templates", into="/srv/templates"),),
    sources=Sources(
        go="1.25.11",
        go_line="1.23.0",
        module="example.com/jobs",
        module_directory="services/jobs",
        directory="services/jobs",
        workspace="go.work",
        module_files=("go.work", "lib/go.mod", "services/jobs/go.mod", "services/jobs/go.sum"),
        private=("git.example.com/team",),
        flags=("-trimpath", "-buildvcs=true", "-tags=netgo"),
        environment=(("CGO_ENABLED", "1"), ("GOPRIVATE", "git.example.com/team")),
        cgo=True,
        static=False,
        tracked=("lib/go.mod", "services/jobs/main.go", "services/jobs/templates/a.html"),
    ),
    size_budget=50_000_000,
    runs=Runs(
        user=1001,
        group=0,
        ports=("9099/tcp", "5353/udp"),
        limits=Limits(memory=64 << 20, cpus=0.5, pids=64),
        memory_request=64 << 20,
        cpu_request=0.05,
        go_memory_limit=58_982 << 10,
        go_processors=1,
        grace=60.0,
        environment=(("LOG_LEVEL", "info"),),
        writable=(WritableDirectory(path="/var/cache/jobs", mode=0o750),),
        volumes=("/data",),
        children=True,
        backing=(Backing(kind="redis"),),
    ),
    pins=(*pins("1.25.11"), OWN_BASE),
)
"""A worker that shares nothing with API: workspace, cgo, two programs, assets, volumes, no health, another user, a
base of its own."""
