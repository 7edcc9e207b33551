"""Real applications, unmodified: recorded, their profiles proved, compared with strace, and run once more under each.

The profiles are kept in docs/profiles, the figures in docs/oracles.md.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import opinions
from tests.support.cli import wherry
from tests.support.servers import answers, free_port, need_root
from tests.support.tools import need
from wherry.kit.streams import read_limited
from wherry.oci.layer import Packed, read
from wherry.store.layout import Layout
from wherry.store.place import LayoutPlace

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "docs/profiles"
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    name: str
    package: str
    port: int
    routes: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    """`{port}` is where it is to listen."""
    variables: tuple[tuple[str, str], ...] = ()


APPS = (
    App(
        name="go-httpbin", package="github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0", port=8080,
        routes=("/get", "/headers", "/gzip", "/image/png", "/stream/3", "/uuid"), variables=(("PORT", "{port}"),),
    ),
    App(
        name="podinfo", package="github.com/stefanprodan/podinfo/cmd/podinfo@v1.8.1-0.20250910200901-e86405a8674e", port=9898,
        routes=("/healthz", "/readyz", "/version", "/env", "/metrics", "/delay/1"), arguments=("--port", "{port}"),
    ),
    App(  # of the root / it answers 404 at /: it opens the path without its last slash, ""
        name="caddy", package="github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9", port=8080,
        routes=("/usr/", "/etc/", "/etc/passwd"),
        arguments=("file-server", "--listen", ":{port}", "--root", "/", "--browse"),
    ),
)  # fmt: skip


def made(app: App, mode: str, folder: Path) -> dict[str, object]:
    """`wherry profile --json`."""
    words = [word for route in app.routes for word in ("--get", route)]
    arguments = [word.format(port=app.port) for word in app.arguments]
    done = wherry(
        "profile", app.package, *words, "--mode", mode, "--json", "-p", f"{free_port()}:{app.port}", "--for", "3",
        *(("--", *arguments) if arguments else ()), home=folder, cwd=folder,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    said = json.loads(done.stdout)
    assert isinstance(said, dict)
    return said


def program(app: App, folder: Path) -> Path:
    """The very executable of the image."""
    layout = folder / "layout"
    done = wherry("build", app.package, "-o", f"oci:{layout}:x", home=folder, cwd=folder)
    assert done.code == 0, done.stderr
    image = Layout(LayoutPlace(directory=str(layout), tag="x")).open().images[0]
    path = folder / app.name
    layer = image.layers[-1]
    packed = Packed(file=str(layout / "blobs" / layer.digest.path), media_type=layer.media_type)
    found = (content for one, content in read(packed) if one.path == f"app/{app.name}")
    path.write_bytes(b"".join(read_limited(content, limit=1 << 27, name=app.name) for content in found))
    path.chmod(0o755)
    return path


def traced(app: App, folder: Path) -> set[str]:
    """What strace sees of it as a plain process, asked the same."""
    need("strace")
    port, log = free_port(), folder / "trace"
    variables = {name: value.format(port=port) for name, value in app.variables}
    words = [str(program(app, folder)), *(word.format(port=port) for word in app.arguments)]
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(log), *words],
        env={"PATH": os.environ["PATH"], "HOME": "/proc/none", **variables}, cwd="/", stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as one:  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not answers(f"http://127.0.0.1:{port}/") and time.monotonic() < end:
            time.sleep(0.05)
        for route in app.routes * 3:
            assert answers(f"http://127.0.0.1:{port}{route}"), route
        (child,) = Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        one.wait(PATIENCE)
    return set(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))


def test_real_applications(tmp_path: Path) -> None:
    need_root()
    need("runc", "go", "strace")
    PROFILES.mkdir(exist_ok=True)
    rows = []
    for app in APPS:
        folder = tmp_path / app.name
        folder.mkdir()
        safe, strict = made(app, "safe", folder), made(app, "strict", folder)
        seen = traced(app, folder)
        for said in (safe, strict):
            assert said["ceiling"]["complete"], said["ceiling"]  # type: ignore[index]
            assert said["proved"]["healthy"]  # type: ignore[index]
            assert said["recording"]["trouble"] == ""  # type: ignore[index]
        assert seen <= set(safe["names"]), "strace saw what the safe profile forbids"  # type: ignore[call-overload]
        beyond = seen - set(strict["names"])  # type: ignore[call-overload]
        assert not beyond, "strace saw what was not recorded"
        text = json.dumps(safe["seccomp"], indent=2)
        (PROFILES / f"{app.name}.json").write_text(f"{text}\n")
        counts = (seen, strict["recording"]["calls"], strict["names"], safe["names"], safe["ceiling"]["names"])  # type: ignore[index]
        rows.append((app.name, *(str(len(one)) for one in counts), str(safe["before"])))  # type: ignore[arg-type]
    opinions.record(
        "Profiles",
        "System calls. Each profile was proved: the application lived under it, to be killed at any other call, and was asked",
        "the same routes. strace saw nothing that the profiles forbid. The safe ones: [docs/profiles](profiles/).",
        "",
        *opinions.table(
            ("application", "strace", "recorded", "strict", "safe", "ceiling", "wherry's default"), tuple(rows)
        ),
        "",
        *opinions.versions(("strace", "strace --version")),
    )
