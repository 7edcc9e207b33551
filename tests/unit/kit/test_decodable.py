"""Several threads may be the first to decode a type: msgspec 0.22 alone ends the process then, about every second time."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
sys.setswitchinterval(1e-7)
import msgspec
from wherry.kit.value import decodable
from wherry.model.container import Container, User
from wherry.oci.platform import Platform
from wherry.runtime.folders import Record

platform, user = Platform(architecture="amd64"), User(uid=1, gid=1)
record = Record(id="a", engine="runc", container=Container(name="x", image="x", platform=platform, arguments=("/a",), user=user))
data, together, found = msgspec.json.encode(record), threading.Barrier(6), []

def decode():
    together.wait()
    found.append(msgspec.json.decode(data, type=decodable(Record)))

threads = [threading.Thread(target=decode) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [record] * 6
"""


def test_the_first_may_be_many() -> None:
    for _ in range(8):
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
