"""What Go and git were asked the last time, and need not be asked again. Which Go files were edited in, answers out; reads those
files.

A listing depends on go.mod and its like, on names in folders, and on the start of each Go file; tags and commits on what is in
`.git`. The no-op index knows that all of this is as it was but for the bytes of some Go files (`cache.noop.check.look`); when
their starts are the same too, the answers would be, and what they cost is left to the compilation under way.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from wherry.analyze.header import listed_part
from wherry.cache.noop import check
from wherry.cache.noop.record import Draft
from wherry.cache.noop.request import Request
from wherry.cache.records import LARGEST, Records
from wherry.flows.folders import folders_of
from wherry.kit.ports import Command, Completed, Machine
from wherry.kit.value import Value, decodable

#: How commands begin whose answers no declaration in a Go file can change. `git status` is none of them.
LASTING = (
    ("list",),
    ("--no-pager", "config"),
    ("--no-pager", "rev-list"),
    ("--no-pager", "for-each-ref"),
)


class Told(Value, frozen=True, kw_only=True):
    """What is kept of a build: answers by a hash of the command, and a hash of each Go file's start."""

    answers: dict[str, bytes]
    starts: dict[str, str]


class Memory:
    """The Run of a build's questions. `edited`: the Go files that are all that differs from the last build of the request `key`;
    None when that is not known."""

    def __init__(self, machine: Machine, key: Request | None, edited: tuple[str, ...] | None) -> None:
        self._machine, self._records = machine, Records(folders_of(machine))
        self._answers: dict[str, bytes] = {}
        self._known = self._recall(key, edited) if key and edited is not None else None

    @property
    def holds(self) -> bool:
        """Whether the last build's answers are still true."""
        return self._known is not None

    def __call__(self, command: Command, /) -> Completed:
        """Runs the command, unless its answer is known."""
        if not any(command.argv[1 : len(begin) + 1] == begin for begin in LASTING):
            return self._machine.run(command)
        name = hashlib.sha256(msgspec.json.encode(command)).hexdigest()
        known = self._known.answers.get(name) if self._known else None
        if known is None:
            ended = self._machine.run(command)
            if ended.code:
                return ended
            known = ended.stdout
        self._answers[name] = known
        return Completed(code=0, stdout=known)

    def stop(self) -> None:
        """As the machine's."""
        self._machine.run.stop()

    def kept(self, draft: Draft) -> Draft:
        """The draft of a build that asked Go, with what was answered."""
        if draft.unclear:
            return draft
        files = (path for path, proof in draft.proofs.items() if proof[:1] == "f" and path.endswith(".go"))
        try:
            told = Told(answers=self._answers, starts={path: _start(path) for path in files})
        except OSError:
            return draft
        data = msgspec.msgpack.encode(told)
        name = f"told {hashlib.sha256(data).hexdigest()}"
        if len(data) > LARGEST:
            return draft
        self._records.put(name, data)
        return msgspec.structs.replace(draft, told=name)

    def _recall(self, key: Request, edited: tuple[str, ...]) -> Told | None:
        index = check.load(folders_of(self._machine), key.key())
        data = self._records.get(index["told"]) if index and index["told"] else None
        if data is None:
            return None
        try:
            told = msgspec.msgpack.decode(data, type=decodable(Told))
            return told if all(told.starts.get(path) == _start(path) for path in edited) else None
        except (msgspec.MsgspecError, OSError):
            return None


def _start(path: str) -> str:
    return hashlib.sha256(listed_part(Path(path).read_bytes())).hexdigest()
