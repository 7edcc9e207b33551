"""What images are called, which version they have, and what they say of themselves."""

from typing import Any

import msgspec
import pytest

from tests.support.planning import MODULE, VCS, decision, findings, image, main, plan, project, refused
from wherry.oci import reference
from wherry.plan import version
from wherry.plan.created import rfc3339

PREFIX = "org.opencontainers.image."


def with_vcs(**more: Any) -> Any:
    return project(vcs=msgspec.structs.replace(VCS, **more))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("api", "api"),
        ("My_App", "my-app"),
        ("a.b", "a.b"),
        ("Über", "ber"),
        ("--x--", "x"),
        ("日本", "app"),
        ("A__B", "a-b"),
    ],
)
def test_an_image_has_the_programs_name_in_legal_letters(given: str, name: str) -> None:
    made = image(project=project(main(given)))
    assert made.name == name
    assert reference.parse(made.name).repository == name
    assert made.targets[0].name == given


def test_a_name_template() -> None:
    assert image('[image]\nname = "team/{name}"\n').name == "team/api"
    assert image('[image]\nname = "{git.branch}"\n').name == "feature-new-cart"
    for wrong in ("Team/{name}", "", "/x", "a//b", "a:b", "-a"):
        assert refused(f'[image]\nname = "{wrong}"\n').name == "bad-setting"
    assert refused('[image]\nname = "{go.arch}"\n').why == "it has no value in this place"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reg.example/{name}:{version}", "reg.example/api:1.4.0-dirty"),
        ("reg.example:5000/a/b:1", "reg.example:5000/a/b:1"),
        ("{name}", "api"),
        ("reg.example/{git.branch}:x", "reg.example/feature/new-cart:x"),
        ("reg.example/app:{git.branch}", "reg.example/app:feature-new-cart"),
        ("localhost:5000/{name}:{git.short}", "localhost:5000/api:0123456789ab"),
    ],
)
def test_names_of_the_command_line(text: str, expected: str) -> None:
    made = plan(references=(text, text), project=with_vcs(version="1.4.0+dirty", dirty=True))
    assert made.images[0].references == (expected,)
    assert ("references" in {one.name for one in made.images[0].decisions}) == ("{" in text)


@pytest.mark.parametrize(
    "text",
    ["reg.example/App:1", "reg.example/app:a b", "", "reg.example/app:", "http://reg.example/app", "a:b:c", "x:+1"],
)
def test_names_that_are_none(text: str) -> None:
    from wherry.errors import UsageError

    with pytest.raises(UsageError) as caught:
        plan(references=(text,))
    assert caught.value.name == "bad-reference"


def test_a_slip_in_a_template_of_the_command_line() -> None:
    error = refused(references=("reg.example/{nam}",))
    assert (error.name, error.where, error.next[0][:21]) == (
        "bad-template",
        ("-t reg.example/{nam}",),
        "did you mean {name}? ",
    )


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("1.2.3", "1.2.3"),
        ("1.2.3+dirty", "1.2.3-dirty"),
        ("a/b c", "a-b-c"),
        ("-x", "x"),
        ("..", "latest"),
        ("", "latest"),
        ("v" * 200, "v" * 128),
    ],
)
def test_versions_as_tags(text: str, tag: str) -> None:
    assert version.tag(text) == tag
    assert reference.parse(f"x:{version.tag(text)}").tag == tag


def test_a_dirty_tree_is_warned_of() -> None:
    made = plan(project=with_vcs(version="1.4.0+dirty", dirty=True, changed_files=2))
    assert (made.images[0].version, made.images[0].full_version) == ("1.4.0-dirty", "1.4.0+dirty")
    assert findings(made)["dirty-tree"] == "2 files are not committed; version is 1.4.0+dirty"
    assert "1 file is" in findings(plan(project=with_vcs(dirty=True, changed_files=1)))["dirty-tree"]
    assert "dirty-tree" not in findings(plan())


def test_without_git_there_is_no_version() -> None:
    made = plan(project=project(vcs=None))
    assert (made.images[0].version, made.images[0].full_version) == ("latest", "latest")
    assert "no-version" in findings(made)
    assert dict(made.images[0].labels) == {f"{PREFIX}licenses": "MIT", f"{PREFIX}title": "api"}


def test_a_repository_without_a_tag() -> None:
    made = plan(project=with_vcs(tag="", version=""))
    assert made.images[0].version == "0.0.0-0123456789ab"
    assert decision(made, "version").reason == "git, which has no version tag yet"


def test_the_standard_labels_and_annotations() -> None:
    made = image()
    expected = {
        f"{PREFIX}created": "2026-01-02T03:04:05Z",
        f"{PREFIX}licenses": "MIT",
        f"{PREFIX}revision": VCS.revision,
        f"{PREFIX}source": "https://github.com/example/shop",
        f"{PREFIX}title": "api",
        f"{PREFIX}version": "1.4.0",
    }
    assert dict(made.annotations) == dict(made.labels) == expected
    assert tuple(sorted(made.labels)) == made.labels
    assert dict(image('[image]\nbase = "alpine:3"\n').labels)[f"{PREFIX}base.name"] == "docker.io/library/alpine:3"
    assert f"{PREFIX}licenses" not in dict(image(project=project(licences=("MIT", "Apache-2.0"))).labels)


def test_own_labels_add_replace_and_remove() -> None:
    made = plan(f'[image.labels]\nteam = "core {{version}}"\n"{PREFIX}title" = "Shop"\n"{PREFIX}source" = ""\nn = 1\n')
    labels = dict(made.images[0].labels)
    assert (labels["team"], labels[f"{PREFIX}title"], labels["n"]) == ("core 1.4.0", "Shop", "1")
    assert f"{PREFIX}source" not in labels
    assert f"{PREFIX}source" in dict(made.images[0].annotations)
    assert dict(image('[image.annotations]\n"com.example.x" = "y"\n').annotations)["com.example.x"] == "y"
    assert decision(made, "labels").origin == "file"


@pytest.mark.parametrize("name", ["a b", "", "ä", "a\\n"])
def test_names_that_no_label_can_have(name: str) -> None:
    assert refused(f'[image.labels]\n"{name}" = "x"\n').name == "bad-setting"


def test_the_time_of_creation() -> None:
    assert image().created == VCS.time
    assert image(project=project(vcs=None)).created == 0
    made = plan(environment=(("SOURCE_DATE_EPOCH", "1700000000"),))
    assert made.images[0].created == 1_700_000_000
    assert (decision(made, "created").origin, decision(made, "created").value) == (
        "environment",
        "2023-11-14T22:13:20Z",
    )
    assert image(environment=(("SOURCE_DATE_EPOCH", ""),)).created == VCS.time
    assert rfc3339(253_402_300_799) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("text", ["yesterday", "-1", "1.5", "253402300800", "9" * 400, "\uff11\uff17", "1_000", " 1"])
def test_a_bad_epoch(text: str) -> None:
    assert refused(environment=(("SOURCE_DATE_EPOCH", text),)).name == "bad-epoch"


def test_packing() -> None:
    made = image()
    assert (made.packing.format, made.packing.compression, made.packing.level) == ("oci", "gzip", 0)
    assert decision(plan(), "packing").value == "oci, gzip level 1"
    zstd = image('[image]\ncompression = "zstd"\nlevel = 19\n').packing
    assert (zstd.compression, zstd.level) == ("zstd", 19)
    assert image('[image]\nformat = "docker"\n').packing.format == "docker"
    assert refused('[image]\nformat = "docker"\ncompression = "zstd"\n').name == "format-compression"
    for wrong in ("level = 13", "level = -1", 'compression = "zstd"\nlevel = 23', 'compression = "none"\nlevel = 1'):
        assert refused(f"[image]\n{wrong}\n").name == "bad-setting"


def test_templates_know_where_they_are() -> None:
    labels = dict(
        image('[image.labels]\nx = "{go.module} {go.package} {timestamp} {git.tag} {git.dirty} {{name}"\n').labels
    )
    assert labels["x"] == f"{MODULE} {MODULE}/cmd/api 1767323045 v1.4.0 false {{name}}"
