"""`wherry init` and `wherry generate` over real repositories, as a user types them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.examples import repository
from tests.support.generating import ran
from tests.support.tools import need
from wherry import api
from wherry.errors import UsageError
from wherry.generate.table import WRITERS

pytestmark = pytest.mark.e2e
COMMANDS = [(row.what, row.option, variant) for row in WRITERS for variant in (row.variants or ("",))]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    need("go", "git")
    return repository("http-api", tmp_path / "http-api")


def everything(root: Path, *, switched: bool = False) -> None:
    """One of each kind; `switched`: with everything that can be switched on."""
    for row in WRITERS:
        done = ran("generate", row.what, *(f"--{name}" for name, _ in row.extras if switched), cwd=root)
        assert done.code == 0, (row.what, done.stderr)


def files(root: Path) -> dict[str, str]:
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return {name: (root / name).read_text() for name in names if name}


@pytest.mark.parametrize("switched", [False, True], ids=["plain", "switched"])
def test_a_port_is_changed_in_one_place(shop: Path, switched: bool) -> None:
    """`--check` names every stale file, and `generate` changes just the lines with the port."""
    assert ran("init", "--yes", cwd=shop).code == 0
    with (shop / "wherry.toml").open("a") as settings:
        settings.write('[generate]\nhost = "shop.example.com"\ngateway = "edge"\n')
    everything(shop, switched=switched)
    assert ran("generate", "--check", cwd=shop).code == 0
    before = files(shop)
    toml = shop / "wherry.toml"
    toml.write_text(toml.read_text().replace("8080", "9191"))
    checked = ran("generate", "--check", cwd=shop)
    assert checked.code == 1
    stale = {line.split(maxsplit=1)[1] for line in checked.stdout.splitlines() if line.startswith("stale")}
    assert files(shop) == before | {"wherry.toml": toml.read_text()}, "--check writes nothing"
    assert ran("generate", cwd=shop).code == 0
    after = files(shop)
    assert {name for name in before if before[name] != after[name]} == stale | {"wherry.toml"}
    named = {
        name for name, text in before.items() if name != "wherry.toml" and name not in COMMITTED and "8080" in text
    }
    assert named <= stale, "a port that nobody changed"
    for name in stale:
        changed = [
            (old, new)
            for old, new in zip(before[name].splitlines(), after[name].splitlines(), strict=True)
            if old != new
        ]
        assert changed
        assert all(new == old.replace("8080", "9191") for old, new in changed), changed
    assert ran("generate", "--check", cwd=shop).code == 0


COMMITTED = ("main.go", "internal/server/server.go")
"""Files of the example, which name the port too."""


@pytest.mark.parametrize(("what", "option", "variant"), COMMANDS)
def test_made_twice_is_made_once(shop: Path, what: str, option: str, variant: str) -> None:
    said = (f"--{option}", variant) if variant else ()
    first = ran("generate", what, *said, cwd=shop)
    assert first.code == 0, first.stderr
    assert all(line.startswith("new ") for line in first.stdout.splitlines()), first.stdout
    again = ran("generate", "--check", cwd=shop)
    assert again.code == 0, again.stdout
    assert again.stdout == "", "only what is stale is listed"
    count = len(first.stdout.splitlines())
    assert f"{count} file{'' if count == 1 else 's'}, all as made now\n" in again.stderr


def test_a_commit_makes_nothing_stale(shop: Path) -> None:
    everything(shop)
    for message in ("generated", "more"):
        (shop / "notes.txt").write_text(message)
        subprocess.run(["git", "add", "-A"], cwd=shop, check=True)
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", message],
            cwd=shop,
            check=True,
        )
        done = ran("generate", "--check", cwd=shop)
        assert done.code == 0, done.stdout


def test_a_handwritten_file_stays(shop: Path) -> None:
    (shop / "Makefile").write_text("all:\n\techo mine\n")
    done = ran("generate", "makefile", cwd=shop)
    assert done.code == 1
    assert "[file-exists]: Makefile is not wherry's" in done.stderr
    assert (shop / "Makefile").read_text() == "all:\n\techo mine\n"
    shown = ran("generate", "makefile", "--diff", cwd=shop)
    assert "-\techo mine" in shown.stdout
    assert (shop / "Makefile").read_text() == "all:\n\techo mine\n"
    replaced = ran("generate", "makefile", "--overwrite", cwd=shop)
    assert replaced.code == 0
    assert "-\techo mine" in replaced.stderr, "what goes is shown"


def test_what_users_keep_stays(shop: Path) -> None:
    assert ran("generate", "makefile", cwd=shop).code == 0
    path = shop / "Makefile"
    path.write_text(path.read_text() + "# wherry:keep\nmine:\n\techo mine\n# wherry:end\n")
    (shop / "wherry.toml").write_text("[image]\nports = [9191]\n")
    assert ran("generate", cwd=shop).code == 0
    assert path.read_text().endswith("# wherry:keep\nmine:\n\techo mine\n# wherry:end\n")
    assert ran("generate", "--check", cwd=shop).code == 0


def test_three_programs_and_no_choice(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("multi-main", tmp_path / "multi-main")
    (root / "wherry.toml").unlink()
    done = ran("generate", "makefile", cwd=root)
    assert done.code == 2
    assert "[several-mains]" in done.stderr
    assert "./cmd/worker" in done.stderr
    assert "  next   wherry generate makefile ./cmd/api\n  or     wherry generate makefile ./...\n" in done.stderr
    elsewhere = ran("generate", "dockerfile", "--variant", "dev", "-C", "multi-main", cwd=root.parent)
    assert "  next   wherry generate dockerfile --variant dev -C multi-main ./cmd/api\n" in elsewhere.stderr
    assert not (root / "Makefile").exists()
    assert ran("generate", "makefile", "./...", cwd=root).code == 0
    assert "./..." in (root / "Makefile").read_text().split("\n", 1)[0]
    assert ran("generate", "--check", cwd=root).code == 0


def test_nothing_generated_yet(shop: Path) -> None:
    done = ran("generate", "--check", cwd=shop)
    assert done.code == 2
    assert "[nothing-generated]" in done.stderr


def test_a_module_by_version(shop: Path) -> None:
    done = ran("generate", "makefile", "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0", cwd=shop)
    assert done.code == 2
    assert "[generate-remote]" in done.stderr


def test_as_json(shop: Path) -> None:
    made = json.loads(ran("generate", "makefile", "--json", cwd=shop).stdout)
    assert [(one["path"], one["state"]) for one in made["files"]] == [("Makefile", "new")]


def test_in_python(shop: Path) -> None:
    made = api.generate("makefile", directory=shop)
    assert [(one.path, one.state) for one in made.changes] == [("Makefile", "new")]
    assert not api.generate(directory=shop, mode="check").stale
    with pytest.raises(UsageError) as caught:
        api.generate("compose", variant="mars", directory=shop)
    assert caught.value.name == "bad-header"


def test_an_ignore_file_of_ones_own_stays(shop: Path) -> None:
    (shop / ".dockerignore").write_text("mine\n")
    done = ran("generate", "dockerfile", cwd=shop)
    assert done.code == 0
    assert "note [file-exists]: .dockerignore is not wherry's" in done.stderr
    assert (shop / ".dockerignore").read_text() == "mine\n"
    assert (shop / "Dockerfile").exists()


def test_a_worktree_is_told(shop: Path) -> None:
    """Its .git is a file, which Docker's context cannot follow; the files are those of a clone."""
    subprocess.run(["git", "worktree", "add", "-q", "../beside"], cwd=shop, check=True)
    done = ran("generate", "dockerfile", cwd=shop.parent / "beside")
    assert done.code == 0
    assert "note [worktree]" in done.stderr
    assert ran("generate", "dockerfile", cwd=shop).code == 0
    assert (shop.parent / "beside/Dockerfile").read_text() == (shop / "Dockerfile").read_text()


def test_the_first_commit_makes_nothing_stale(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("http-api", tmp_path / "http-api")
    shutil.rmtree(root / ".git")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    everything(root)
    for words in (["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    done = ran("generate", "--check", cwd=root)
    assert done.code == 0, done.stdout


def test_a_release_is_written_down(shop: Path) -> None:
    """That of the nearest tag; a later tag changes nothing until somebody asks."""
    assert ran("generate", "kubernetes", cwd=shop).code == 0
    path = shop / "deploy/deployment.yaml"
    assert path.read_text().startswith("# wherry generate kubernetes --release 1.2.3\n")
    assert ":1.2.3" in path.read_text()
    subprocess.run(["git", "tag", "v1.3.0"], cwd=shop, check=True)
    assert ran("generate", "--check", cwd=shop).code == 0
    assert ran("generate", "kubernetes", cwd=shop).code == 0
    assert ":1.3.0" in path.read_text()
    assert ran("generate", "kubernetes", "--release", "1.9.0", "--digest", f"sha256:{'1' * 64}", cwd=shop).code == 0
    assert f"@sha256:{'1' * 64}" in path.read_text()
    assert ran("generate", "--check", cwd=shop).code == 0
    for words, name in ((("--release", "a b"), "bad-release"), (("--digest", "sha256:1"), "bad-digest")):
        assert f"[{name}]" in ran("generate", "kubernetes", *words, cwd=shop).stderr


def test_two_folders_of_one_repository(tmp_path: Path) -> None:
    """What was made in one is not gone because another is made."""
    need("go", "git")
    root = repository("http-api", tmp_path)
    beside = root / "other"
    beside.mkdir()
    (beside / "go.mod").write_text("module example.com/other\n\ngo 1.24\n")
    (beside / "main.go").write_text("package main\n\nfunc main() {}\n")
    for folder in (root, beside):
        done = ran("generate", "makefile", "." if folder == root else "./...", cwd=folder)
        assert done.code == 0, done.stderr
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["new"]
    assert ran("generate", "--check", cwd=root).code == 0


def test_what_git_ignores_or_another_repository_holds_is_nobodys(shop: Path) -> None:
    """A module cache in the tree, as CI has it, and a clone below it."""
    everything(shop)
    for folder in (".cache/modules", "third_party"):
        (shop / folder).mkdir(parents=True)
        (shop / folder / "compose.yaml").write_text("# wherry generate rockets\n")
    (shop / ".gitignore").write_text("/.cache\n")
    subprocess.run(["git", "init", "-q"], cwd=shop / "third_party", check=True)
    done = ran("generate", "--check", cwd=shop)
    assert done.code == 0, done.stderr


def test_an_edit_of_the_sources_makes_nothing_stale(shop: Path) -> None:
    """Nor another remote, nor the first test, nor a line above an import."""
    everything(shop)
    (shop / "main.go").write_text(
        (shop / "main.go").read_text().replace("package main\n", "// More.\n\npackage main\n", 1)
    )
    (shop / "more_test.go").write_text("package main\n")
    subprocess.run(["git", "remote", "add", "origin", "https://example.com/somebody/fork"], cwd=shop, check=True)
    done = ran("generate", "--check", cwd=shop)
    assert done.code == 0, done.stdout


def test_a_module_file_that_git_does_not_know(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("workspace", tmp_path / "workspace")
    subprocess.run(["git", "rm", "-q", "--cached", "go.work"], cwd=root, check=True)
    done = ran("generate", "makefile", "./...", cwd=root)
    assert "[untracked-modules]" in done.stderr
    assert "go.work" in done.stderr


def test_a_copy_of_a_generated_file_is_told_with_what_to_do(shop: Path) -> None:
    assert ran("generate", "makefile", cwd=shop).code == 0
    shutil.copy(shop / "Makefile", shop / "Makefile.example")
    done = ran("generate", "--check", cwd=shop)
    assert done.code == 1
    assert "no longer made by anything  Makefile.example" in done.stdout
    assert "  next  rm Makefile.example\n" in done.stderr


def test_a_release_is_told_where_there_is_none(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("http-api", tmp_path / "http-api")
    subprocess.run(["git", "tag", "-d", "v1.2.3"], cwd=root, check=True, capture_output=True)
    done = ran("generate", "kubernetes", cwd=root)
    assert "warning [no-release]" in done.stderr
    assert (root / "deploy/deployment.yaml").read_text().startswith("# wherry generate kubernetes --release 0.0.0\n")
    subprocess.run(["git", "tag", "v1.0.0"], cwd=root, check=True)
    assert ran("generate", "--check", cwd=root).code == 0, "a first tag makes no file stale, either"
    assert "[no-release]" not in ran("generate", "kubernetes", cwd=root).stderr
    assert (root / "deploy/deployment.yaml").read_text().startswith("# wherry generate kubernetes --release 1.0.0\n")


def test_a_dockerfile_stands_on_the_base_that_was_chosen(shop: Path) -> None:
    (shop / "wherry.toml").write_text(f'[image]\nbase = "registry.corp.example/base@sha256:{"1" * 64}"\n')
    done = ran("generate", "dockerfile", cwd=shop)
    assert done.code == 0, done.stderr
    assert "other-base" not in done.stderr
    assert f"ARG BASE_IMAGE=registry.corp.example/base@sha256:{'1' * 64}\n" in (shop / "Dockerfile").read_text()
    other = ran("generate", "dockerfile", "--variant", "debian", cwd=shop)
    assert other.code == 0, other.stderr
    assert (
        "note [other-base]: http-api: --variant debian has its own base, not\n  registry.corp.example/base"
        in other.stderr
    )
    assert "registry.corp.example" not in (shop / "Dockerfile").read_text()
    assert "note [other-base]" in ran("generate", cwd=shop).stderr


def test_a_private_key_is_no_certificate(shop: Path) -> None:
    (shop / "wherry.toml").write_text('[image]\ncertificates = ["ca.pem"]\n')
    (shop / "ca.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    done = ran("generate", "dockerfile", cwd=shop)
    assert done.code == 2
    assert "error [bad-certificate]" in done.stderr
    assert not (shop / "Dockerfile").exists()


def test_a_base_that_no_registry_has_is_no_dockerfiles(shop: Path) -> None:
    (shop / "wherry.toml").write_text('[image]\nbase = "oci:bases/web"\n')
    before = files(shop)
    done = ran("generate", "dockerfile", cwd=shop)
    assert done.code == 2, done.stderr
    assert "error [base-place]" in done.stderr
    assert files(shop) == before
    assert ran("generate", "dockerfile", "--variant", "distroless", cwd=shop).code == 0


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ('[image]\nenv = { GOMEMLIMIT = "1GiB" }\n', "limits-conflict"),
        ('[image]\nenv = { GOMEMLIMIT = "banana" }\n', "bad-setting"),
        ('[image]\nhealth = { command = ["/bin/sh", "-c", "x"] }\n', "shell-probe"),
        ('[image]\nvolumes = ["/app"]\n', "bad-setting"),
        ('[generate]\nbuilder = "golang:1.20"\n', "bad-setting"),
        ('[generate]\nseccomp = "nosuch.json"\n', "bad-setting"),
    ],
)
def test_what_cannot_hold_writes_nothing(shop: Path, toml: str, name: str) -> None:
    assert ran("generate", "compose", cwd=shop).code == 0
    before = files(shop)
    (shop / "wherry.toml").write_text(toml)
    for words in (("generate",), ("generate", "dockerfile"), ("generate", "--check")):
        done = ran(*words, cwd=shop)
        assert done.code == 2, done.stderr
        assert f"error [{name}]" in done.stderr
    assert files(shop) == before | {"wherry.toml": toml}


def test_what_git_does_not_have_yet_is_shown_before_it_goes(shop: Path) -> None:
    """I06, dirty in git: an edit of a generated file that nobody committed stays, or is printed, since nothing else has it."""
    assert ran("generate", "makefile", cwd=shop).code == 0
    for words in (["add", "-A"], ["commit", "-qm", "made"]):
        subprocess.run(["git", *words], cwd=shop, check=True)
    path = shop / "Makefile"
    made = path.read_text()
    path.write_text(made.replace("## Tests\n", "## Tests, and my own words\n"))
    checked = ran("generate", "--check", cwd=shop)
    assert (checked.code, path.read_text() == made) == (1, False), "--check writes nothing"
    stays = ran("generate", cwd=shop)
    assert (stays.code, path.read_text() == made) == (1, False)
    assert "[edited-file]" in stays.stderr
    done = ran("generate", "--overwrite", cwd=shop)
    assert "-test: ## Tests, and my own words\n+test: ## Tests\n" in done.stderr
    assert path.read_text() == made
    path.write_text("mine\n")
    refused = ran("generate", "makefile", cwd=shop)
    assert refused.code == 1
    assert "[file-exists]" in refused.stderr
    assert path.read_text() == "mine\n"


def test_what_listens_nowhere_and_what_nobody_serves_is_told(tmp_path: Path) -> None:
    need("go", "git")
    idle = ran("generate", "compose", cwd=repository("cli", tmp_path / "cli"))
    assert idle.code == 0
    assert "note [no-port]: greet: no port was found, so files open none" in " ".join(idle.stderr.split())
    shop = repository("http-api", tmp_path / "http-api")
    (shop / "wherry.toml").write_text('[image]\nhealth = { path = "/nosuch", port = 8080 }\n')
    asked = ran("generate", "compose", cwd=shop)
    told = " ".join(asked.stderr.split())
    assert asked.code == 0
    assert "warning [health-route]: http-api: the health check asks for /nosuch, and the sources show /healthz" in told
    assert "where wherry.toml:2" in told
    assert 'next image.health.path = "/healthz"' in told
    for words in (("generate", "compose", "--json"), ("generate", "--check", "--json")):
        assert "health-route" in json.loads(ran(*words, cwd=shop).stdout)["findings"]
