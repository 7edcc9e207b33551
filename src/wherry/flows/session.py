"""One run from its first moment: a private folder, and `go build` begun on the guess that the last plan still holds.

The guess costs nothing when right, which it is for every edit of a function; when wrong Go is stopped, and what it compiled
stays in Go's cache. The command line opens a session before it imports the rest of itself, so Go compiles meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec.structs import replace

from wherry.cache.noop import state
from wherry.cache.noop.request import Request
from wherry.cache.records import Records
from wherry.cache.records import key as record_key
from wherry.flows.folders import folders_of, scratch, workplace
from wherry.kit.ports import Machine
from wherry.kit.value import Value, decodable
from wherry.model.plan import Plan

if TYPE_CHECKING:
    from wherry.compile import Job


class Guess(Value, frozen=True, kw_only=True):
    """What was compiled the last time for the same request, and in which environment: a hash, since proxies' addresses and
    other settings may hold secrets (D09)."""

    plan: Plan
    environment: str


class Session:
    """A run's folder and its compilation. `key` is the request as the no-op index knows it; without one nothing is guessed.
    `edited`: all that is known to differ from the last build of the request (`cache.noop.check.look`). `known`: its result, where
    nothing does."""

    def __init__(
        self, machine: Machine, key: Request | None = None, edited: tuple[str, ...] | None = None, known: str = ""
    ) -> None:
        self.machine, self.key, self.edited, self.known = machine, key, edited, known
        self.began = state.clock()
        self._stack = contextlib.ExitStack()
        self.scratch = self._stack.enter_context(scratch(machine))
        self._guess: Guess | None = None
        self._job: Job | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._stack.close()

    def begin(self) -> None:
        """Starts Go on the last plan, if there is one and this machine's Go could have made it."""
        guess = self._last()
        if guess is None or guess.plan.hooks:
            return
        from wherry.compile import start
        from wherry.toolchain import find_toolchain

        toolchain = find_toolchain(self.machine.environment, which=self.machine.which, run=self.machine.run)
        plan = replace(guess.plan, toolchain=toolchain)
        place = workplace(self.machine, plan, self.scratch)
        if _sealed(plan, place.environment) == guess:
            self._guess = guess
            self._job = start(plan.compilations, place, self.machine.start())

    def compile(self, plan: Plan, *, cache: bool = True) -> Job:
        """The job that compiles `plan`: the early one when it does just that. The session stops it if nobody waits."""
        if (
            self._job
            and self._guess
            and self._guess.plan.compilations == plan.compilations
            and not plan.hooks
            and cache
        ):
            return self._job
        from wherry.compile import start

        self.stop()
        place = workplace(self.machine, plan, self.scratch, cache=cache)
        self._job = start(plan.compilations, place, self.machine.start(), self.machine.events)
        if self.key:
            self._records.put(self._record, msgspec.json.encode(_sealed(plan, place.environment)))
        return self._job

    def aside(self, work: Callable[[], object]) -> None:
        """Does `work` beside what follows; the session does not end before it."""
        thread = threading.Thread(target=work, name="aside", daemon=True)
        thread.start()
        self._stack.callback(thread.join)

    def stop(self) -> None:
        """Ends a job under way; one that has ended is left as it is."""
        if self._job:
            self._job.cancel()
            self._job = None

    @property
    def _records(self) -> Records:
        return Records(folders_of(self.machine))

    @property
    def _record(self) -> str:
        return record_key("last-plan", self.key.key() if self.key else "")

    def _last(self) -> Guess | None:
        data = self._records.get(self._record) if self.key else None
        try:
            return msgspec.json.decode(data, type=decodable(Guess)) if data else None
        except msgspec.MsgspecError:
            return None


def _sealed(plan: Plan, environment: tuple[tuple[str, str], ...]) -> Guess:
    """What is kept of a run: the plan without the user's settings of Go, and a hash over them and the environment."""
    parts = repr((plan.toolchain.environment, environment)).encode()
    return Guess(
        plan=replace(plan, toolchain=replace(plan.toolchain, environment=())),
        environment=hashlib.sha256(parts).hexdigest(),
    )
