"""What `wherry.toml` may say; also the shape of flags and of WHERRY_ variables. Touches nothing.

A wire form: keys in kebab case, None where nothing was said. The descriptions here are the JSON Schema and the reference page
(`python -m wherry.plan.schema`); what a value means is decided in `plan/`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from wherry.kit.value import Value

Text = str | int | float | bool
"""A value for an environment variable or a label; numbers and booleans are taken as TOML writes them."""


def doc(description: str, default: Any = None, *examples: Any) -> msgspec.Meta:
    """The description of a key, its default if that can be written in TOML, and examples."""
    extra = {} if default is None else {"x-default": default}
    return msgspec.Meta(description=description, examples=list(examples) or None, extra_json_schema=extra or None)


class AssetSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Files of the repository that go into the image."""

    source: Annotated[str, doc("A file or folder, relative to wherry.toml.", None, "web/static")] = msgspec.field(
        name="from"
    )
    into: Annotated[
        str,
        doc(
            "An absolute folder in the image; a folder's contents go into it, a file lands in it.", None, "/srv/static"
        ),
    ]
    mode: Annotated[
        str | None,
        doc("Permission bits of the files, octal. Without it: 0555 if executable, else 0444.", None, "0444"),
    ] = None
    include: Annotated[
        tuple[str, ...] | None, doc("Only files that match one of these gitignore-style patterns.", None, ["*.html"])
    ] = None
    exclude: Annotated[tuple[str, ...] | None, doc("No files that match one of these patterns.", None, ["*.map"])] = (
        None
    )


class WritableSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A directory that the application may write to."""

    path: Annotated[str, doc("An absolute path in the image.", None, "/var/lib/app")]
    mode: Annotated[str | None, doc("Permission bits, octal.", "0755", "0700")] = None


class HealthSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How to ask the application whether it is well: a path and a port, or a command."""

    path: Annotated[str | None, doc("What to GET; 200 to 399 is healthy.", None, "/healthz")] = None
    port: Annotated[int | None, doc("Where it listens. Without it: the only port of the image.", None, 8080)] = None
    command: Annotated[
        tuple[str, ...] | None,
        doc("A program in the image and its arguments instead; exit status 0 is healthy.", None, ["api", "health"]),
    ] = None
    interval: Annotated[str | None, doc("Time between two checks.", "30s")] = None
    timeout: Annotated[str | None, doc("A check that takes longer has failed.", "3s")] = None
    start_period: Annotated[str | None, doc("Failures in this time after the start do not count.", "5s")] = None
    retries: Annotated[int | None, doc("So many failures in a row are unhealthy.", 3)] = None


class BuildSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How Go compiles."""

    tags: Annotated[tuple[str, ...] | None, doc("Build tags.", None, ["netgo"])] = None
    ldflags: Annotated[
        tuple[str, ...] | None,
        doc(
            "Linker flags beside wherry's own. They may name {version}, {name}, {git.commit}, {git.tag}, {go.version}, "
            "{env.NAME} and others; environment values only with --pass-env NAME.",
            None,
            ["-X main.commit={git.commit}"],
        ),
    ] = None
    strip: Annotated[
        Literal["debug", "all", "none"] | None,
        doc("What is left out of binaries: debug data, the symbol table too, or nothing.", "debug"),
    ] = None
    flags: Annotated[
        tuple[str, ...] | None,
        doc(
            "More flags for `go build`; in wherry.toml only such as cannot run a program or leave the tree.",
            None,
            ["-race"],
        ),
    ] = None
    cgo: Annotated[bool | None, doc("C code on or off. Without it: on where a package works only with cgo.")] = None
    static: Annotated[
        bool | None,
        doc("Whether cgo binaries are linked statically. Without it: yes on the bases static and scratch."),
    ] = None
    pgo: Annotated[
        str | None,
        doc("A CPU profile to optimise for, `auto` (default.pgo beside main) or `off`.", "auto", "cpu.pprof"),
    ] = None
    experiment: Annotated[tuple[str, ...] | None, doc("GOEXPERIMENT.", None, ["jsonv2"])] = None
    fips140: Annotated[
        str | None, doc("GOFIPS140: off, latest, or a version of Go's module.", None, "latest", "v1.0.0")
    ] = None
    private: Annotated[
        tuple[str, ...] | None,
        doc("GOPRIVATE: modules fetched directly and not checked publicly.", None, ["git.example.com/team"]),
    ] = None
    env: Annotated[
        dict[str, Text] | None,
        doc(
            "Go's variables while compiling; in wherry.toml only such as start no program.",
            None,
            {"GOGC": "400"},
        ),
    ] = None
    hooks: Annotated[
        tuple[tuple[str, ...], ...] | None,
        doc(
            "Programs to run before compiling, as lists of words; only after --run-hooks.",
            None,
            [["go", "generate", "./..."]],
        ),
    ] = None


class ImageSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What the image holds and how a container of it starts."""

    name: Annotated[str | None, doc("The image's name; {name} is the main's.", "{name}", "team/{name}")] = None
    base: Annotated[
        str | None,
        doc(
            "What the image stands on: static (certificates, time zones, users), scratch, distroless, alpine, debian, a "
            "reference, oci:DIR, oci-archive:FILE or docker-archive:FILE.",
            "static",
            "scratch",
            "gcr.io/distroless/static-debian12",
        ),
    ] = None
    certificates: Annotated[
        tuple[str, ...] | None, doc("PEM files with more certificate authorities to trust.", None, ["ca.pem"])
    ] = None
    binaries: Annotated[
        tuple[str, ...] | None,
        doc(
            "More mains of this repository in the same image, by folder, import path or name.", None, ["./cmd/migrate"]
        ),
    ] = None
    user: Annotated[
        str | int | None,
        doc("Who the program runs as: numbers, or nonroot, nobody, root.", "65532:65532", 1000, "1001:0"),
    ] = None
    env: Annotated[
        dict[str, Text] | None, doc("Environment variables of the container.", None, {"LOG_LEVEL": "info"})
    ] = None
    labels: Annotated[
        dict[str, Text] | None,
        doc("Labels beside the org.opencontainers.image ones; an empty text removes one.", None, {"team": "core"}),
    ] = None
    annotations: Annotated[
        dict[str, Text] | None,
        doc("Annotations of manifest and index, likewise.", None, {"org.opencontainers.image.vendor": "Acme"}),
    ] = None
    entrypoint: Annotated[
        tuple[str, ...] | None,
        doc("The program and its fixed arguments. Without it: the main's binary.", None, ["api", "serve"]),
    ] = None
    args: Annotated[
        tuple[str, ...] | None, doc("Arguments that whoever starts the container may replace.", None, ["--verbose"])
    ] = None
    workdir: Annotated[str | None, doc("The working directory, absolute.", "/", "/srv")] = None
    ports: Annotated[
        tuple[str | int, ...] | None,
        doc(
            "Ports it listens on, first the one that people ask. Without it: those found in the sources.",
            None,
            [8080, "53/udp"],
        ),
    ] = None
    volumes: Annotated[
        tuple[str, ...] | None, doc("Directories to keep outside the container; writable too.", None, ["/data"])
    ] = None
    writable: Annotated[
        tuple[str | WritableSettings, ...] | None,
        doc(
            "Directories that the application may write to.",
            None,
            ["/var/cache/app", {"path": "/data", "mode": "0700"}],
        ),
    ] = None
    stop_signal: Annotated[str | None, doc("The signal that asks the program to stop.", "SIGTERM", "SIGQUIT")] = None
    assets: Annotated[tuple[AssetSettings, ...] | None, doc("Files of the repository that go into the image.")] = None
    health: Annotated[
        HealthSettings | bool | None,
        doc(
            "The health check; false for none. Without it: the route and port found in the sources, if there is one of each."
        ),
    ] = None
    format: Annotated[Literal["oci", "docker"] | None, doc("Which manifests to write.", "oci")] = None
    compression: Annotated[Literal["gzip", "zstd", "none"] | None, doc("How layers are packed.", "gzip")] = None
    level: Annotated[int | None, doc("How hard: gzip 1 to 12 (1), zstd 1 to 22 (3).", None, 9)] = None


class RunSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How `wherry run` and `wherry prove` start a container here. Only a flag can take a hardening away, never this file."""

    memory: Annotated[str | None, doc("Limit, swap included, in powers of two.", "256m", "64m")] = None
    cpus: Annotated[int | float | None, doc("Processors' worth of time.", 2, 0.5)] = None
    pids: Annotated[int | None, doc("Processes and threads.", 256)] = None
    files: Annotated[int | None, doc("Open files of a process.", 1024)] = None
    args: Annotated[tuple[str, ...] | None, doc("Arguments in place of the image's.", None, ["--verbose"])] = None
    env: Annotated[dict[str, Text] | None, doc("Variables over those of the image.", None, {"LOG_LEVEL": "debug"})] = (
        None
    )
    publish: Annotated[
        tuple[str | int, ...] | None,
        doc("Ports as -p takes them; in wherry.toml only on this machine's loopback.", None, [8080, "9000:8080"]),
    ] = None
    volumes: Annotated[
        tuple[str, ...] | None,
        doc(
            "Files and folders as -v takes them; in wherry.toml only such of the repository.",
            None,
            ["./testdata:/data:ro"],
        ),
    ] = None
    tmpfs: Annotated[tuple[str, ...] | None, doc("Memory to write to: PATH[:SIZE].", None, ["/var/cache/app:16m"])] = (
        None
    )
    network: Annotated[
        Literal["own", "none", "host"] | None, doc("Its network; in wherry.toml own or none.", "own", "none")
    ] = None
    grace: Annotated[str | None, doc("Time between the stop signal and the end by force.", "10s", "30s")] = None


class WaiverSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A check whose FAIL or UNKNOWN is accepted up to a day."""

    check: Annotated[str, doc("The check's name.", None, "shell")]
    reason: Annotated[str, doc("Why; it is shown in each report.", None, "until the base is changed, PROJ-123")]
    until: Annotated[date, doc("The last day on which it is accepted.", None, "2027-01-31")]


class ProveSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What `wherry prove` looks at, and what it expects."""

    start: Annotated[str | None, doc("Most time until it is healthy.", "10s", "30s")] = None
    slow_route: Annotated[
        str | None,
        doc(
            "A GET that takes a second or two, so that requests are under way when it is stopped.",
            None,
            "/report?slow=1",
        ),
    ] = None
    ready_route: Annotated[
        str | None, doc("The readiness route. Without it: the only one found in the sources.", None, "/readyz")
    ] = None
    requests: Annotated[int | None, doc("Requests under way when it is stopped.", 8)] = None
    tries: Annotated[int | None, doc("How often it is stopped: once is one sample.", 3)] = None
    size: Annotated[str | None, doc("Most bytes of the unpacked image, in powers of ten.", None, "30MB")] = None
    idle_cpu: Annotated[
        int | float | None, doc("Processors' worth of time that it may use while nobody asks anything.", 0.2)
    ] = None
    memory: Annotated[int | float | None, doc("Share of its memory limit that it may need.", 0.9, 0.5)] = None
    only: Annotated[tuple[str, ...] | None, doc("These checks alone.", None, ["start", "drain"])] = None
    skip: Annotated[tuple[str, ...] | None, doc("Not these checks.", None, ["size"])] = None
    unknown: Annotated[
        tuple[str, ...] | Literal["accept", "fail"] | None,
        doc(
            "Checks whose UNKNOWN is accepted; or `accept` for all, `fail` for none. Without it: those that this machine "
            "could not show of any image.",
            None,
            ["ready", "apparmor"],
        ),
    ] = None
    waive: Annotated[tuple[WaiverSettings, ...] | None, doc("Checks that are accepted for a while.")] = None
    tests: Annotated[
        tuple[str, ...] | None,
        doc("Files of container-structure-test (v2.0.0) that are checks, too.", None, ["test/structure.yaml"]),
    ] = None


class GenerateSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What generated files say beside that: `wherry generate`. Ports, user, health and limits come from the tables above."""

    image: Annotated[
        str | None,
        doc("Where the image is published, without a tag.", "{name}", "registry.example.com/team/{name}"),
    ] = None
    builder: Annotated[
        str | None,
        doc("What a Dockerfile compiles in. Without it: Docker's golang of the Go here.", None, "golang:1.26-trixie"),
    ] = None
    readiness: Annotated[
        str | None,
        doc(
            "The route that says whether it wants requests. Without it: prove.ready-route, else the only one found.",
            None,
            "/readyz",
        ),
    ] = None
    drain: Annotated[
        str | None,
        doc("Time that it may take to answer what is under way when it is stopped.", "10s", "25s"),
    ] = None
    replicas: Annotated[int | None, doc("Copies that run; of what listens on no port, usually one.", 2, 3)] = None
    max_replicas: Annotated[
        int | None, doc("Most copies that run under load; of what listens on no port, as many as `replicas`.", 10)
    ] = None
    memory_request: Annotated[
        str | None, doc("Memory that a cluster keeps for it. Without it: half of run.memory.", None, "64m")
    ] = None
    cpu_request: Annotated[
        int | float | None, doc("Processors' worth of time that a cluster keeps for it.", 0.1, 0.5)
    ] = None
    namespace: Annotated[str | None, doc("Its Kubernetes namespace.", None, "shop")] = None
    host: Annotated[str | None, doc("Its public name, for Ingress and Gateway.", None, "shop.example.com")] = None
    gateway: Annotated[
        str | None,
        doc("The Gateway of the cluster that its routes attach to: NAME or NAMESPACE/NAME.", None, "infra/public"),
    ] = None
    branch: Annotated[
        str | None,
        doc(
            "The branch that is published, for `generate ci`. Without it: whichever is GitHub's default.", None, "main"
        ),
    ] = None
    backing: Annotated[
        tuple[Literal["postgres", "redis"], ...] | None,
        doc("Servers that it talks to. Without it: those whose client libraries it imports.", None, ["postgres"]),
    ] = None
    secrets: Annotated[
        tuple[str, ...] | None,
        doc("Files that it reads at /run/secrets/NAME. Without it: those found in the sources.", None, ["db-password"]),
    ] = None
    seccomp: Annotated[
        str | None, doc("A profile that `wherry profile` wrote, relative to wherry.toml.", None, "seccomp.json")
    ] = None


class MainSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings of one main, over the common ones."""

    platforms: Annotated[tuple[str, ...] | None, doc("Platforms of this main.", None, ["linux/arm64"])] = None
    build: Annotated[BuildSettings | None, doc("How this main is compiled.")] = None
    image: Annotated[ImageSettings | None, doc("What is different in this main's image.")] = None
    run: Annotated[RunSettings | None, doc("What is different when it runs.")] = None
    prove: Annotated[ProveSettings | None, doc("What is expected of it.")] = None
    generate: Annotated[GenerateSettings | None, doc("What is different in its generated files.")] = None


class Settings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Everything that can be set for a build; each key may be left out."""

    required_version: Annotated[str | None, doc("Which versions of wherry understand this file.", None, ">=0.1")] = None
    packages: Annotated[
        tuple[str, ...] | None,
        doc("What a bare `wherry build` builds: folders, import paths, patterns.", None, ["./cmd/api"], ["./..."]),
    ] = None
    platforms: Annotated[
        tuple[str, ...] | None,
        doc(
            "Which platforms. Without it: this machine's processor. `all`, for the bases static and scratch: 386, amd64, "
            "arm/v7, arm64, ppc64le, riscv64, s390x.",
            None,
            ["linux/amd64", "linux/arm64", "linux/arm/v7"],
        ),
    ] = None
    build: Annotated[BuildSettings | None, doc("How Go compiles.")] = None
    image: Annotated[ImageSettings | None, doc("What the image holds and how a container of it starts.")] = None
    run: Annotated[RunSettings | None, doc("How `wherry run` and `wherry prove` start a container here.")] = None
    prove: Annotated[ProveSettings | None, doc("What `wherry prove` looks at, and what it expects.")] = None
    generate: Annotated[GenerateSettings | None, doc("What `wherry generate` writes beside that.")] = None
    main: Annotated[
        dict[str, MainSettings] | None,
        doc("Settings of single mains by name, folder or import path, over the common ones: `[main.api.image]`."),
    ] = None
