"""Whole images: what is in which layer, on which base, in which format; every one valid by its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.packing import content_of, file, packer, problems_of
from tests.support.plans import AMD64, ARM64, binaries, build, plan
from wherry.assemble.config import PATH
from wherry.assemble.image import assemble_all, prepare
from wherry.errors import BuildError, UsageError
from wherry.model.base import Base
from wherry.model.image import Built, Image, ImageIndex
from wherry.model.plan import Asset, BaseChoice, Health, ImagePlan, Packing, Target, WritableDirectory
from wherry.oci import media
from wherry.oci.digest import of_bytes
from wherry.oci.layer import Packed
from wherry.oci.platform import parse
from wherry.oci.unpack import flatten
from wherry.probe.elf import probe_elf


def made(folder: Path, image: ImagePlan, bases: tuple[Base, ...] = ()) -> Built:
    built = build(image, folder, packer(folder), bases)
    assert problems_of(built) == ()
    return built


def config(built: Built) -> Any:
    return json.loads(built.images[0].config.data)


def run(built: Built) -> Any:
    return config(built)["config"]


def tree(image: Image, role: str = "") -> dict[str, tuple[str, int, int]]:
    """Path to kind, mode and uid, of all layers or those of one role."""
    layers = (layer for layer in image.layers if not role or layer.role == role)
    flat = flatten(Packed(file=layer.file, media_type=layer.media_type) for layer in layers)
    return {path: (member.kind, member.mode, member.uid) for path, member in flat.items()}


def test_the_usual_image(tmp_path: Path) -> None:
    built = made(
        tmp_path,
        plan(annotations=(("org.opencontainers.image.version", "1.2.3"),), labels=(("a", "b"),), created=1_700_000_000),
    )
    image = built.images[0]
    assert built.digest == of_bytes(image.manifest.data)
    assert [layer.role for layer in image.layers] == ["base", "app"]
    assert tree(image, "app") == {"app": ("directory", 0o755, 0), "app/hello": ("file", 0o555, 0)}
    assert config(built)["created"] == "2023-11-14T22:13:20Z"
    assert run(built) == {
        "User": "65532:65532",
        "Env": [f"PATH={PATH}:/app"],
        "Entrypoint": ["/app/hello"],
        "WorkingDir": "/",
        "Labels": {"a": "b"},
    }
    assert [entry["created_by"].split(":")[0] for entry in config(built)["history"]] == [
        "wherry static base",
        "wherry app",
    ]
    manifest = json.loads(image.manifest.data)
    assert manifest["annotations"] == {"org.opencontainers.image.version": "1.2.3"}
    assert manifest["mediaType"] == media.OCI_MANIFEST


def test_everything_a_plan_can_say(tmp_path: Path) -> None:
    built = made(
        tmp_path,
        plan(
            user="1000:2000",
            environment=(("A", "1"), ("PATH", "/mine")),
            entrypoint=("/app/hello", "serve"),
            arguments=("--port", "80"),
            working_directory="/data",
            ports=("80/tcp", "53/udp"),
            volumes=("/data",),
            stop_signal="SIGINT",
            writable=(WritableDirectory(path="/var/cache/hello", mode=0o700),),
        ),
    )
    assert run(built) == {
        "User": "1000:2000",
        "ExposedPorts": {"53/udp": {}, "80/tcp": {}},
        "Env": ["PATH=/mine", "A=1"],
        "Entrypoint": ["/app/hello", "serve"],
        "Cmd": ["--port", "80"],
        "Volumes": {"/data": {}},
        "WorkingDir": "/data",
        "StopSignal": "SIGINT",
    }
    files = tree(built.images[0])
    assert files["var/cache/hello"] == ("directory", 0o700, 1000)
    assert files["data"] == ("directory", 0o755, 1000)
    assert files["var/cache"] == ("directory", 0o755, 0)


def test_writing_below_the_bases_own_directories_keeps_their_modes(tmp_path: Path) -> None:
    image = plan(writable=(WritableDirectory(path="/tmp/mine"), WritableDirectory(path="/home/nonroot/.cache")))
    files = tree(made(tmp_path, image).images[0], "app")
    assert files["tmp"] == ("directory", 0o1777, 0)
    assert files["home/nonroot"] == ("directory", 0o700, 65532)


@pytest.mark.parametrize("form", ["oci", "docker"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_formats_and_compressions(tmp_path: Path, form: str, compression: str) -> None:
    image = plan(
        packing=Packing(format=form, compression=compression), annotations=(("a", "b"),), platforms=(AMD64, ARM64)
    )
    if (form, compression) == ("docker", "zstd"):
        with pytest.raises(UsageError):
            build(image, tmp_path, packer(tmp_path))
        return
    built = made(tmp_path, image)
    assert isinstance(built.content, ImageIndex)
    assert built.content.document.media_type == (media.OCI_INDEX if form == "oci" else media.DOCKER_INDEX)
    assert {layer.media_type for one in built.images for layer in one.layers} == {media.LAYER[form, compression]}
    assert json.loads(built.content.document.data).get("annotations") == ({"a": "b"} if form == "oci" else None)
    assert all("annotations" in json.loads(one.manifest.data) for one in built.images) is (form == "oci")


def test_platforms_share_the_base_and_come_in_one_order(tmp_path: Path) -> None:
    names = ("linux/arm/v7", "linux/arm64", "linux/amd64", "linux/amd64/v3", "linux/arm64/v9.0")
    platforms = tuple(map(parse, names))
    built = made(tmp_path, plan(platforms=platforms))
    turned = made(tmp_path, plan(platforms=platforms[::-1]))
    assert built.digest == turned.digest
    assert [str(image.platform) for image in built.images] == sorted(names)
    assert len({image.layers[0].digest for image in built.images}) == 1
    assert len({image.layers[1].digest for image in built.images}) == len(names)
    index = json.loads(built.content.document.data if isinstance(built.content, ImageIndex) else b"")
    assert index["manifests"][4]["platform"] == {"architecture": "arm64", "os": "linux", "variant": "v9.0"}


def test_health_by_wherrys_probe(tmp_path: Path) -> None:
    image = plan(
        health=Health(port=8080, path="/healthz", interval=10.5), platforms=(AMD64, ARM64, parse("linux/s390x"))
    )
    built = made(tmp_path, image)
    for one, architecture in zip(built.images, ("amd64", "arm64", "s390x"), strict=True):
        settings = json.loads(one.config.data)["config"].get("Healthcheck")
        if architecture == "s390x":
            assert settings is None
            assert "wherry/probe" not in tree(one)
            continue
        assert settings == {
            "Test": ["CMD", "/wherry/probe", "8080", "/healthz", "2"],
            "Interval": 10_500_000_000, "Timeout": 3_000_000_000, "StartPeriod": 5_000_000_000, "Retries": 3,
        }  # fmt: skip
        assert tree(one)["wherry/probe"] == ("file", 0o555, 0)
        assert content_of(one.layers[-1], "wherry/probe") == probe_elf(architecture)


def test_health_by_a_command_of_the_applications(tmp_path: Path) -> None:
    built = made(tmp_path, plan(health=Health(command=("/app/hello", "health"), timeout=1)))
    assert run(built)["Healthcheck"]["Test"] == ["CMD", "/app/hello", "health"]
    assert "wherry/probe" not in tree(built.images[0])


def test_several_binaries_in_one_image(tmp_path: Path) -> None:
    targets = tuple(
        Target(import_path=f"example.com/app/cmd/{name}", name=name, file=name) for name in ("serve", "migrate")
    )
    built = made(tmp_path, plan(targets=targets))
    assert set(tree(built.images[0], "app")) == {"app", "app/serve", "app/migrate"}
    assert run(built)["Entrypoint"] == ["/app/serve"]


def test_assets_have_a_layer_between(tmp_path: Path) -> None:
    file(tmp_path / "web/index.html")
    image = plan(assets=(Asset(source="web", into="/srv/www"), Asset(source="web/index.html", into="/tmp")))
    use = packer(tmp_path)
    built = build(image, tmp_path, use)
    assert problems_of(built) == ()
    assert [layer.role for layer in built.images[0].layers] == ["base", "assets", "app"]
    files = tree(built.images[0])
    assert files["srv/www/index.html"] == ("file", 0o444, 0)
    assert files["tmp"] == ("directory", 0o1777, 0)
    again = build(image, tmp_path, use)
    assert again.digest == built.digest


def test_an_asset_in_the_place_of_a_binary(tmp_path: Path) -> None:
    file(tmp_path / "web/hello")
    with pytest.raises(BuildError) as caught:
        build(plan(assets=(Asset(source="web", into="/app"),)), tmp_path, packer(tmp_path))
    assert (caught.value.name, caught.value.where) == ("duplicate-path", ("/app/hello",))


def test_scratch_has_what_runtimes_mount_upon_and_no_more(tmp_path: Path) -> None:
    built = made(tmp_path, plan(base=BaseChoice(name="scratch")))
    assert len(built.images[0].layers) == 1
    assert tree(built.images[0]) == {
        "app": ("directory", 0o755, 0), "app/hello": ("file", 0o555, 0), "dev": ("directory", 0o755, 0),
        "etc": ("directory", 0o755, 0), "proc": ("directory", 0o555, 0), "sys": ("directory", 0o555, 0),
        "tmp": ("directory", 0o1777, 0),
    }  # fmt: skip


def test_a_change_of_a_binary_changes_its_layer_alone(tmp_path: Path) -> None:
    image, use = plan(), packer(tmp_path)
    first = build(image, tmp_path, use)
    Path(binaries(tmp_path, image)[0].file).write_bytes(b"another")
    second = build(image, tmp_path, use)
    assert first.images[0].layers[0].digest == second.images[0].layers[0].digest
    assert first.images[0].layers[1].digest != second.images[0].layers[1].digest


def test_binaries_of_other_images_are_not_taken(tmp_path: Path) -> None:
    image, use = plan(), packer(tmp_path)
    (right,) = binaries(tmp_path, image)
    other = msgspec.structs.replace(right, import_path="example.com/other", file=str(file(tmp_path / "other")))
    wrong = msgspec.structs.replace(right, platform=ARM64, file=str(file(tmp_path / "arm")))
    bases = (Base(name="scratch", platform=AMD64),)
    built = assemble_all(image, prepare(image, bases, tmp_path, use), (other, wrong, right), use)
    assert built.digest == build(image, tmp_path, use, bases).digest


def test_the_names_of_t_go_with_the_image(tmp_path: Path) -> None:
    names = ("reg.example/app:1", "reg.example/app:2")
    assert made(tmp_path, plan(references=names)).references == names
