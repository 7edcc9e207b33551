"""Compiling begun early, on the guess that the last plan still holds. Compilations in, a Job out; starts a thread and Go."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

from wherry.compile.build import Workplace, compile_all
from wherry.kit.ports import Events, StoppableRun, silent
from wherry.model.binary import Compiled
from wherry.model.plan import Compilation


class Job:
    """Compilations under way, for the caller to compare with those it wanted. One of `wait` and `cancel` is to be called."""

    def __init__(self, compilations: tuple[Compilation, ...], future: Future[Compiled], run: StoppableRun) -> None:
        self.compilations = compilations
        self._future = future
        self._run = run

    def wait(self) -> Compiled:
        """The binaries, or the error that compiling ended with. An interrupt ends Go first."""
        try:
            return self._future.result()
        except BaseException:
            self._run.stop()
            raise

    def cancel(self) -> None:
        """Ends Go and all its children, and waits for that; what was compiled so far stays in Go's cache."""
        self._run.stop()
        wait((self._future,))


def start(
    compilations: tuple[Compilation, ...], workplace: Workplace, run: StoppableRun, events: Events = silent
) -> Job:
    """Begins `compile_all` in a thread. `run` must be this job's own (`system.processes.Processes()`): cancelling stops all
    that it started. `events` is called from that thread."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="compile")
    future = pool.submit(compile_all, compilations, workplace, run, events)
    pool.shutdown(wait=False)
    return Job(compilations, future, run)
