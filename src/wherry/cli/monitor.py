"""A monitor's process: one message and the lock of a container's folder in by a socket, `started` or an error out; then it stays.

`system.attendants` starts it. Nothing of this is imported by the commands that people call.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import msgspec

from wherry import errors
from wherry.flows.handover import Answer, Task, answer_to, runtime_of
from wherry.flows.monitor import begin, stay, take_over
from wherry.kit.value import decodable
from wherry.runtime.folders import Place
from wherry.system.monitored import monitored_machine

LARGEST = 1 << 20


def main() -> None:
    """Ends with the container; at once when nobody asks it anything."""
    with socket.socket(fileno=os.dup(0)) as asked:
        message, descriptors, _, _ = socket.recv_fds(asked, LARGEST, 1, socket.MSG_CMSG_CLOEXEC)
        if not message or not descriptors:
            return
        task = msgspec.json.decode(message, type=decodable(Task))
        _streams(Path(task.place))
        machine = monitored_machine()
        place, runtime = Place(Path(task.place)), runtime_of(task, machine)
        try:
            watched = (take_over if task.running else begin)(place, runtime, machine)
        except errors.WherryError as error:
            asked.send(msgspec.json.encode(answer_to(error)))
            return
        asked.send(msgspec.json.encode(Answer()))
    sys.setswitchinterval(0.05)
    stay(watched, machine)
    os._exit(0)


def _streams(place: Path) -> None:
    """No input any more, and what goes wrong here is in the container's folder."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    os.dup2(os.open(place / "monitor.log", flags, 0o600), 2)
