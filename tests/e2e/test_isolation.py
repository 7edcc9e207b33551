"""A container and its machine side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import apps, looks
from tests.support.runbook import Book, book
from tests.support.servers import need_user_namespaces

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("runc")]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


def test_isolation_is_what_the_kernel_says(shelf: Book) -> None:
    need_user_namespaces()
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "good")
    rows = {row["name"]: row for row in json.loads(shelf.good("inspect", "good", "--isolation", "--json"))["isolation"]}
    pid = shelf.containers()["good"]["pid"]
    assert rows["pid namespace"]["inside"] == str(Path(f"/proc/{pid}/ns/pid").readlink())[5:-1]
    assert rows["pid namespace"]["outside"] == str(Path("/proc/self/ns/pid").readlink())[5:-1]
    assert all(row["apart"] for row in rows.values()), [row for row in rows.values() if not row["apart"]]
    page = shelf.good("inspect", "good", "--isolation").splitlines()
    head = next(line for line in page if line.endswith("THIS MACHINE"))
    for name in ("pid namespace", "capabilities", "seccomp"):
        line = next(line for line in page if line.startswith(name))
        assert line[head.index("CONTAINER") :].startswith(rows[name]["inside"])
        assert line[head.index("THIS MACHINE") :].startswith(rows[name]["outside"][:20])
    assert all(sum(line.startswith(name) for line in page) == 2 for name in rows), "what it is, and what it is good for"
    assert looks.too_wide("\n".join(page), 80) == []


def test_what_is_not_apart_is_said(shelf: Book) -> None:
    """And capabilities are all named, however many."""
    names = ("CHOWN", "KILL", "SETUID", "SETGID", "FOWNER", "NET_RAW", "SYS_CHROOT")
    shelf.good("run", "-q", "-d", apps.place("good"), "--name", "mighty", *(f"--cap-add={name}" for name in names))
    said = " ".join(shelf.good("inspect", "mighty", "--isolation").split())
    shelf.good("rm", "--force", "mighty")
    assert re.search(r"NOT APART here: [a-z ,-]*capabilities", said)
    assert all(re.search(rf"\b{name}\b", said) for name in names)
