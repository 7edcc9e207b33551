"""Who a container's ids are on this machine: root's, an ordinary user's with subordinate ids and without."""

from __future__ import annotations

from typing import Any

import pytest

from wherry.errors import UnavailableError, UsageError
from wherry.model.container import Container, IdRange, Options, Owned, Rootless, User
from wherry.oci.config import RunConfig
from wherry.oci.platform import Platform
from wherry.plan.container import Facts, decide

SUBORDINATE = (IdRange(inside=1, outside=100000, size=65536),)
ADA = Rootless(uid=1000, gid=1001, uids=SUBORDINATE, gids=SUBORDINATE)
BOB = Rootless(uid=1002, gid=1003)
PLAIN = Options()


def decided(rootless: Rootless | None, options: Options = PLAIN, **more: Any) -> Container:
    user = more.pop("user", User(uid=65532, gid=65532))
    config = RunConfig(entrypoint=("/app",), user=f"{user.uid}:{user.gid}")
    base = 0 if rootless else 0x30000000
    facts = Facts(
        image="app", title="app", platform=Platform(architecture="amd64"), config=config, user=user, rootless=rootless,
        id_base=base, processors=2, memory=1 << 33, **more,
    )  # fmt: skip
    return decide(options, facts)


def why(container: Container, name: str) -> str:
    return next(one.reason for one in container.decisions if one.name == name)


def test_root_maps_ids_of_nobody() -> None:
    made = decided(None)
    assert (made.id_base, made.uids, made.group) == (0x30000000, (), "")
    assert made.user_namespace
    assert not decided(None, Options(relax=("userns",))).user_namespace


def test_on_this_machines_network_ids_are_this_machines() -> None:
    made = decided(None, Options(network="host"))
    assert not made.user_namespace
    assert "/sys cannot be mounted" in why(made, "userns")


def test_with_subordinate_ids_it_is_nobody_outside() -> None:
    made = decided(ADA)
    assert made.user == User(uid=65532, gid=65532)
    assert made.uids == (IdRange(inside=0, outside=1000), *SUBORDINATE)
    assert made.gids == (IdRange(inside=0, outside=1001), *SUBORDINATE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(volumes=("/data:/data",)), "a volume may be written to"),
        (Options(secrets=("/token",)), "only you may read its secrets"),
        (Options(relax=("rootfs",)), "the root may be written to"),
    ],
    ids=["volume", "secret", "root"],
)
def test_what_is_the_users_needs_the_users_id(options: Options, words: str) -> None:
    made = decided(ADA, options)
    assert made.uids == (IdRange(inside=0, outside=1000),)
    assert words in why(made, "userns")


def test_what_only_its_owner_may_use_needs_the_owner() -> None:
    made = decided(ADA, closed="/etc/key")
    assert made.uids == (IdRange(inside=0, outside=1000),)
    assert "/etc/key is closed to others" in why(made, "userns")
    assert why(decided(None, closed="/etc/key"), "userns").endswith("a copy of its own: /etc/key is closed to others")


def test_a_volume_that_is_only_read_needs_nothing() -> None:
    assert len(decided(ADA, Options(volumes=("/data:/data:ro",))).uids) == 2


@pytest.mark.parametrize("any_id", [True, False], ids=["crun", "runc"])
def test_without_subordinate_ids_it_is_the_user(any_id: bool) -> None:
    bob = Rootless(uid=1002, gid=1003, any_id=any_id)
    made = decided(bob, user=User(uid=65532, gid=65533, groups=(7,)))
    uid, gid = (65532, 65533) if any_id else (0, 0)
    assert made.user == User(uid=uid, gid=gid), "groups cannot be set with one id (user_namespaces(7))"
    assert (made.uids, made.gids) == ((IdRange(inside=uid, outside=1002),), (IdRange(inside=gid, outside=1003),))
    said = next(one for one in made.decisions if one.name == "user")
    assert said.value == f"{uid}:{gid}"
    assert ("without any right" in said.reason) != any_id


def test_an_id_beyond_the_subordinate_ones() -> None:
    made = decided(ADA, user=User(uid=1_000_700_000, gid=0))
    assert made.uids == (IdRange(inside=0, outside=1000),)
    assert "beyond your subordinate ids" in why(made, "userns")


def test_owners_that_the_namespace_lacks_become_the_program() -> None:
    owned = (Owned(path="/data", mode=0o755, uid=4711, gid=65532),)
    bob = Rootless(uid=1002, gid=1003, any_id=True)
    rows = {one.path: (one.uid, one.gid) for one in decided(bob, owned=owned).tmpfs}
    assert rows == {"/data": (65532, 65532), "/tmp": (65532, 65532)}, 'the kernel says "Invalid uid" otherwise'
    kept = {one.path: (one.uid, one.gid) for one in decided(ADA, owned=owned).tmpfs}
    assert kept == {"/data": (4711, 65532), "/tmp": (0, 0)}


def test_without_groups_there_are_no_limits_and_that_is_said() -> None:
    made = decided(BOB)
    assert (made.limits.memory, made.limits.cpus, made.limits.pids) == (0, 0, 0)
    assert made.limits.files, "an rlimit needs no group"
    assert made.group is None
    assert [one.name for one in made.findings] == ["no-limits"]
    assert "GOMEMLIMIT" not in dict(made.environment)
    assert [one.name for one in decided(BOB, Options(relax=("limits",))).findings] == ["relaxed"]


@pytest.mark.parametrize(
    "options", [Options(memory="64m"), Options(cpus="1"), Options(pids=9)], ids=["memory", "cpus", "pids"]
)
def test_a_limit_that_was_asked_for_is_not_forgotten(options: Options) -> None:
    with pytest.raises(UnavailableError) as caught:
        decided(BOB, options)
    assert caught.value.name == "no-limits"


def test_with_a_group_there_are_limits() -> None:
    made = decided(Rootless(uid=1002, gid=1003, group="/ada"), Options(memory="64m"))
    assert (made.group, made.limits.memory, made.findings) == ("/ada", 64 << 20, ())
    assert made.limits.pids


def test_only_root_goes_without_a_user_namespace() -> None:
    with pytest.raises(UsageError, match="only root"):
        decided(ADA, Options(relax=("userns",)))
