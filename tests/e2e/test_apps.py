"""The programs of tests/apps have the one fault that their table says, seen without a container and without wherry's runtime."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.support import apps, odd_apps
from tests.support.bare import LIKE_PROCESS_1, PATIENCE, running, stopped, wait
from tests.support.servers import need_root
from tests.support.tools import need

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("apps")]

GOOD_PHASES = ([503, -1], [200, 503, -1])
UID = 64321
AS_NOBODY = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """All at once: one by one takes a minute."""
    need("setpriv")
    apps.build()


def test_the_table_has_each_once() -> None:
    assert set(apps.verdicts()) == {*apps.PROGRAMS, *apps.VARIANTS, *odd_apps.FAULTS}


def test_sources_are_tidy() -> None:
    assert (
        subprocess.run(["gofmt", "-l", "."], cwd=apps.FOLDER, capture_output=True, text=True, check=True).stdout == ""
    )
    vet = subprocess.run(["go", "vet", "./..."], cwd=apps.FOLDER, capture_output=True, text=True, check=False)
    assert vet.returncode == 0, vet.stderr
    for name in apps.PROGRAMS:
        assert (apps.FOLDER / "cmd" / name / "main.go").read_text().startswith(f"// Command {name} ")


def test_the_good_one(tmp_path: Path) -> None:
    with running("good", tmp_path) as app:
        assert app.get("/")[0] == app.get("/healthz")[0] == app.get("/readyz")[0] == 200
        assert app.get("/healthz", "::1")[0] == 200
        assert app.status("/nothing") == 404
        assert len(app.addresses()) == 1
        seen = stopped(app)
    assert seen.slow == [200] * 4
    assert seen.phases in GOOD_PHASES
    assert seen.code == 0
    assert seen.seconds < 8, "with its requests, not with its own patience"


@pytest.mark.parametrize("name", ["slowstart", "late", "unready", "selfhealth", "leaks", "burns", "needsdns", "chatty"])
def test_other_faults_leave_the_stop_alone(name: str, tmp_path: Path) -> None:
    with running(name, tmp_path, START_DELAY="10ms") as app:
        assert app.addresses()
        seen = stopped(app, in_flight=2, milliseconds=700)
    assert (seen.slow, seen.code) == ([200, 200], 0)
    assert seen.phases in GOOD_PHASES


def test_without_a_handler(tmp_path: Path) -> None:
    with running("nosigterm", tmp_path) as app:
        assert app.addresses()
        seen = stopped(app, milliseconds=30_000)
    assert seen.slow == [0] * 4
    assert seen.code == -15
    assert seen.seconds < 20


def test_sigterm_ignored(tmp_path: Path) -> None:
    with running("ignoresigterm", tmp_path) as app:
        assert app.addresses()
        app.process.terminate()
        time.sleep(0.3)
        assert app.status("/readyz") == 200


def test_new_requests_taken(tmp_path: Path) -> None:
    with running("nonewrefused", tmp_path, GRACE="3s") as app:
        assert app.addresses()
        seen = stopped(app)
    assert (seen.slow, seen.code) == ([200] * 4, 0)
    assert seen.ready.count(503) > 5
    assert seen.seconds > 1
    assert 200 not in seen.phases[1:]


def test_ready_while_stopping(tmp_path: Path) -> None:
    with running("stillready", tmp_path) as app:
        assert app.addresses()
        seen = stopped(app, milliseconds=4000)
    assert (seen.slow, seen.code) == ([200] * 4, 0)
    assert seen.ready.count(200) > 5
    assert seen.ready[-1] == -1


def test_half_of_the_requests_cut_off(tmp_path: Path) -> None:
    with running("halfdrain", tmp_path) as app:
        assert app.status("/slow?ms=1") == app.status("/slow?ms=1") == 200
        seen = stopped(app)
    assert (sorted(seen.slow), seen.code) == ([0, 0, 200, 200], 0)


def test_a_slow_stop(tmp_path: Path) -> None:
    with running("slowstop", tmp_path, STOP_DELAY="1500ms") as app:
        assert app.addresses()
        seen = stopped(app, milliseconds=300)
    assert (seen.slow, seen.code) == ([200] * 4, 0)
    assert 1.7 < seen.seconds < 15


def test_a_stop_with_a_wrong_status(tmp_path: Path) -> None:
    with running("exitcode", tmp_path) as app:
        assert app.addresses()
        seen = stopped(app, milliseconds=300)
    assert (seen.slow, seen.code) == ([200] * 4, 1)
    assert app.said().endswith("stopped\n")


def test_a_slow_start(tmp_path: Path) -> None:
    start = time.monotonic()
    with running("slowstart", tmp_path, START_DELAY="700ms") as app:
        assert app.get("/healthz")[0] == 200
    assert time.monotonic() - start > 0.7


def test_never_well(tmp_path: Path) -> None:
    with running("late", tmp_path) as app:
        assert app.status("/healthz") == 503
        assert app.status("/readyz") == 200


def test_ready_later_than_well(tmp_path: Path) -> None:
    with running("unready", tmp_path, READY_DELAY="3s") as app:
        assert app.status("/healthz") == 200
        assert app.status("/readyz") == 503
        wait(lambda: app.status("/readyz") == 200, app)


def test_its_own_health_command(tmp_path: Path) -> None:
    with running("selfhealth", tmp_path) as app:
        command, variables = [str(apps.program("selfhealth")), "health"], {"PORT": str(app.port)}
        assert subprocess.run(command, env=variables, check=False, capture_output=True).returncode == 0
        assert app.status("/sick") == 200
        assert subprocess.run(command, env=variables, check=False, capture_output=True).returncode == 1
        assert app.status("/readyz") == 200


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("exits", 0, "nothing to do\n"),
        ("hello", 0, "hello\n"),
        ("exits3", 3, "no configuration: /etc/app/config.yaml\n"),
    ],
)
def test_it_exits_at_once(name: str, code: int, said: str, tmp_path: Path) -> None:
    with running(name, tmp_path) as app:
        assert app.process.wait(PATIENCE) == code
        assert app.said() == said


def test_it_panics(tmp_path: Path) -> None:
    with running("panics", tmp_path, PANIC_DELAY="3s") as app:
        assert app.status("/healthz") == 200
        assert app.process.wait(PATIENCE) == 2
    assert "panic: a second is enough" in app.said()


def test_it_panics_at_a_request(tmp_path: Path) -> None:
    with running("panicsonrequest", tmp_path) as app:
        assert app.addresses()
        time.sleep(0.2)
        assert app.process.poll() is None
        assert app.status("/healthz") == 0
        assert app.process.wait(PATIENCE) == 2
    assert "panic: somebody asked" in app.said()


def test_memory_grows(tmp_path: Path) -> None:
    with running("leaks", tmp_path) as app:
        before = app.status("/healthz") and app.field("VmRSS")
        assert [app.status("/") for _ in range(4)] == [200] * 4
        after = app.field("VmRSS")
        assert after - before > 30 << 10
        wait(lambda: app.field("VmRSS") - after > 10 << 10, app)


def test_processors_are_busy(tmp_path: Path) -> None:
    with running("burns", tmp_path) as app, running("good", tmp_path) as idle:
        assert app.status("/healthz") == idle.status("/healthz") == 200
        busy, quiet = processor_seconds(app.process.pid), processor_seconds(idle.process.pid)
        wait(lambda: processor_seconds(app.process.pid) - busy > 0.5, app)
        assert processor_seconds(idle.process.pid) - quiet < 0.1
        assert app.status("/healthz") == 200


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_processes_without_end_until_refused(tmp_path: Path) -> None:
    need_root()
    with running("forks", tmp_path, *AS_NOBODY, "prlimit", "--nproc=96") as app:
        wait(lambda: "refused: " in app.said(), app)
        assert len(app.children()) > 5
        wait(lambda: app.children().count("Z") < 3, app)  # more that stay are the fault of another
        assert [app.status("/slow?ms=10") for _ in range(5)] == [200] * 5, "it goes on serving"
        assert app.process.poll() is None


def test_orphans_stay(tmp_path: Path) -> None:
    with running("zombies", tmp_path, *LIKE_PROCESS_1) as app:
        wait(lambda: app.children().count("Z") >= 2, app)
        assert app.status("/healthz") == 200
        assert app.stop() == 0


def test_writes_everywhere(tmp_path: Path) -> None:
    for folder in ("etc", "app", "var/log"):
        (tmp_path / "root" / folder).mkdir(parents=True)
    with running("writes", tmp_path, ROOT=str(tmp_path / "root")) as app:
        assert app.status("/healthz") == 200
    assert sorted(str(path.relative_to(tmp_path / "root")) for path in (tmp_path / "root").rglob("*") if path.is_file()) == [
        "app/x", "data.txt", "etc/x", "var/log/x",
    ]  # fmt: skip
    with running("writes", tmp_path, ROOT="/proc/nothing") as app:
        assert app.status("/healthz") == 200
        assert app.said().count("cannot write: open /proc/nothing/") >= 8, "when it starts and at each request"


def test_a_file_that_must_be_written(tmp_path: Path) -> None:
    with running("writesneeded", tmp_path, STATE="/proc/nothing") as app:
        assert app.process.wait(PATIENCE) == 1
        assert "cannot keep state: open /proc/nothing: " in app.said()
    with running("writesneeded", tmp_path, STATE=str(tmp_path / "state")) as app:
        assert app.status("/healthz") == 200


def test_a_temporary_folder_is_filled(tmp_path: Path) -> None:
    with running("fills", tmp_path, "prlimit", f"--fsize={4 << 20}", TMPDIR=str(tmp_path)) as app:
        wait(lambda: "refused: " in app.said(), app)
        assert app.status("/healthz") == 200
    assert (tmp_path / "fill").stat().st_size == 4 << 20


def test_users_that_are_refused(tmp_path: Path) -> None:
    need_root()
    for name, uid in (("rootonly", 0), ("fixeduid", 65532)):
        with running(name, tmp_path, *AS_NOBODY) as app:
            assert app.process.wait(PATIENCE) == 1
            assert f"not {UID}" in app.said()
        with running(name, tmp_path, "setpriv", f"--reuid={uid}") as app:
            assert app.status("/healthz") == 200


def test_a_port_for_the_privileged(tmp_path: Path) -> None:
    need_root()
    assert int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) > 81
    with running("lowport", tmp_path, *AS_NOBODY, LOW_PORT="81") as app:
        assert app.process.wait(PATIENCE) == 1
        assert "bind: permission denied" in app.said()


def test_where_they_listen(tmp_path: Path) -> None:
    with running("elsewhere", tmp_path, PORT="1", ELSEWHERE="0") as app:
        assert app.get("/healthz")[0] == 200, "PORT does not count"
    with running("extra", tmp_path, EXTRA="0") as app:
        wait(lambda: len(app.addresses()) == 2, app)
        assert len(set(app.addresses())) == 2
        assert app.get("/healthz")[0] == 200
    with running("loopback", tmp_path) as app:
        assert [host for host, _ in app.addresses()] == ["127.0.0.1"]
        assert app.get("/healthz")[0] == 200


def test_much_is_logged(tmp_path: Path) -> None:
    with running("chatty", tmp_path, LONG_LINE=str(3 << 20)) as app:
        wait(lambda: app.log.stat().st_size > 5 << 20, app)
        start, first = time.monotonic(), app.log.stat().st_size
        wait(lambda: app.log.stat().st_size > first + (5 << 20), app)
        rate = (app.log.stat().st_size - first) / (time.monotonic() - start)
    assert max(map(len, app.said().splitlines())) >= 3 << 20
    assert rate < 13e6
