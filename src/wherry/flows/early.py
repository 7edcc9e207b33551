"""`go build` begun on the guess that the last plan still holds. A request in, a running Job or nothing out.

The guess costs nothing when right, which it is for every edit of a function; when wrong it is stopped, and what it compiled
stays in Go's cache.
"""

from __future__ import annotations

import msgspec

from wherry.cache.records import Records, key
from wherry.compile import Job, Workplace, start
from wherry.flows import rooms
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.plan import Plan
from wherry.model.toolchain import Toolchain


class Guess(Value, frozen=True, kw_only=True):
    """What was compiled the last time for the same request, and in which environment."""

    plan: Plan
    environment: tuple[tuple[str, str], ...]


class Early:
    """The compilation of this run: begun early, kept when the plan agrees, else begun again."""

    def __init__(self, request: BuildRequest, machine: Machine, scratch: str) -> None:
        self._request, self._machine, self._scratch = request, machine, scratch
        self._records = Records(rooms.folders_of(machine))
        self._key = key("last-plan", msgspec.json.encode(request).decode(), str(rooms.standing(request)))
        self._job: Job | None = None
        self._guess: Guess | None = None

    def begin(self, toolchain: Toolchain) -> None:
        """Starts Go on the last plan, if there is one that this Go could have made."""
        data = self._records.get(self._key) if self._request.cache else None
        if data is None:
            return
        try:
            guess = msgspec.json.decode(data, type=Guess)
        except msgspec.MsgspecError:
            return
        workplace = self._workplace(guess.plan)
        if guess.plan.toolchain != toolchain or guess.plan.hooks or workplace.environment != guess.environment:
            return
        self._guess = guess
        self._job = self._start(guess.plan, workplace)

    def compile(self, plan: Plan) -> Job:
        """The job that compiles `plan`: the early one when it does just that."""
        workplace = self._workplace(plan)
        if self._job and self._guess and self._guess.plan.compilations == plan.compilations and not plan.hooks:
            job, self._job = self._job, None
            return job
        self.stop()
        guess = Guess(plan=plan, environment=workplace.environment)
        self._records.put(self._key, msgspec.json.encode(guess))
        return self._start(plan, workplace)

    def stop(self) -> None:
        """Ends an early job that nobody took."""
        if self._job:
            self._job.cancel()
            self._job = None

    def _workplace(self, plan: Plan) -> Workplace:
        return rooms.workplace(self._machine, plan, self._scratch, self._request)

    def _start(self, plan: Plan, workplace: Workplace) -> Job:
        return start(plan.compilations, workplace, self._machine.start(), self._machine.events)
