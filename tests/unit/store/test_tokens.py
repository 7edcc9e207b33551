"""What is asked of token servers, and how long their tokens are good."""

from __future__ import annotations

import threading

import pytest

from wherry.kit.secret import Secret
from wherry.store.registry import auth
from wherry.store.registry.account import Credentials
from wherry.store.registry.kept import Kept, Token

NOW = "Sat, 21 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("expires", "issued", "date", "seconds"),
    [
        (300, "", "", 300),
        (None, "", "", 60),
        ("300", "", "", 300),
        (1, "", "", 1),
        (0, "", "", 60),
        (-5, "", "", 60),
        ("soon", "", "", 60),
        ("nan", "", "", 60),
        (1e300, "", "", auth.LONGEST),
        (300, "2026-11-21T08:59:00Z", NOW, 240),
        (300, "2026-11-21T09:59:00+01:00", NOW, 240),
        (300, "2026-11-21T08:59:00Z", "", 300),
        (300, "2026-11-21T09:05:00Z", NOW, 300),
        (300, "2020-01-01T00:00:00Z", NOW, 300),
        (300, "yesterday", NOW, 300),
        (300, "2026-11-21T08:59:00", NOW, 300),
        (None, "2026-11-21T08:59:30Z", NOW, 30),
    ],
)
def test_how_long_a_token_is_good(expires: float | str | None, issued: str, date: str, seconds: float) -> None:
    """This machine's clock is not looked at; what cannot be true is not believed (C04)."""
    assert auth.lifetime(expires, issued, date) == seconds


@pytest.mark.parametrize(
    ("asked", "scopes"),
    [
        ("", ("repository:a:pull,push",)),
        ("repository:a:pull", ("repository:a:pull,push",)),
        ("repository:a:push,pull", ("repository:a:pull,push",)),
        ("repository:a:*", ("repository:a:pull,push", "repository:a:*")),
        (
            "repository:a:delete registry:catalog:*",
            ("repository:a:pull,push", "repository:a:delete", "registry:catalog:*"),
        ),
        ("repository:b:pull", ("repository:a:pull,push",)),
        ("repository:ab:pull", ("repository:a:pull,push",)),
        ("junk", ("repository:a:pull,push",)),
    ],
)
def test_a_challenge_may_add_to_our_own_repositories_alone(asked: str, scopes: tuple[str, ...]) -> None:
    assert auth.scopes_of("repository:a:pull,push", asked) == scopes


def test_a_challenge_cannot_grow_without_end() -> None:
    asked = " ".join(f"repository:a:x{number}" for number in range(1000))
    assert len(auth.scopes_of("repository:a:pull", asked)) == auth.SCOPES


def test_what_takes_time_is_made_once() -> None:
    kept, made = Kept(), list[int]()
    account = Credentials(user="a", secret=Secret("s"))
    started = threading.Barrier(8)

    def find() -> Credentials:
        made.append(1)
        return account

    def work() -> None:
        started.wait()
        assert kept.credentials(("h", "r"), find) is account
        assert (
            kept.renewed("key", "", 0.0, lambda: Token(header=Secret(f"Bearer {len(made)}"), until=60.0)) == "Bearer 1"
        )

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_token_is_given_until_its_end_and_replaced_when_it_was_refused() -> None:
    kept, numbers = Kept(), iter(range(10))

    def make() -> Token:
        return Token(header=Secret(f"t{next(numbers)}"), until=60.0)

    assert kept.token("key", 0.0) == ""
    assert kept.renewed("key", "", 0.0, make) == "t0"
    assert (kept.token("key", 59.0), kept.token("key", 60.0)) == ("t0", "")
    assert kept.renewed("key", "", 1.0, make) == "t0"
    assert kept.renewed("key", "t0", 1.0, make) == "t1"
    assert kept.renewed("key", "t0", 1.0, make) == "t1", "another thread has just done so"
    assert kept.renewed("other", "", 1.0, make) == "t2"
