"""Assets: what is chosen, where it goes, which links stay links, and what is never packed by accident (A09)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.support.packing import file, packer
from wherry.assemble.assets import asset_entries
from wherry.assemble.pack import Purpose, pack
from wherry.assemble.tree import place
from wherry.errors import BuildError, RefusedError, UsageError, WherryError
from wherry.model.plan import Asset, Packing
from wherry.oci.tar import Entry


def found(root: Path, *assets: Asset) -> dict[str, str]:
    """Path to mode or link target."""
    made = asset_entries(assets, root)
    return {entry.path: f"-> {entry.target}" if entry.kind == "link" else oct(entry.mode) for entry in made}


def caught(root: Path, asset: Asset) -> WherryError:
    with pytest.raises((UsageError, RefusedError, BuildError)) as error:
        asset_entries((asset,), root)
    return error.value


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A repository with a folder of files."""
    for name in ("index.html", "css/site.css", "css/deep/x.css", "README.md"):
        file(tmp_path / "web" / name, name.encode())
    file(tmp_path / "web/run.sh", b"#!", 0o755)
    (tmp_path / "web/empty").mkdir()
    return tmp_path


def test_a_folders_contents_go_into_the_place(web: Path) -> None:
    assert found(web, Asset(source="web", into="/srv/www")) == {
        "srv/www/README.md": "0o444",
        "srv/www/css/deep/x.css": "0o444",
        "srv/www/css/site.css": "0o444",
        "srv/www/index.html": "0o444",
        "srv/www/run.sh": "0o555",
    }


def test_a_file_lands_in_the_place(web: Path) -> None:
    assert found(web, Asset(source="web/index.html", into="/")) == {"index.html": "0o444"}
    assert found(web, Asset(source="./web/css/../run.sh", into="/a/", mode=0o640)) == {"a/run.sh": "0o640"}


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        (("*.css",), (), {"css/site.css", "css/deep/x.css"}),
        (("/css/*.css",), (), {"css/site.css"}),
        (("css/",), ("deep/",), {"css/site.css"}),
        ((), ("*", "!*.html"), {"index.html"}),
        ((), ("css", "*.md"), {"index.html", "run.sh"}),
        (("**/x.css", "index.html"), (), {"index.html", "css/deep/x.css"}),
    ],
)
def test_patterns_are_those_of_gitignore(
    web: Path, include: tuple[str, ...], exclude: tuple[str, ...], names: set[str]
) -> None:
    assert set(found(web, Asset(source="web", into="/", include=include, exclude=exclude))) == names


def test_content_is_packed_as_it_lies_there(web: Path) -> None:
    layer = pack(
        place(asset_entries((Asset(source="web", into="/srv"),), web), {}),
        Packing(),
        Purpose(role="assets", history=""),
        packer(web),
    )
    assert layer.unpacked_size > 0


@pytest.mark.parametrize("source", ["nothing", "web/nothing", "web/index.html/x"])
def test_a_source_that_is_not_there(web: Path, source: str) -> None:
    error = caught(web, Asset(source=source, into="/"))
    assert (error.name, error.where) == ("asset-missing", (source,))


def test_a_source_that_brings_nothing(web: Path) -> None:
    assert caught(web, Asset(source="web/empty", into="/")).name == "asset-empty"
    assert caught(web, Asset(source="web", into="/", include=("*.nothing",))).name == "asset-empty"
    assert caught(web, Asset(source="web", into="/", include=("a\\",))).name == "asset-pattern"
    assert caught(web, Asset(source="web", into="srv")).name == "bad-image-path"


def test_links_stay_links_when_both_ends_are_packed(web: Path) -> None:
    (web / "web/home.html").symlink_to("index.html")
    (web / "web/css/up.html").symlink_to("../index.html")
    (web / "web/styles").symlink_to("./css/")
    (web / "web/self").symlink_to(".")
    files = found(web, Asset(source="web", into="/srv"))
    assert files["srv/home.html"] == "-> index.html"
    assert files["srv/css/up.html"] == "-> ../index.html"
    assert files["srv/styles"] == "-> css"
    assert files["srv/self"] == "-> ."
    assert "srv/styles/site.css" not in files


def test_links_to_what_is_not_packed_become_what_they_lead_to(web: Path) -> None:
    file(web / "shared/logo.svg")
    file(web / "shared/fonts/a.woff")
    (web / "shared/fonts/b.woff").symlink_to("a.woff")
    (web / "web/logo.svg").symlink_to("../shared/logo.svg")
    (web / "web/fonts").symlink_to("../shared/fonts")
    (web / "web/left.html").symlink_to("index.html")
    files = found(web, Asset(source="web", into="/", include=("logo.svg", "fonts", "left.html")))
    assert files == {
        "logo.svg": "0o444",
        "fonts/a.woff": "0o444",
        "fonts/b.woff": "-> a.woff",
        "left.html": "0o444",
    }


def test_the_source_may_be_a_link_inside(web: Path) -> None:
    (web / "current").symlink_to("web/css")
    (web / "page").symlink_to("web/index.html")
    assert set(found(web, Asset(source="current/deep", into="/"), Asset(source="page", into="/"))) == {"x.css", "page"}


@pytest.mark.parametrize(
    "target", ["/etc/hostname", "../../..", "../../outside/secret", "../x/../../../etc", "inner", "absolute"]
)
def test_a09_links_that_lead_outside(tmp_path: Path, target: str) -> None:
    root = tmp_path / "repo"
    file(root / "data/file")
    file(tmp_path / "outside/secret")
    (root / "x").mkdir()
    (root / "data/inner").symlink_to("../x/hop")
    (root / "x/hop").symlink_to("../../outside")
    (root / "data/absolute").symlink_to(root / "data/file")  # would be another file on another machine
    (root / "data/link").symlink_to(target)
    error = caught(root, Asset(source="data", into="/", exclude=("inner", "absolute")))
    assert (error.name, error.where) == ("asset-outside", ("data/link",))
    assert found(root, Asset(source="data", into="/", exclude=("inner", "absolute", "link"))) == {"file": "0o444"}
    assert caught(root, Asset(source="data/link", into="/")).name == "asset-outside"


@pytest.mark.parametrize("source", ["/etc", "..", "../outside", "data/../../outside"])
def test_a09_sources_outside(tmp_path: Path, source: str) -> None:
    file(tmp_path / "outside/secret")
    file(tmp_path / "repo/data/file")
    assert caught(tmp_path / "repo", Asset(source=source, into="/")).name == "asset-outside"


@pytest.mark.parametrize("links", [{"itself": "itself"}, {"a": "b", "b": "a"}, {"up": ".."}, {"a": "b/x", "b": "a/y"}])
def test_a09_loops_end(tmp_path: Path, links: dict[str, str]) -> None:
    file(tmp_path / "data/file")
    for name, target in links.items():
        (tmp_path / "data" / name).symlink_to(target)
    assert caught(tmp_path, Asset(source="data", into="/")).name == "asset-loop"
    assert found(tmp_path, Asset(source="data", into="/", exclude=tuple(links))) == {"file": "0o444"}


def test_a09_folders_that_lead_to_each_other_are_packed_once(tmp_path: Path) -> None:
    file(tmp_path / "data/file")
    file(tmp_path / "other/file")
    (tmp_path / "data/there").symlink_to("../other")
    (tmp_path / "other/back").symlink_to("../data")
    assert found(tmp_path, Asset(source="data", into="/")) == {
        "file": "0o444",
        "there/file": "0o444",
        "there/back": "-> ..",
    }


def test_a09_a_folder_swapped_for_a_link_after_it_was_looked_at(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    file(root / "data/file", b"ours")
    file(tmp_path / "outside/file", b"host")
    made = place(asset_entries((Asset(source="data", into="/srv"),), root), {})
    (root / "data").rename(root / "moved")
    (root / "data").symlink_to(tmp_path / "outside")
    with pytest.raises(BuildError) as error:
        pack(made, Packing(), Purpose(role="assets", history=""), packer(tmp_path))
    assert error.value.name == "file-changed"


SECRETS = (
    ".git/config", "sub/.git/HEAD", ".env", ".env.local", "prod.env", ".netrc", ".npmrc", "keys/id_rsa", "id_ed25519",
    ".ssh/known_hosts", ".aws/credentials", "cert.p12", "Store.JKS", ".docker/config.json", "infra/terraform.tfstate",
)  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_refused_by_name(tmp_path: Path, name: str) -> None:
    file(tmp_path / "data/fine")
    file(tmp_path / "data" / name)
    error = caught(tmp_path, Asset(source="data", into="/"))
    assert error.name == "secret-asset"
    assert error.where[0].startswith("data/" + name.partition("/")[0])
    assert caught(tmp_path, Asset(source="data", into="/", include=("**",))).name == "secret-asset"
    left_out = Asset(source="data", into="/", exclude=tuple(name.split("/")))
    assert found(tmp_path, left_out) == {"fine": "0o444"}


@pytest.mark.parametrize("name", ["tls.pem", "tls.key", "server.crt"])
def test_private_keys_are_refused_by_content(tmp_path: Path, name: str) -> None:
    file(tmp_path / "data" / name, b"some text\n-----BEGIN RSA PRIVATE KEY-----\nMII\n")
    assert caught(tmp_path, Asset(source="data", into="/")).name == "secret-asset"
    file(tmp_path / "data" / name, b"-----BEGIN CERTIFICATE-----\nMII\n")
    assert set(found(tmp_path, Asset(source="data", into="/"))) == {name}


def test_secrets_behind_links_keep_their_name(tmp_path: Path) -> None:
    file(tmp_path / ".env")
    file(tmp_path / ".git/config")
    file(tmp_path / "data/fine")
    (tmp_path / "data/settings").symlink_to("../.env")
    assert caught(tmp_path, Asset(source="data", into="/")).name == "secret-asset"
    (tmp_path / "data/settings").unlink()
    (tmp_path / "data/history").symlink_to("../.git")
    assert caught(tmp_path, Asset(source="data", into="/")).name == "secret-asset"


def test_secrets_named_exactly_are_meant(tmp_path: Path) -> None:
    for name in (".env", ".git/config", "keys/tls.key", ".env.example", "example.env"):
        file(tmp_path / name, b"-----BEGIN PRIVATE KEY-----")
    assert set(found(tmp_path, Asset(source=".env", into="/"))) == {".env"}
    assert set(found(tmp_path, Asset(source=".git", into="/g"))) == {"g/config"}
    assert set(found(tmp_path, Asset(source="keys/tls.key", into="/"))) == {"tls.key"}
    assert set(found(tmp_path, Asset(source="keys", into="/", include=("tls.key",)))) == {"tls.key"}
    assert set(found(tmp_path, Asset(source=".", into="/", include=("*.example", "example.env")))) == {
        ".env.example",
        "example.env",
    }


def test_special_files_and_closed_files(tmp_path: Path) -> None:
    file(tmp_path / "data/closed", mode=0o000)
    if os.geteuid() != 0:
        assert caught(tmp_path, Asset(source="data", into="/")).name == "asset-unreadable"
    os.mkfifo(tmp_path / "data/pipe")
    assert caught(tmp_path, Asset(source="data", into="/")).name == "not-a-file"


def test_what_an_image_cannot_hold_is_said_when_packing(tmp_path: Path) -> None:
    file(tmp_path / "data/.wh.x")
    with pytest.raises(BuildError) as error:
        pack(
            place(asset_entries((Asset(source="data", into="/"),), tmp_path), {}),
            Packing(),
            Purpose(role="", history=""),
            packer(tmp_path),
        )
    assert error.value.name == "bad-path"


def test_nothing_of_the_user_shows(web: Path) -> None:
    (web / "web/index.html").chmod(0o600)
    os.utime(web / "web/index.html", (1, 1))
    (entry,) = asset_entries((Asset(source="web/index.html", into="/"),), web)
    assert (entry.mode, entry.uid, entry.gid) == (0o444, 0, 0)
    assert stat.S_IMODE((web / "web/index.html").stat().st_mode) == 0o600
    assert isinstance(entry, Entry)
