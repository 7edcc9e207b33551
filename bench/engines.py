"""Dockerfiles as their users write them, and the images those begin from. Apps in, loaded engines out; runs tar, go, the engines.

No registry of golang images is needed: the toolchain is the machine's own. Docker's cache mounts begin with what the host's
caches hold, so that its first build is no colder than anybody else's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.apps import App
from bench.services import command
from bench.workshop import Workshop

GO, SEED, BASE = "localhost/bench/go:1", "localhost/bench/seed:1", "localhost/bench/base:1"

DOCKERFILE = """\
FROM {go} AS build
ENV CGO_ENABLED=0 GOENV=off GOPROXY=off GOTOOLCHAIN=local HOME=/tmp GOCACHE=/cache GOMODCACHE=/modules PATH=/usr/local/go/bin
WORKDIR /src
COPY . .
RUN {mounts}["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", "/out/app", "{main}"]
FROM {base}
COPY --from=build /out/app /app/app
USER 65532:65532
ENTRYPOINT ["/app/app"]
"""
CACHE_MOUNTS = " ".join(
    f"--mount=type=cache,target=/{name},from={SEED},source=/{name}" for name in ("cache", "modules")
)


def dockerfile(app: App, *, mounts: str) -> str:
    """For the app's only main."""
    (main,) = app.mains
    return DOCKERFILE.format(go=GO, base=BASE, main=main, mounts=mounts + " " if mounts else "")


def prepare(shop: Workshop, apps: tuple[App, ...]) -> None:
    """Loads what is needed into the engines that are here. The host's Go cache must be warm already."""
    if shop.docker.absent and shop.buildah.absent:
        return
    for app in apps:
        fetch_modules(shop, app)
        (shop.root / f"{app.name}.docker").write_text(dockerfile(app, mounts=CACHE_MOUNTS))
        (shop.root / f"{app.name}.buildah").write_text(dockerfile(app, mounts=""))
    toolchain = toolchain_tar(shop)
    if not shop.docker.absent:
        for tar, name in ((toolchain, GO), (seed_tar(shop), SEED), (shop.base_tar, BASE)):
            command(shop.docker, "import", str(tar), name)
    if not shop.buildah.absent:
        for tar, name in ((toolchain, GO), (shop.base_tar, BASE)):
            container = command(shop.buildah, "from", "scratch")
            command(shop.buildah, "add", "-q", container, str(tar), "/")
            command(shop.buildah, "commit", "-q", container, name)
            command(shop.buildah, "rm", container)


def modules(shop: Workshop) -> Path:
    """Only the modules that the apps need, for containers; made from the machine's own cache."""
    return shop.root / "modules"


def fetch_modules(shop: Workshop, app: App) -> None:
    cached = Path(shop.online["GOMODCACHE"], "cache/download")
    environment = shop.online | {
        "GOMODCACHE": str(modules(shop)),
        "GOPROXY": f"file://{cached},{shop.online['GOPROXY']}",
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": "0",
    }
    subprocess.run(
        ["go", "list", "-deps", *app.mains],
        cwd=shop.source(app, "docker"),
        env=environment,
        check=True,
        capture_output=True,
    )
    for archive in (modules(shop) / "cache/download").rglob("*.zip"):
        archive.unlink()


def toolchain_tar(shop: Workshop) -> Path:
    """GOROOT at /usr/local/go without what no build reads, and /tmp."""
    tar = shop.root / "toolchain.tar"
    root = subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True, env=shop.online).stdout
    excluded = [f"--exclude=./{name}" for name in ("test", "api", "doc")]
    append(tar, Path(root.strip()), "usr/local/go", *excluded)
    empty = shop.root / "empty"
    empty.mkdir()
    empty.chmod(0o1777)
    append(tar, empty, "tmp")
    return tar


def seed_tar(shop: Workshop) -> Path:
    tar = shop.root / "seed.tar"
    append(tar, shop.cache, "cache")
    modules(shop).mkdir(exist_ok=True)
    append(tar, modules(shop), "modules")
    return tar


def append(tar: Path, folder: Path, name: str, *options: str) -> None:
    """Adds `folder` to `tar` as `name`."""
    argv = ("tar", "-r", "-f", str(tar), "--owner=0", "--group=0", *options, rf"--transform=flags=r;s,^\.,{name},")
    subprocess.run((*argv, "-C", str(folder), "."), check=True)
