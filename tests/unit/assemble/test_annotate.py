"""Labels and annotations of what is published: every document told apart, unknown members kept, layers untouched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.found import found
from tests.support.images import Shape, random_image
from wherry.assemble.annotate import Changes, annotated
from wherry.assemble.revise import Revised
from wherry.errors import UsageError
from wherry.model.image import Built, ImageIndex, Stored
from wherry.oci import media
from wherry.oci.descriptor import Document, describe
from wherry.oci.manifest import DESCRIBES
from wherry.store import documents

BOTH = Shape(platforms=("linux/amd64", "linux/arm64"))


def top(revised: Revised) -> Any:
    return json.loads(revised.documents[0].data)


def child(revised: Revised, descriptor: Any) -> Any:
    (document,) = (one for one in revised.documents if one.digest == descriptor["digest"])
    assert document.size == descriptor["size"]
    return json.loads(document.data)


def test_an_image_gets_labels_and_annotations(tmp_path: Path) -> None:
    built = random_image(tmp_path, seed=1)
    changes = Changes(annotations=(("a", "1"),), labels=(("seed", "new"), ("more", "x")))
    revised = annotated(found(built), changes)
    before = json.loads(built.images[0].manifest.data)
    manifest = top(revised)
    assert manifest["annotations"] == {"a": "1"}
    assert manifest["layers"] == before["layers"]
    config = child(revised, manifest["config"])
    assert config["config"]["Labels"] == {"more": "x", "seed": "new"}
    assert config["created"] == "2026-01-02T03:04:05Z"
    assert [(one.old, one.new) for one in revised.replaced] == [(built.digest, revised.descriptor.digest)]


def test_annotations_alone_leave_the_config(tmp_path: Path) -> None:
    built = random_image(tmp_path, seed=1)
    revised = annotated(found(built), Changes(annotations=(("a", "1"),), created="2030-01-01T00:00:00Z"))
    assert top(revised)["config"]["digest"] == built.images[0].config.digest


def test_an_index_and_all_its_images(tmp_path: Path) -> None:
    built = random_image(tmp_path, seed=2, shape=BOTH)
    revised = annotated(found(built), Changes(annotations=(("a", "1"),), labels=(("b", "2"),)))
    index = top(revised)
    assert index["annotations"] == {"a": "1"}
    assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
    for one in index["manifests"]:
        manifest = child(revised, one)
        assert manifest["annotations"] == {"a": "1"}
        assert child(revised, manifest["config"])["config"]["Labels"]["b"] == "2"
    assert len(revised.replaced) == 2


def foreign(built: Built) -> Stored:
    """The image as other tools write it: spaces, unknown members, and no `config` in its config."""
    config = Document(
        media_type=media.OCI_CONFIG,
        data=b'{ "docker_version": "20.10", "architecture":"amd64","os":"linux","config":null,"rootfs":{"type":"layers",'
        b'"diff_ids":[],"vendor":1} }',
    )
    body = {"schemaVersion": 2, "mediaType": media.OCI_MANIFEST, "vendor": {"x": [1]}, "layers": []}
    member = {"mediaType": media.OCI_CONFIG, "digest": config.digest, "size": config.size, "vendor": "kept"}
    manifest = Document(media_type=media.OCI_MANIFEST, data=json.dumps(body | {"config": member}, indent=3).encode())
    known = {config.digest: config.data, manifest.digest: manifest.data}
    return documents.stored(lambda wanted: known[wanted.digest], describe(manifest), reference=built.name)


def test_unknown_members_stay(tmp_path: Path) -> None:
    stored = foreign(random_image(tmp_path))
    revised = annotated(stored, Changes(labels=(("a", "b"),)))
    manifest = top(revised)
    assert manifest["vendor"] == {"x": [1]}
    assert manifest["config"]["vendor"] == "kept"
    config = child(revised, manifest["config"])
    assert (config["docker_version"], config["rootfs"]["vendor"]) == ("20.10", 1)
    assert config["config"] == {"Labels": {"a": "b"}}


def attested(built: Built) -> Stored:
    """`built` with an attestation of its first image, as BuildKit lays it in an index."""
    assert isinstance(built.content, ImageIndex)
    statement = Document(media_type="application/vnd.in-toto+json", data=b"{}")
    body = {
        "schemaVersion": 2,
        "mediaType": media.OCI_MANIFEST,
        "config": {"mediaType": media.OCI_CONFIG, "digest": statement.digest, "size": 2},
        "layers": [],
    }
    manifest = Document(media_type=media.OCI_MANIFEST, data=json.dumps(body).encode())
    row = {
        "mediaType": media.OCI_MANIFEST,
        "digest": manifest.digest,
        "size": manifest.size,
        "annotations": {DESCRIBES: built.images[0].digest},
        "platform": {"architecture": "unknown", "os": "unknown"},
    }
    index = json.loads(built.content.document.data)
    index["manifests"].append(row)
    stored = found(built)
    document = Document(media_type=media.OCI_INDEX, data=json.dumps(index).encode())
    known = {one.digest: one.data for one in (*stored.documents, manifest, document)}
    return documents.stored(lambda wanted: known[wanted.digest], describe(document), reference="x")


def test_what_describes_the_old_image_does_not_go_with_the_new(tmp_path: Path) -> None:
    stored = attested(random_image(tmp_path, seed=3, shape=BOTH))
    revised = annotated(stored, Changes(labels=(("a", "b"),)))
    assert len(top(revised)["manifests"]) == 2
    assert [finding.name for finding in revised.findings] == ["attestation-dropped"]
    assert len(json.loads(stored.documents[0].data)["manifests"]) == 3


def test_nothing_to_change_changes_nothing(tmp_path: Path) -> None:
    stored = attested(random_image(tmp_path, seed=3, shape=BOTH))
    revised = annotated(stored, Changes())
    assert revised.descriptor.digest == stored.descriptor.digest
    assert (revised.replaced, revised.findings) == ((), ())


def test_docker_has_no_annotations(tmp_path: Path) -> None:
    stored = found(random_image(tmp_path, shape=Shape(format="docker")))
    with pytest.raises(UsageError, match="Docker's format") as caught:
        annotated(stored, Changes(annotations=(("a", "1"),)))
    assert caught.value.name == "no-annotations"
    revised = annotated(stored, Changes(labels=(("a", "1"),)))
    assert revised.descriptor.media_type == media.DOCKER_MANIFEST


def test_an_artifact_has_annotations_and_no_labels(tmp_path: Path) -> None:
    empty = Document(media_type=media.OCI_EMPTY, data=b"{}")
    body = {"schemaVersion": 2, "mediaType": media.OCI_MANIFEST, "artifactType": "a/b", "layers": []}
    config = {"mediaType": media.OCI_EMPTY, "digest": empty.digest, "size": 2}
    manifest = Document(media_type=media.OCI_MANIFEST, data=json.dumps(body | {"config": config}).encode())
    stored = documents.stored(lambda _: manifest.data, describe(manifest), reference="x")
    assert top(annotated(stored, Changes(annotations=(("a", "1"),))))["annotations"] == {"a": "1"}
    with pytest.raises(UsageError) as caught:
        annotated(replace(stored), Changes(labels=(("a", "1"),)))
    assert caught.value.name == "no-labels"
