"""Compiling begun early, on the guess that the last plan still holds. Compilations in, a Job out; starts a thread and Go."""

from __future__ import annotations

import threading

from wherry.compile.build import Workplace, compile_all
from wherry.kit.ports import Events, StoppableRun, silent
from wherry.model.binary import Compiled
from wherry.model.plan import Compilation


class Job:
    """A compilation under way. Exactly one of `wait` and `cancel` is to be called."""

    def __init__(self, compilations: tuple[Compilation, ...], workplace: Workplace, run: StoppableRun, events: Events) -> None:
        self.compilations = compilations
        self._run = run
        self._outcome: Compiled | BaseException | None = None
        self._done = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, args=(workplace, events), name="compile", daemon=True)
        self._thread.start()

    def wait(self) -> Compiled:
        """The binaries, or the error that compiling ended with. An interrupt ends Go first."""
        try:
            self._done.acquire()
        except BaseException:
            self._run.stop()
            raise
        if isinstance(self._outcome, Compiled):
            return self._outcome
        raise self._outcome or RuntimeError("compiling ended without a result")

    def cancel(self) -> None:
        """Ends Go and all its children; what was compiled so far stays in Go's cache."""
        self._run.stop()
        self._thread.join()

    def _work(self, workplace: Workplace, events: Events) -> None:
        try:
            self._outcome = compile_all(self.compilations, workplace, self._run, events)
        except BaseException as error:
            self._outcome = error
        finally:
            self._done.release()


def start(compilations: tuple[Compilation, ...], workplace: Workplace, run: StoppableRun, events: Events = silent) -> Job:
    """Begins `compile_all` in a thread. `run` must be this job's own (`system.Processes()`): cancelling stops all it started.
    `events` is called from that thread."""
    return Job(compilations, workplace, run, events)
