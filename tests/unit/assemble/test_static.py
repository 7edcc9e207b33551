"""The built-in bases: what programs and runtimes look for is there, made offline, with the versions it says."""

from __future__ import annotations

import os
import ssl
import subprocess
import zoneinfo
from pathlib import Path

import certifi
import pytest
import tzdata  # type: ignore[import-untyped] # a data wheel: no types

from tests.support.packing import file, packer
from tests.support.plans import AMD64, ARM64
from tests.support.tools import need
from wherry.assemble.certificates import extra_certificates
from wherry.assemble.static import BUNDLE, built_in, contents_of_static, static_entries
from wherry.errors import UsageError
from wherry.model.plan import BaseChoice, Packing
from wherry.oci.layer import Packed
from wherry.oci.unpack import extract, flatten

ROOTS = Path(certifi.where())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static base, unpacked."""
    folder = tmp_path_factory.mktemp("static")
    (base,) = built_in(BaseChoice(name="static"), (AMD64,), Packing(), folder, packer(folder))
    (layer,) = base.layers
    extract((Packed(file=layer.file, media_type=layer.media_type),), folder / "root")
    return folder / "root"


def test_contents_name_both_versions() -> None:
    assert contents_of_static() == f"certificates {certifi.__version__}, zones {tzdata.IANA_VERSION}"


def test_certificates_are_those_of_certifi_and_load(root: Path) -> None:
    assert (root / BUNDLE).read_bytes() == ROOTS.read_bytes()
    assert len(ssl.create_default_context(cafile=root / BUNDLE).get_ca_certs()) > 100


def test_all_zones_are_there_once(root: Path) -> None:
    folder = root / "usr/share/zoneinfo"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    zones = {name for name in names if not name.endswith(".tab")}
    with (Path(tzdata.__file__).parent / "zones").open() as listed:
        assert zones == {line.strip() for line in listed}
    for name in ("Europe/Berlin", "UTC", "America/Argentina/Ushuaia"):
        with (folder / name).open("rb") as zone:
            assert zoneinfo.ZoneInfo.from_file(zone, key=name).key == name
    assert not [name for name in names if name.startswith(("posix/", "right/")) or name.endswith((".py", ".zi"))]


def test_users_and_names(root: Path) -> None:
    users = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
    assert [(user[0], user[2], user[3], user[6]) for user in users] == [
        ("root", "0", "0", "/sbin/nologin"),
        ("nobody", "65534", "65534", "/sbin/nologin"),
        ("nonroot", "65532", "65532", "/sbin/nologin"),
    ]
    assert [line.split(":")[0] for line in (root / "etc/group").read_text().splitlines()] == [
        "root",
        "nobody",
        "nonroot",
    ]
    assert "hosts: files dns" in (root / "etc/nsswitch.conf").read_text()
    assert "localhost" in (root / "etc/hosts").read_text()


def test_mount_points_and_modes(root: Path) -> None:
    (base,) = built_in(BaseChoice(name="static"), (AMD64,), Packing(), root, packer(root.parent))
    tree = flatten(Packed(file=layer.file, media_type=layer.media_type) for layer in base.layers)
    modes = {path: oct(one.mode) for path, one in tree.items() if one.kind == "directory" and "zoneinfo" not in path}
    assert modes == {
        **dict.fromkeys(("dev", "etc", "etc/ssl", "etc/ssl/certs", "home", "run", "usr", "usr/share"), "0o755"),
        "home/nonroot": "0o700",
        "proc": "0o555",
        "root": "0o700",
        "sys": "0o555",
        "tmp": "0o1777",
    }
    assert {path for path, one in tree.items() if one.uid or one.gid} == {"home/nonroot"}
    assert (tree["home/nonroot"].uid, tree["home/nonroot"].gid) == (65532, 65532)
    assert {one.mode for one in tree.values() if one.kind == "file"} == {0o444}
    assert {"etc/hosts", "etc/hostname", "etc/resolv.conf"} <= set(tree)


def test_one_layer_for_all_platforms_made_once(tmp_path: Path) -> None:
    use = packer(tmp_path)
    first, second = built_in(BaseChoice(name="static"), (AMD64, ARM64), Packing(), tmp_path, use)
    assert first.layers == second.layers
    assert (first.platform, second.platform) == (AMD64, ARM64)
    (again,) = built_in(BaseChoice(name="static"), (AMD64,), Packing(), tmp_path, use)
    assert again.layers[0].reused
    assert again.layers[0].digest == first.layers[0].digest
    assert first.layers[0].size < 300_000


def test_scratch_is_nothing(tmp_path: Path) -> None:
    (base,) = built_in(BaseChoice(name="scratch"), (AMD64,), Packing(), tmp_path, packer(tmp_path))
    assert (base.layers, base.config, base.digest) == ((), None, None)


def certificate(folder: Path, name: str = "ca") -> bytes:
    """A certificate of our own, in PEM, with its key beside it."""
    need("openssl")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=Wherry Test CA", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True, capture_output=True, env={**os.environ, "OPENSSL_CONF": "/dev/null"},
    )  # fmt: skip
    return (folder / f"{name}.pem").read_bytes()


def test_certificates_of_ones_own_are_appended(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    file(tmp_path / "certs/mine.pem", b"Subject: text before\r\n" + pem.replace(b"\n", b"\r\n"))
    extra = extra_certificates(tmp_path, ("certs/mine.pem", "ca.pem"))
    assert extra == pem + pem
    bundle = next(entry for entry in static_entries(extra) if entry.path == BUNDLE)
    file(tmp_path / "bundle", bytes(bundle.content))  # type: ignore[arg-type] # bytes
    subjects = [cert["subject"] for cert in ssl.create_default_context(cafile=tmp_path / "bundle").get_ca_certs()]
    assert ((("commonName", "Wherry Test CA"),),) in subjects


@pytest.mark.parametrize(
    "kind", ["missing", "empty", "folder", "key", "key too", "damaged", "not base64", "climbs", "link out"]
)
def test_what_is_no_certificate(tmp_path: Path, kind: str) -> None:
    pem = certificate(tmp_path)
    key = (tmp_path / "ca.key").read_bytes()
    contents = {
        "empty": b"",
        "key": key,
        "key too": pem + key,
        "damaged": pem[:100] + pem[104:],
        "not base64": pem[:100] + b"!!" + pem[102:],
    }
    if kind in contents:
        file(tmp_path / "mine.pem", contents[kind])
    elif kind == "folder":
        (tmp_path / "mine.pem").mkdir()
    elif kind == "link out":
        (tmp_path / "mine.pem").symlink_to(ROOTS)
    with pytest.raises(UsageError) as caught:
        extra_certificates(tmp_path, ("../mine.pem" if kind == "climbs" else "mine.pem",))
    assert caught.value.name == "bad-certificate"
