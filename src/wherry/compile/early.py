"""Compiling begun early, on the guess that the last plan still holds. Compilations in, a Job out; starts a thread and Go."""

from __future__ import annotations

import threading

from wherry.compile.build import Workplace, compile_all
from wherry.errors import WherryError
from wherry.kit.ports import Events, StoppableRun, silent
from wherry.model.binary import Compiled
from wherry.model.plan import Compilation


class Job:
    """Compilations under way, for the caller to compare with those it wanted. One of `wait` and `cancel` is to be called."""

    def __init__(self, compilations: tuple[Compilation, ...], run: StoppableRun) -> None:
        self.compilations = compilations
        self._run = run
        self._done = threading.Event()
        self._outcome: Compiled | WherryError | None = None

    def wait(self) -> Compiled:
        """The binaries, or the error that compiling ended with. An interrupt ends Go first."""
        try:
            self._done.wait()
        except BaseException:
            self._run.stop()
            raise
        if isinstance(self._outcome, Compiled):
            return self._outcome
        raise self._outcome or RuntimeError("the thread that compiled ended without a result")

    def cancel(self) -> None:
        """Ends Go and all its children, and waits for that; what was compiled so far stays in Go's cache."""
        self._run.stop()
        self._done.wait()

    def work(self, workplace: Workplace, events: Events) -> None:
        """What the job's thread does."""
        try:
            self._outcome = compile_all(self.compilations, workplace, self._run, events)
        except WherryError as error:
            self._outcome = error
        finally:
            self._done.set()


def start(
    compilations: tuple[Compilation, ...], workplace: Workplace, run: StoppableRun, events: Events = silent
) -> Job:
    """Begins `compile_all` in a thread. `run` must be this job's own (`Machine.start()`): cancelling stops all that it
    started. `events` is called from that thread."""
    job = Job(compilations, run)
    threading.Thread(target=job.work, args=(workplace, events), name="compile", daemon=True).start()
    return job
