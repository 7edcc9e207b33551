"""The Run port on real children: how they end, what they say, and that nothing of them stays."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from wherry.errors import UnavailableError
from wherry.kit.ports import Command
from wherry.kit.secret import Secret
from wherry.system.processes import Processes

SHELL = "/bin/sh"


def shell(script: str, **options: object) -> Command:
    return Command(argv=(SHELL, "-c", script), **options)  # type: ignore[arg-type] # options are checked by msgspec's names


def alive(pid: int) -> bool:
    """False also for a dead one that nobody has reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def marked(folder: Path) -> list[int]:
    """Processes that were started with this folder as $MARK."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"MARK={folder}\0".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def read_pid(file: Path, seconds: float = 20.0) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{file} was not written")


def test_says_how_a_child_ended_and_all_it_said() -> None:
    done = Processes()(shell("echo out; echo err >&2; exit 7"))
    assert (done.code, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    assert done.seconds > 0


def test_a_signal_counts_as_the_shell_counts() -> None:
    assert Processes()(shell("kill -TERM $$")).code == 128 + signal.SIGTERM


def test_the_environment_is_exactly_what_is_given() -> None:
    done = Processes()(Command(argv=("/usr/bin/env",), environment=(("ONLY", "one"),)))
    assert done.stdout == b"ONLY=one\n"


def test_no_descriptor_no_input_no_terminal_is_inherited() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        done = Processes()(shell("ls /proc/self/fd; cat; ps -o sid= -p $$ 2>/dev/null || true; : > /dev/tty"))
    finally:
        os.close(reading)
        os.close(writing)
    assert str(writing) not in done.stdout.decode().split()
    assert done.code != 0, "a child without a terminal cannot ask anything"


def test_both_streams_are_drained_at_once() -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do head -c 200000 /dev/zero >&2; head -c 200000 /dev/zero; done"
    done = Processes()(shell(script))
    assert (len(done.stdout), len(done.stderr)) == (1_600_000, 1_600_000)


def test_output_can_go_to_a_file_and_input_come_from_one(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"abc")
    done = Processes()(Command(argv=("/bin/cat",), stdin=str(tmp_path / "in"), stdout=str(tmp_path / "out")))
    assert done.stdout == b""
    assert (tmp_path / "out").read_bytes() == b"abc"


def test_too_much_output_is_an_error_and_never_cut(tmp_path: Path) -> None:
    command = shell(f"echo $$ > {tmp_path}/pid; while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", limit=100_000)
    with pytest.raises(UnavailableError) as caught:
        Processes()(command)
    assert caught.value.name == "program-output"
    assert gone(read_pid(tmp_path / "pid"))


def test_time_is_limited_for_the_whole_group(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        Processes()(shell("sleep 60 & wait", timeout=0.3, environment=(("MARK", str(tmp_path)),)))
    assert caught.value.name == "program-timeout"
    assert time.monotonic() - begin < 30
    assert all(gone(pid) for pid in marked(tmp_path)), "however far the shell had come"


def test_time_counts_also_after_the_streams_are_closed() -> None:
    with pytest.raises(UnavailableError, match="did not end within"):
        Processes()(shell("exec >&- 2>&-; sleep 60", timeout=0.3))


def test_a_descendant_that_holds_the_pipes_is_not_waited_for(tmp_path: Path) -> None:
    begin = time.monotonic()
    done = Processes()(shell(f"sleep 30 & echo $! > {tmp_path}/pid; echo done"))
    assert (done.code, done.stdout) == (0, b"done\n")
    assert time.monotonic() - begin < 20
    os.kill(read_pid(tmp_path / "pid"), signal.SIGKILL)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Command(argv=("/nowhere/at-all",)), "no such file"),
        (Command(argv=("/etc",)), "permission denied"),
        (Command(argv=(SHELL,), directory="/nowhere"), "no such file"),
        (Command(argv=(SHELL, "a\0b")), "null byte"),
    ],
)
def test_what_cannot_start_is_said_plainly(command: Command, words: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        Processes()(command)
    assert caught.value.name == "program-start"
    assert words in caught.value.message.lower()


def test_stop_ends_running_children_and_refuses_new_ones(tmp_path: Path) -> None:
    run = Processes()
    caught: list[str] = []

    def work() -> None:
        try:
            run(shell(f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/pid; wait; sleep 60"))
        except UnavailableError as error:
            caught.append(error.name)

    thread = threading.Thread(target=work)
    thread.start()
    pid = read_pid(tmp_path / "pid")
    run.stop()
    thread.join(60)
    assert caught == ["stopped"]
    assert gone(pid), "a child that ignores SIGTERM is killed"
    with pytest.raises(UnavailableError, match="given up"):
        run(shell("true"))


def test_an_interrupt_ends_the_whole_group_promptly(tmp_path: Path) -> None:
    def interrupt() -> None:
        read_pid(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Processes()(shell(f"sleep 60 & echo $! > {tmp_path}/pid; wait"))
    assert time.monotonic() - begin < 30
    assert gone(read_pid(tmp_path / "pid"))


def test_a_text_is_given_through_a_pipe_and_is_never_shown() -> None:
    command = Command(argv=("/bin/cat",), input=Secret("canary\nlines" * 4000))
    assert Processes()(command).stdout == b"canary\nlines" * 4000
    assert "canary" not in repr(command)
    assert Processes()(Command(argv=("/bin/true",), input=Secret("nobody reads it"))).code == 0
    with pytest.raises(UnavailableError) as caught:
        Processes()(Command(argv=("/bin/cat",), input=Secret("x" * 100_000)))
    assert caught.value.name == "program-start"


def test_several_at_once_do_not_mix_their_words() -> None:
    run = Processes()
    answers: dict[int, bytes] = {}

    def work(number: int) -> None:
        answers[number] = run(shell(f"sleep 0.05; echo {number}")).stdout

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"{number}\n".encode() for number in range(8)}


def test_what_a_child_says_last_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it says all and ends between two steps of whoever listens."""
    poll = subprocess.Popen.poll

    def slow(child: "subprocess.Popen[bytes]") -> int | None:
        time.sleep(1)
        return poll(child)

    monkeypatch.setattr(subprocess.Popen, "poll", slow)
    assert Processes()(shell("sleep 0.5; echo late")).stdout == b"late\n"
