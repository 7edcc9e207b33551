"""Every form of `wherry run --print` works as it is printed: read by a shell in an empty folder, it answers, and is held as
wherry would hold it. Quadlets: tests/oracles/test_quadlet.py."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, runbook, servers, units
from tests.support.cli import variables
from tests.support.contained import Case, case
from tests.support.containers import get
from tests.support.kernel_facts import seen, wanted
from tests.support.printed import Shell, read, shell
from tests.support.runbook import Book, book
from tests.support.servers import free_port
from tests.support.tools import need
from tests.support.units import values
from wherry.model.container import Container, Options
from wherry.runtime.look import family
from wherry.runtime.units import PATHS

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("engines")]

ENGINES = ("docker", "podman", "runc", "crun")
OPTIONS = (
    *("-p", "8080", "--memory", "64m", "--cpus", "0.5", "--pids", "50", "--files", "512"),
    *("-e", "GREETING=a 'b' \"c\"", "-e", "LINES=one\ntwo", "-e", "EMPTY=", "--tmpfs", "/scratch:1m", "--grace", "4"),
)


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    need("go", "git")
    with book() as found:
        yield found


@pytest.fixture(scope="module")
def decisions(shelf: Book) -> Iterator[Case]:
    """What wherry itself decides, in the same run folder."""
    with case("runc", shelf.folder) as found:
        yield found


@pytest.fixture(scope="module", params=ENGINES)
def where(request: pytest.FixtureRequest) -> Iterator[Shell]:
    with shell(request.param) as found:
        yield found


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder that a container in a user namespace can enter."""
    with servers.short_folder() as folder:
        folder.chmod(0o755)
        (folder / "empty").mkdir(mode=0o755)
        yield folder / "empty"


def text_of(where: Shell, shelf: Book, *words: str | Path) -> str:
    """What is printed, by a wherry that stands elsewhere than its reader."""
    engine = ("--engine", where.engine) if where.engine in ("runc", "crun") else ()
    form = "runc" if engine else where.engine
    return shelf.good("run", *words, *engine, "--print", form)


def different(engine: str, container: Container) -> set[str]:
    """Facts in which an engine differs from what wherry would do; no other may. In a chroot neither has a user namespace."""
    return ({"umask"} | ({"user namespace"} if container.id_base else set())) if engine == "docker" else set()


def test_an_image_answers_and_is_held_as_decided(where: Shell, shelf: Book, decisions: Case, empty: Path) -> None:
    secret, given = shelf.folder / "token", shelf.folder / "a, b"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    given.mkdir(exist_ok=True)
    (given / "seen").write_text("yes")
    words = (*OPTIONS, "--secret", "token=./token", "-v", "./a, b:/given:ro")
    name = f"box-{where.engine}"  # its secrets' copies lie below /run by this name
    text = text_of(where, shelf, apps.place("good"), "--name", name, *words)
    with read(text, where, name, empty, variables(shelf.folder / "home", **shelf.environment)) as one:
        assert get(one.published_at, 8080, "/healthz")[0] == 200
        options = Options(
            name=name, memory="64m", cpus="0.5", pids=50, files=512, tmpfs=("/scratch:1m",), grace=4.0,
            environment=("GREETING=a 'b' \"c\"", "LINES=one\ntwo", "EMPTY="),
        )  # fmt: skip
        container = decisions.made(apps.place("good"), options).container
        decided, found = wanted(container), seen(one.pid, container)
        root = Path(f"/proc/{one.pid}/root")
        assert (root / "given/seen").read_text() == "yes"
        assert (root / "run/secrets/token").read_text() == "s3cret"
        assert (root / "run/secrets/token").stat().st_uid == Path(f"/proc/{one.pid}").stat().st_uid
        assert oct((root / "run/secrets/token").stat().st_mode & 0o777) == "0o400"
        assert Path(f"/run/{name}-secrets").exists() == (where.engine in ("docker", "podman"))
    runbook.until(lambda: not Path(f"/run/{name}-secrets").exists())  # its shell takes the copies away
    assert len(decided) > 25
    differences = {name: (decided[name], found[name]) for name in decided if decided[name] != found[name]}
    assert differences.keys() == different(where.engine, container), differences


def test_a_package_answers(where: Shell, shelf: Book, empty: Path) -> None:
    init = () if where.engine == "podman" else ("--init",)  # podman's is a package of its own
    text = text_of(where, shelf, "-C", apps.repository(), "./cmd/good", "--name", "packed", "-p", "8080", *init)
    with read(text, where, "packed", empty, variables(shelf.folder / "home", **shelf.environment)) as one:
        assert get(one.published_at, 8080, "/healthz")[0] == 200
        programs = [str(Path(f"/proc/{pid}/exe").readlink()) for pid in family(one.pid)]
    assert [one for one in programs if one.endswith("/app/good")], programs  # in a chroot with its own path before
    assert programs[0].endswith("/app/good") == (not init)


@pytest.mark.parametrize("form", ["docker", "podman", "runc"])
def test_equal_words_print_an_equal_text(shelf: Book, form: str) -> None:
    words = ("run", apps.place("good"), "--name", "same", *OPTIONS, "--print", form)
    assert shelf.good(*words) == shelf.good(*words)
    assert shelf.places() == [], "nothing was started"


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_bundle_goes_into_a_folder_of_its_own(shelf: Book, empty: Path) -> None:
    (empty / "file").touch()
    words = ("run", "-q", apps.place("good"), "--name", "b", "--bundle")
    refused = shelf(*words, empty)
    assert (refused.code, "error [not-empty]" in refused.stderr, names(empty)) == (1, True, ["file"])
    shelf.good(*words, empty / "new")
    assert names(empty / "new") == ["config.json", "files", "rootfs"]
    assert names(empty) == ["file", "new"], "nothing is left aside"


def test_a_bundle_that_nobody_can_enter_is_refused(shelf: Book, empty: Path) -> None:
    servers.need_user_namespaces()
    empty.chmod(0o700)
    refused = shelf("run", "-q", apps.place("good"), "--bundle", empty / "b")
    assert (refused.code, "error [container-option]" in refused.stderr) == (2, True)
    assert str(empty) in refused.stderr.replace("\n", "")
    shelf.good("run", "-q", apps.place("good"), "--relax", "userns", "--bundle", empty / "b")


def test_either_printed_or_written(shelf: Book, empty: Path) -> None:
    refused = shelf("run", apps.place("good"), "--print", "runc", "--bundle", empty / "b")
    assert (refused.code, "error [container-option]" in refused.stderr) == (2, True)
    assert not (empty / "b").exists()


def unit_of(shelf: Book, *words: str) -> str:
    return shelf.good("run", apps.place("good"), *words, "--print", "systemd")


def test_a_unit_is_understood_by_systemd(shelf: Book, tmp_path: Path) -> None:
    need("systemd-analyze")
    unit = tmp_path / "good.service"
    unit.write_text(unit_of(shelf, "--name", "unit", *OPTIONS, "-e", "ODD=100% of $HOME"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, ""), "it warns of what it ignores, too"


def test_a_units_command_works_where_systemd_starts_it(shelf: Book) -> None:
    """In the folder that it names, with what it sets itself, and nothing else of a user's environment."""
    port = free_port()
    text = unit_of(shelf, "--name", "unit", "-p", f"{port}:8080", "-e", "ODD=100% of $HOME\n")
    (command,), (folder,) = values(text, "Service", "ExecStart"), values(text, "Service", "WorkingDirectory")
    said = (units.words(line, command=False)[0] for line in values(text, "Service", "Environment"))
    process = subprocess.Popen(
        units.words(command), cwd=folder, env={"PATH": PATHS, **dict(one.split("=", 1) for one in said)}
    )
    try:
        assert runbook.get(port, "/healthz")
        pid = shelf.containers()["unit"]["pid"]
        assert b"ODD=100% of $HOME\n\0" in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        process.terminate()
        assert process.wait(20) == 0, "SIGTERM is a graceful stop"


def test_values_that_are_nothing_are_said_too(shelf: Book) -> None:
    (command,) = values(unit_of(shelf, "--pids", "0", "--grace", "0"), "Service", "ExecStart")
    words = units.words(command)
    assert [words[words.index(flag) + 1] for flag in ("--pids", "--grace")] == ["0", "0.0"]
