"""What `wherry generate` and `wherry init` say to do next, and what becomes of files whose program is gone."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.examples import commit, repository
from tests.support.generating import ran
from tests.support.tools import need

pytestmark = pytest.mark.e2e


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    need("go", "git")
    return repository("http-api", tmp_path / "http-api")


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Three programs, and no wherry.toml that names some of them."""
    need("go", "git")
    root = repository("multi-main", tmp_path / "multi-main")
    (root / "wherry.toml").unlink()
    return root


def made(cwd: Path, *words: str) -> str:
    done = ran("generate", *words, cwd=cwd)
    assert done.code == 0, done.stderr
    return done.stderr


def next_of(said: str) -> list[str]:
    """The commands after the closing line."""
    after = re.split(r"(?m)^(?:wrote \d|\d+ of|\d+ files?,).*\n", said)[-1]
    return [line.removeprefix("  next").strip() for line in after.splitlines()]


DOCKER = 'docker build -t http-api --build-arg VERSION="$(wherry plan --only version)" .'


OWN = "FROM golang:1.26 AS build\nRUN go build -o /app ./...\nFROM scratch\nCOPY --from=build /app /app\n"


def lacking(shop: Path, *words: str) -> list[tuple[str, str]]:
    """What Dockerfiles are told to lack."""
    said = " ".join(made(shop, *words).split())
    return re.findall(r"\[other-dockerfile\]: (\S+) is not wherry's, and has no word of (\S+)", said)


def test_a_dockerfile_of_ones_own_lacks_what_is_counted_on(shop: Path) -> None:
    """By what is in it, and only where the file names it."""
    own = shop / "Dockerfile"
    own.write_text(OWN)
    assert lacking(shop, "compose") == [("Dockerfile", "/wherry/probe,")]
    assert (
        lacking(shop, "bake") == lacking(shop, "build-script") == lacking(shop, "compose", "--for", "production") == []
    )
    own.write_text(f"{OWN}COPY probe /wherry/probe\n")
    assert lacking(shop, "compose") == []
    own.write_text(OWN)
    (shop / "wherry.toml").write_text('[image.health]\ncommand = ["/app/http-api", "health"]\n')
    assert lacking(shop, "compose") == []
    (shop / "wherry.toml").unlink()
    made(shop, "dockerfile", "--overwrite")
    assert lacking(shop, "compose") == []


def test_a_dockerfile_for_development_of_ones_own_has_the_stage_or_not(shop: Path) -> None:
    own = shop / "dev.Dockerfile"
    own.write_text(OWN)
    assert lacking(shop, "compose", "--for", "dev") == [("dev.Dockerfile", "a")]
    own.write_text(f"{OWN}from build as dev\n")
    assert lacking(shop, "compose", "--for", "dev") == []


def test_what_names_a_dockerfile_says_how_to_make_it(shop: Path) -> None:
    """As long as it is not there; a Dockerfile itself says how it is built."""
    for words, missing in (
        (("compose",), "wherry generate dockerfile"),
        (("compose", "--for", "dev"), "wherry generate dockerfile --variant dev"),
        (("container-test",), "wherry generate dockerfile"),
        (("bake",), "wherry generate dockerfile"),
        (("build-script",), "wherry generate dockerfile"),
        (("ci", "--docker"), "wherry generate dockerfile"),
    ):
        assert next_of(made(shop, *words))[0] == missing
    for words in (("compose", "--for", "production"), ("ci",), ("kubernetes",)):
        assert "generate dockerfile" not in made(shop, *words)
    assert set(next_of(made(shop))) == {"wherry generate dockerfile", "wherry generate dockerfile --variant dev"}
    assert next_of(made(shop, "dockerfile")) == [DOCKER]
    assert next_of(made(shop, "compose")) == ["docker compose up"]
    assert next_of(made(shop, "dockerfile", "--variant", "dev")) == ["docker compose -f compose.dev.yaml watch"]
    assert next_of(made(shop)) == []


def test_every_kind_says_what_uses_it(shop: Path) -> None:
    helm, kustomize, production = ("--form", "helm"), ("--form", "kustomize"), ("--for", "production")
    digest = ("--digest", f"sha256:{'1' * 64}")
    made(shop, "dockerfile")
    for words, steps in (
        (("health",), ["go doc ./internal/health  # how a main calls it"]),
        (("build-script",), ["./build.sh"]),
        (("bake",), ["docker buildx bake -f docker-bake.hcl"]),
        (("ci", "--for", "gitlab"), ["git add .gitlab-ci.yml  # it runs once that is pushed"]),
        (("kubernetes",), ["kubectl apply -f deploy/"]),
        (("kubernetes", *kustomize), ["kubectl apply -k deploy/overlays/production"]),
        (("kubernetes", *helm), ["helm upgrade --install http-api deploy/chart"]),
        (("compose", *production), [
            "export HTTP_API_IMAGE=http-api@sha256:...  # as the push printed it",
            "docker compose -f compose.production.yaml up",
        ]),
        (("compose", *production, *digest), ["docker compose -f compose.production.yaml up"]),
    ):  # fmt: skip
        assert next_of(made(shop, *words)) == steps
    shown = subprocess.run(
        ["go", "doc", "./internal/health"], cwd=shop, capture_output=True, text=True, check=True
    ).stdout
    assert "checker.Serve(ctx, server)" in shown


def test_several_programs_have_a_folder_each_in_the_cluster(several: Path) -> None:
    said = made(several, "kubernetes", "./cmd/api", "./cmd/worker")
    assert next_of(said) == ["kubectl apply -Rf deploy/"]
    inside = next_of(made(several / "cmd", "kubernetes", "--form", "kustomize", "./api", "./worker"))
    assert inside == [f"kubectl apply -k ../deploy/{name}/overlays/production" for name in ("api", "worker")]


def test_secrets_come_before_the_first_start(shop: Path) -> None:
    """Compose would stop at files that are not there; the command shows how they are made."""
    (shop / "wherry.toml").write_text('[generate]\nbacking = ["postgres"]\n')
    said = next_of(made(shop, "compose"))
    assert said[1:] == ["sed -n '/^# Once/,/^name/p' compose.yaml  # what to make once, before:", "docker compose up"]
    shown = subprocess.run(said[1], shell=True, cwd=shop, capture_output=True, text=True, check=True).stdout
    assert "install -d -m 700 secrets" in shown
    assert "secrets/postgres-password" in shown


def test_a_folder_below_gets_commands_that_work_there(several: Path) -> None:
    inside = several / "cmd/api"
    assert next_of(made(inside, "compose")) == [
        "wherry generate dockerfile -C ../.. ./cmd/api",
        "docker compose -f ../../compose.yaml up",
    ]
    said = next_of(made(inside, "dockerfile"))
    assert said == ['docker build -t api --build-arg VERSION="$(wherry plan --only version)" ../..']
    head = (several / "Dockerfile").read_text().split("\n", 1)[0]
    assert head == "# wherry generate dockerfile ./cmd/api", "seen from where the file lies"
    assert ran("generate", "--check", cwd=several).code == 0


def test_packages_count_from_the_folder_of_the_files(several: Path) -> None:
    made(several / "cmd", "makefile", "./api", "./worker")
    head = (several / "Makefile").read_text().split("\n", 1)[0]
    assert head == "# wherry generate makefile ./cmd/api ./cmd/worker"
    assert ran("generate", "--check", cwd=several).code == 0
    assert ran("generate", "makefile", "./cmd/api", "./cmd/worker", "--check", cwd=several).code == 0


@pytest.mark.parametrize("left", ["nothing", "a library"])
def test_files_of_a_program_that_is_gone_are_named_with_what_to_do(several: Path, left: str) -> None:
    for what in ("dockerfile", "kubernetes", "makefile"):
        made(several, what, "./cmd/api", "./cmd/worker")
    made(several, "health", "./cmd/worker")
    shutil.rmtree(several / "cmd/worker")
    if left == "a library":
        (several / "cmd/worker").mkdir()
        (several / "cmd/worker/library.go").write_text("package worker\n")
    checked = ran("generate", "--check", cwd=several)
    assert checked.code == 1
    gone = [line.removeprefix("no longer made by anything").strip() for line in checked.stdout.splitlines()
            if line.startswith("no longer made by anything")]  # fmt: skip
    assert {"worker.Dockerfile", "api.Dockerfile", "deploy/worker/deployment.yaml", "internal/health/doc.go"} <= set(
        gone
    )
    assert next_of(checked.stderr)[0] == shlex.join(["rm", *gone])
    done = ran("generate", cwd=several)
    assert done.code == 0, done.stderr
    assert (several / "worker.Dockerfile").exists(), "nothing is deleted unasked"
    subprocess.run(next_of(done.stderr)[0], shell=True, cwd=several, check=True)
    after = ran("generate", "--check", cwd=several)
    assert after.code == 0, after.stdout + after.stderr
    assert (several / "Makefile").read_text().split("\n", 1)[0] == "# wherry generate makefile ./cmd/api"


def test_files_of_a_module_that_is_gone_are_named(tmp_path: Path) -> None:
    """From its folder Go finds the module above or beside it, whose files these are not."""
    need("go", "git")
    for name in ("api", "jobs"):
        folder = tmp_path / "mono/services" / name
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(f"module example.com/{name}\n\ngo 1.24\n")
        (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
    root = commit(tmp_path / "mono")
    made(root / "services/jobs", "makefile")
    for name in ("go.mod", "main.go"):
        (root / "services/jobs" / name).unlink()
    checked = ran("generate", "--check", cwd=root)
    assert (checked.code, checked.stdout) == (1, "no longer made by anything  services/jobs/Makefile\n")
    assert next_of(checked.stderr) == ["rm services/jobs/Makefile"]
    assert ran("generate", cwd=root).code == 0
    assert not (root / "services/api/Makefile").exists(), "nobody asked for it"


@pytest.mark.parametrize("what", ["dockerfile", "container-test"])
def test_what_is_made_twice_is_named_and_nothing_else(what: str, several: Path) -> None:
    """Whichever came first, it is the files of one program that are needless: the others are of more than that."""
    made(several, what, "./...")
    (several / "docs").mkdir()
    said = made(several / "docs", what, "../cmd/api")
    assert f"`wherry generate {what} ./...` makes" in " ".join(said.split())
    assert "makes the same" not in made(several, "makefile", "./cmd/api")
    removed = needless(said)
    subprocess.run(removed, shell=True, cwd=several / "docs", check=True)
    assert ran("generate", "--check", cwd=several).code == 0, "every program still has its files"
    assert "made-twice" not in made(several, what, "--overwrite", "./...")
    made(several, what, "./cmd/api")
    said = made(several, what, "./...")
    assert sorted(needless(said).split()[1:]) == sorted(one.removeprefix("../") for one in removed.split()[1:])


def needless(said: str) -> str:
    """The command below the one warning, which is one line."""
    (command,) = re.findall(r"^  next   (rm .+)$", said.split("warning [made-twice]")[1], re.MULTILINE)
    return str(command)


def test_what_has_a_program_of_its_own_is_not_needless(several: Path) -> None:
    made(several, "dockerfile", "./cmd/api", "./cmd/worker")
    assert "made-twice" not in made(several, "dockerfile", "--overwrite", "./cmd/api", "./cmd/migrate")
    assert "made-twice" not in made(several, "dockerfile", "--variant", "dev", "./cmd/api")


@pytest.mark.parametrize("verb", ["generate", "init"])
def test_a_file_that_git_ignores_is_told_and_what_is_next_takes_it(verb: str, shop: Path) -> None:
    (shop / ".gitignore").write_text("# dots\n.*\n!.gitignore\n*.mk\n")
    words = ("generate", "ci", "--for", "github") if verb == "generate" else ("init", "--yes", "--with", "ci")
    said = ran(*words, cwd=shop).stderr
    assert said.count("ignored-file") == 1, said
    some = ".github/workflows/http-api.yaml is" if verb == "generate" else ".dockerignore and 1 more are"
    assert f"{some} ignored by git, by .gitignore:2" in " ".join(said.split())
    steps = re.findall(r"(git add .*)$", said, re.MULTILINE)
    assert len(steps) == 2
    for step in steps:
        subprocess.run(step, shell=True, cwd=shop, check=True)
        added = subprocess.run(
            ["git", "diff", "--cached", "--name-only"], cwd=shop, capture_output=True, text=True, check=True
        )
        assert ".github/workflows/" in added.stdout
        subprocess.run(["git", "reset", "--quiet"], cwd=shop, check=True)
    subprocess.run(steps[0], shell=True, cwd=shop, check=True)
    assert "ignored-file" not in ran(*words, "--overwrite", cwd=shop).stderr, "git knows it now"


def test_init_takes_the_programs_that_wherry_toml_names(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("multi-main", tmp_path / "multi-main")
    done = ran("init", "--yes", "--with", "dockerfile,compose", cwd=root)
    assert done.code == 0, done.stderr
    assert not (root / "migrate.Dockerfile").exists(), "it travels with api"
    assert next_of(done.stderr) == [
        f'docker build -f {name}.Dockerfile -t {name} --build-arg VERSION="$(wherry plan --only version ./cmd/{name})" .'
        for name in ("api", "worker")
    ] + ["docker compose up"]
    assert ran("generate", "--check", cwd=root).code == 0


def test_init_says_what_is_next(shop: Path) -> None:
    assert next_of(ran("init", "--yes", cwd=shop).stderr) == ["wherry build", "wherry generate --help"]
    assert next_of(ran("init", "--yes", "--with", "dockerfile", cwd=shop).stderr) == [DOCKER]
    said = next_of(ran("init", "--yes", "--with", "ci", cwd=shop).stderr)
    assert said == ["git add .github/workflows  # it runs once that is pushed"]


IGNORED = {
    ".git\n": ".dockerignore hides .git and",
    "/.git\n*.md\n": ".dockerignore hides .git and",
    "internal\n": ".dockerignore hides internal/server/server.go: to Go a missing file is a changed one",
    "**\n!.git\n": ".dockerignore hides go.mod and 2 more files of git",
    "bin\n": "",
    "[\n": "",
}


@pytest.mark.parametrize("text", IGNORED)
def test_a_foreign_dockerignore_that_changes_the_program_is_told(shop: Path, text: str) -> None:
    (shop / ".dockerignore").write_text(text)
    told = " ".join(made(shop, "dockerfile").split())
    assert ("warning [dockerignore-hides]" in told) == bool(IGNORED[text])
    assert IGNORED[text].removesuffix(" and") in told
    assert ("dockerignore-hides" in made(shop)) == bool(IGNORED[text]), "also when files are made anew"
    assert ran("generate", "dockerignore", "--overwrite", cwd=shop).code == 0
    assert "dockerignore-hides" not in made(shop)


def test_an_ignore_file_of_one_dockerfile_counts_before_the_others(tmp_path: Path) -> None:
    need("go", "git")
    root = repository("workspace", tmp_path / "workspace")
    (root / ".dockerignore").write_text(".git\n")
    commit(root, tag="v1.3.0")
    (home,) = {path.parent for path in root.rglob("main.go")} - {root}
    said = made(home, "dockerfile")
    assert "dockerignore-hides" not in said, "BuildKit reads the one beside the Dockerfile"
