"""Images with a fault have it, and nothing else is wrong with them: seen in the files that come out, started in a chroot."""

from __future__ import annotations

import functools
import os
import shutil
import ssl
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import wherry
from tests.support import apps, odd_apps
from tests.support.bare import inside, running
from tests.support.certificates import Authority
from tests.support.containers import unpacked
from tests.support.ports import HOST
from tests.support.servers import need_root
from tests.support.tools import need
from wherry.assemble.secrets import holds_key
from wherry.oci import media
from wherry.oci.config import RunConfig
from wherry.oci.layer import Packed, read
from wherry.oci.validate import problems

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("apps")]

NAMES = (*apps.VARIANTS, *odd_apps.FAULTS)
#: What is in the root of `good` and belongs to its base, not to a fault.
STICKY = {"tmp"}

NEEDY = ("needszones", "needsdns", "needsuser", "needsca")
Unpack = Callable[[str], Path]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Unpack:
    """Unpacks an image by name, each once."""
    need_root()
    apps.build(("good", "hello", *NEEDY))
    folder = tmp_path_factory.mktemp("roots")

    def unpack(name: str) -> Path:
        image, *_ = wherry.inspect(apps.place(name)).images
        return unpacked(image, layout(name), folder / name)

    return functools.cache(unpack)


def layout(name: str) -> Path:
    return Path(apps.place(name).removeprefix("oci:").rpartition(":")[0])


def config(name: str) -> RunConfig:
    image, *_ = wherry.inspect(apps.place(name)).images
    assert image.settings.config
    return image.settings.config


def start(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program that ends by itself, as 65532."""
    return subprocess.run(inside(root, *words), capture_output=True, text=True, check=False, timeout=20)


def modes(root: Path) -> dict[str, int]:
    """Permission bits of every file and folder that is no link."""
    found = {str(path.relative_to(root)): path.lstat().st_mode for path in root.rglob("*")}
    return {path: stat.S_IMODE(mode) for path, mode in found.items() if not stat.S_ISLNK(mode)}


def keys(name: str) -> list[str]:
    """Where in its layers there are private keys, hidden ones too."""
    (image,) = wherry.inspect(apps.place(name)).images
    layers = [
        Packed(file=str(layout(name) / "blobs" / one.digest.path), media_type=one.media_type) for one in image.layers
    ]
    return [
        member.path
        for layer in layers
        for member, content in read(layer)
        if member.kind == "file" and member.path.endswith(".key") and holds_key(content.read(4096))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_valid_image(name: str) -> None:
    stored = wherry.inspect(apps.place(name))
    folder = layout(name)
    assert problems(stored.descriptor, lambda one: (folder / "blobs" / one.digest.path).open("rb")) == ()


@pytest.mark.parametrize("name", odd_apps.FAULTS)
def test_only_its_own_permissions_are_loose(name: str, root: Unpack) -> None:
    loose = {path: mode for path, mode in modes(root(name)).items() if mode & 0o6002 and path not in STICKY}
    assert loose == {
        "setuid": {"usr/bin/tool": 0o4755},
        "setgid": {"usr/bin/tool": 0o2755},
        "world-writable": {"etc/app.conf": 0o666},
        "folder-for-all": {"srv": 0o777},
    }.get(name, {})


@pytest.mark.parametrize("name", NAMES)
def test_only_its_own_settings_differ(name: str) -> None:
    run, good = config(name), config("good")
    differs = {
        key
        for key in ("user", "entrypoint", "cmd", "healthcheck", "exposed_ports", "env")
        if getattr(run, key) != getattr(good, key)
    }
    fault = odd_apps.FAULTS[name]() if name in odd_apps.FAULTS else None
    if fault and fault.base == "good":
        assert differs == {key for key in fault.config if getattr(run, key) != getattr(good, key)}
    assert run.user == {
        "as-root": "0:0", "rootonly-as-root": "0:0", "no-user": "", "user-by-name": "nonroot", "unknown-user": "ghost",
    }.get(name, "65532:65532")  # fmt: skip


def test_secrets(root: Unpack) -> None:
    assert "DB_PASSWORD=not-a-real-one-4711" in (config("secret-env").env or ())
    assert any(one.startswith("GREETING=ghp_") and len(one) == 49 for one in config("token-env").env or ())
    assert {name: keys(name) for name in ("private-key", "deleted-key", "good")} == {
        "private-key": ["etc/app/tls.key"], "deleted-key": ["etc/tls.key"], "good": [],
    }  # fmt: skip
    assert not (root("deleted-key") / "etc/tls.key").exists()


def test_a_shell_that_works(root: Unpack) -> None:
    done = start(root("shell"), "/bin/sh", "-c", "echo it works")
    assert (done.returncode, done.stdout) == (0, "it works\n")
    assert not (root("good") / "bin").exists()


def test_a_file_with_capabilities(tmp_path: Path) -> None:
    need_root()
    need("tar", "gzip")
    (image,) = wherry.inspect(apps.place("file-capabilities")).images
    assert image.layers[-1].media_type == media.OCI_LAYER_GZIP
    blob = layout("file-capabilities") / "blobs" / image.layers[-1].digest.path
    subprocess.run(["tar", "-xzf", blob, "--xattrs", "--xattrs-include=security.*"], cwd=tmp_path, check=True)
    assert os.getxattr(tmp_path / "app/tool", "security.capability")[5] == 1 << 4, "bit 12 of the first word"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing-program", "No such file or directory"),
        ("not-executable", "Permission denied"),
        ("dynamic", "No such file or directory"),
        ("script", "No such file or directory"),
        ("other-machine", "Exec format error"),
    ],
)
def test_it_cannot_be_started(name: str, said: str, root: Unpack) -> None:
    (program,) = config(name).entrypoint or ()
    done = start(root(name), program)
    assert done.returncode != 0
    assert done.stdout == ""
    assert said in done.stderr
    assert (root(name) / program.lstrip("/")).exists() == (name != "missing-program")


def test_there_is_nothing_to_start() -> None:
    assert (config("no-command").entrypoint, config("no-command").cmd) == (None, None)


def test_every_processor_is_too_old(root: Unpack) -> None:
    if HOST.architecture != "amd64":
        pytest.skip("there is one kind of arm64")
    done = start(root("cpu-level"), "/app/hello")
    assert done.returncode == 1
    assert done.stderr == "This program can only be run on AMD64 processors with v4 microarchitecture support.\n"
    assert [str(one.platform) for one in wherry.inspect(apps.place("cpu-level")).images] == ["linux/amd64/v4"]


def test_for_arm64(root: Unpack) -> None:
    need("qemu-aarch64-static")
    emulator = Path(shutil.copy(shutil.which("qemu-aarch64-static") or "", root("hello-arm64")))
    assert start(root("hello-arm64"), f"/{emulator.name}", "/app/hello").stdout == "hello\n"
    assert [str(one.platform) for one in wherry.inspect(apps.place("good-arm64")).images] == ["linux/arm64"]


def test_it_is_larger() -> None:
    (large,), (good,) = wherry.inspect(apps.place("too-large")).images, wherry.inspect(apps.place("good")).images
    assert (16 << 20) <= large.size - good.size < (17 << 20)


@pytest.mark.parametrize("name", NEEDY)
def test_it_needs_what_scratch_has_not(name: str, root: Unpack, tmp_path: Path) -> None:
    with running(name, tmp_path, root=root(name)) as app:
        assert app.status("/healthz") == 200
        status, said = app.get("/")
    assert status == 500
    assert {
        "needszones": "unknown time zone Europe/Berlin",
        "needsdns": "lookup localhost",
        "needsuser": "user: Current",
        "needsca": "no certificate to trust",
    }[name] in said


@pytest.mark.parametrize(
    ("name", "said"), [("needszones", " CE"), ("needsdns", "127.0.0.1"), ("needsuser", "nonroot /home/nonroot")]
)
def test_it_works_where_that_is(name: str, said: str, root: Unpack, tmp_path: Path) -> None:
    whole = root("good")
    shutil.copy(apps.program(name), whole / "app" / name)
    with running(name, tmp_path, root=whole) as app:
        assert app.get("/")[0] == 200
        assert said in app.get("/")[1]


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"it is me")

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def https(authority: Authority) -> Iterator[str]:
    """A URL whose certificate `authority` signed."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        context: ssl.SSLContext = authority.server()
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_it_trusts_whom_it_is_told_to_trust(https: str, authority: Authority, tmp_path: Path) -> None:
    with running("needsca", tmp_path, TARGET=https, SSL_CERT_FILE=str(authority.ca)) as app:
        assert app.get("/") == (200, "200 OK\nit is me")
    other = Authority(tmp_path / "other")
    with running("needsca", tmp_path, TARGET=https, SSL_CERT_FILE=str(other.ca), SSL_CERT_DIR="/nothing") as app:
        status, said = app.get("/")
    assert status == 500
    assert "certificate signed by unknown authority" in said
