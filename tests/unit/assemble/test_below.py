"""Foreign bases: their config is kept where it should be, their directories respected, their certificates extended."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.packing import END, Memory, content_of, file, member, packed, packer, problems_of
from tests.support.plans import AMD64, build, plan
from tests.unit.assemble.test_image import run, tree
from tests.unit.assemble.test_static import certificate
from wherry.assemble.below import directories_and_links
from wherry.assemble.image import prepare
from wherry.assemble.static import BUNDLE
from wherry.model.base import Base
from wherry.model.image import Built, Layer
from wherry.model.plan import Asset, BaseChoice, Packing, WritableDirectory
from wherry.oci import media
from wherry.oci.config import Config, History, RootFS, RunConfig
from wherry.oci.digest import Digest

LOWER = (
    member(b"lib", kind=b"2", target=b"usr/lib"),
    member(b"usr/lib", kind=b"5", mode=b"0000755\0"),
    member(b"tmp", kind=b"5", mode=b"0001777\0"),
    member(b"var/secret", kind=b"5", mode=b"0000700\0", uid=b"0000007\0"),
    member(b"var/run", kind=b"2", target=b"/run"),
    member(b"etc/ssl/certs", kind=b"5"),
    member(b"etc/ssl/certs/ca-certificates.crt", kind=b"2", target=b"/etc/ca.pem"),
    member(b"etc/ca.pem", b"BASE CERTIFICATES\n"),
)


def layer(folder: Path, *members: bytes, form: str = "oci") -> Layer:
    made = packed(folder, b"".join(members) + END)
    assert made.digest
    assert made.diff_id
    return Layer(
        media_type=media.LAYER[form, "gzip"],
        digest=made.digest,
        size=Path(made.file).stat().st_size,
        diff_id=made.diff_id,
        unpacked_size=0,
        file=made.file,
        role="base",
    )


def foreign(folder: Path, form: str = "docker") -> Base:
    """A base of two layers as a registry would have it."""
    layers = (layer(folder, *LOWER, form=form), layer(folder, member(b"opt/.wh..wh..opq"), form=form))
    history = (History(created_by="ADD"), History(created_by="ENV", empty_layer=True), History(created_by="RUN"))
    return Base(
        name="docker://registry.example/base:1",
        platform=AMD64,
        digest=Digest("sha256:" + "a" * 64),
        layers=layers,
        config=Config(
            architecture="amd64",
            os="linux",
            history=history,
            rootfs=RootFS(diff_ids=tuple(one.diff_id for one in layers)),
            config=RunConfig(
                user="root",
                env=("PATH=/bin:/usr/bin", "LANG=C.UTF-8", "KEPT=base"),
                entrypoint=("/bin/sh",),
                cmd=("-c",),
                labels={"maintainer": "them"},
                volumes={"/old": {}},
                exposed_ports={"1/tcp": {}},
                working_dir="/srv",
                stop_signal="SIGQUIT",
            ),
        ),
    )


def made(folder: Path, base: Base, **fields: object) -> Built:
    built = build(plan(base=BaseChoice(name=base.name), **fields), folder, packer(folder), (base,))
    assert problems_of(built) == ()
    return built


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_config_of_a_base(tmp_path: Path, form: str) -> None:
    built = made(tmp_path, foreign(tmp_path, "docker"), environment=(("KEPT", "ours"),), packing=Packing(format=form))
    assert run(built) == {
        "User": "65532:65532",
        "Env": ["PATH=/bin:/usr/bin:/app", "LANG=C.UTF-8", "KEPT=ours"],
        "Entrypoint": ["/app/hello"],
        "WorkingDir": "/srv",
    }
    history = json.loads(built.images[0].config.data)["history"]
    assert [entry["created_by"] for entry in history] == ["ADD", "ENV", "RUN", "wherry app: /app/hello"]


def test_annotations_name_the_base(tmp_path: Path) -> None:
    built = made(tmp_path, foreign(tmp_path))
    assert json.loads(built.images[0].manifest.data)["annotations"] == {
        "org.opencontainers.image.base.digest": "sha256:" + "a" * 64,
        "org.opencontainers.image.base.name": "registry.example/base:1",
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [("docker://debian:12", "docker.io/library/debian:12"), ("oci:../base:1", None), ("oci-archive:x.tar", None)],
)
def test_annotations_name_only_what_others_can_fetch(tmp_path: Path, name: str, said: str | None) -> None:
    built = made(tmp_path, msgspec.structs.replace(foreign(tmp_path), name=name))
    assert json.loads(built.images[0].manifest.data)["annotations"].get("org.opencontainers.image.base.name") == said


def test_directories_of_the_base_are_respected(tmp_path: Path) -> None:
    file(tmp_path / "web/x.so")
    assets = (Asset(source="web", into="/lib"), Asset(source="web", into="/var/secret"))
    built = made(tmp_path, foreign(tmp_path), assets=assets, writable=(WritableDirectory(path="/var/run/app"),))
    files = tree(built.images[0])
    assert files["lib"][0] == "link"
    assert files["usr/lib/x.so"] == ("file", 0o444, 0)
    assert files["var/secret"] == ("directory", 0o700, 7)
    assert files["var/run"][0] == "link"
    assert files["run/app"] == ("directory", 0o755, 65532)


def test_the_base_is_read_once(tmp_path: Path) -> None:
    records, base = Memory(), foreign(tmp_path)
    first = directories_and_links(base, records)
    for one in base.layers:
        Path(one.file).write_bytes(b"")
    assert directories_and_links(base, records) == first


def test_layers_that_are_elsewhere_are_brought(tmp_path: Path) -> None:
    base = foreign(tmp_path)
    expected = directories_and_links(base, Memory())

    def away(layer: Layer) -> Layer:
        hidden = Path(layer.file).rename(f"{layer.file}.away")

        def bring() -> None:
            hidden.replace(layer.file)

        return replace(layer, bring=bring)

    moved = replace(base, layers=tuple(map(away, base.layers)))
    assert directories_and_links(moved, Memory()) == expected


def test_nothing_of_a_base_is_read_for_a_program_alone(tmp_path: Path) -> None:
    """So the layers may stay where they are, and the digest does not depend on where that is."""
    base = foreign(tmp_path)
    for one in base.layers:
        Path(one.file).unlink()
    (prepared,) = prepare(plan(base=BaseChoice(name="x")), (base,), tmp_path, packer(tmp_path))
    assert prepared.below == ()


def test_certificates_of_ones_own_come_after_the_bases(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    choice = BaseChoice(name="x", certificates=("ca.pem",))
    base = foreign(tmp_path)
    built = build(plan(base=choice), tmp_path, packer(tmp_path), (base,))
    assert problems_of(built) == ()
    assert content_of(built.images[0].layers[2], "etc/ca.pem") == b"BASE CERTIFICATES\n" + pem
    scratch = build(plan(base=BaseChoice(name="scratch", certificates=("ca.pem",))), tmp_path, packer(tmp_path))
    assert content_of(scratch.images[0].layers[0], BUNDLE) == pem
