"""Where images are read from: mirrors in order, then the registry; and nowhere at all with --offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.accounts import PAIR, config, pulled, push
from tests.support.ports import ports
from tests.support.registry import Answer, FakeRegistry, Fault, fake_registry, refusal
from wherry.errors import CorruptError, UnavailableError, WherryError
from wherry.kit.ports import Event
from wherry.plan.registries import parse
from wherry.store.keeper import Ports


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


@pytest.fixture
def mirror() -> Iterator[FakeRegistry]:
    with fake_registry() as state:
        yield state


def mirrored(folder: Path, registry: FakeRegistry, *mirrors: str, events: list[Event] | None = None) -> Ports:
    rules = parse(f'[registry."{registry.host}"]\nmirrors = {json.dumps(mirrors)}\n', "registries.toml")
    heard = events if events is not None else []
    return replace(ports(folder), registries=lambda: rules, events=heard.append)


def asked(state: FakeRegistry) -> list[str]:
    return [call.path for call in state.calls]


def test_a_mirror_is_read_from_and_the_registry_is_left_alone(
    registry: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    digest = push(tmp_path, f"{mirror.host}/hub/team/app:1", ports(tmp_path)).digest
    machine = mirrored(tmp_path, registry, f"{mirror.host}/hub")
    assert pulled(f"{registry.host}/team/app:1", machine) == digest
    assert pulled(f"{registry.host}/team/app@{digest}", machine) == digest
    assert registry.calls == []


def test_pushes_never_go_to_a_mirror(registry: FakeRegistry, mirror: FakeRegistry, tmp_path: Path) -> None:
    assert push(tmp_path, f"{registry.host}/team/app:1", mirrored(tmp_path, registry, mirror.host)).sent
    assert mirror.calls == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503, 0])
def test_a_mirror_that_does_not_help_is_passed_over(
    status: int, registry: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    digest = push(tmp_path, f"{registry.host}/team/app:1", ports(tmp_path)).digest
    mirror.faults = [Fault(status=status or 500, cut=not status, times=99)]
    heard: list[Event] = []
    machine = mirrored(tmp_path, registry, "127.0.0.1:9", mirror.host, events=heard)
    assert pulled(f"{registry.host}/team/app:1", machine) == digest
    notes = [event.subject for event in heard if "passed over" in event.subject]
    assert len(notes) == 2
    assert notes[0].startswith("127.0.0.1:9/team/app is passed over: could not reach")
    assert len(mirror.calls) == (2 if status == 403 else 1), (
        "asked once (HEAD alone may be what it refuses), no waiting"
    )


def test_the_registrys_own_error_is_the_one_that_is_told(
    registry: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    with pytest.raises(WherryError) as caught:
        pulled(f"{registry.host}/team/app:1", mirrored(tmp_path, registry, mirror.host))
    assert caught.value.name == "registry-not-found"
    assert registry.host in caught.value.message


def test_a_digest_pins_what_a_mirror_gives(registry: FakeRegistry, mirror: FakeRegistry, tmp_path: Path) -> None:
    digest = push(tmp_path, f"{mirror.host}/team/app:1", ports(tmp_path)).digest
    other = push(tmp_path, f"{mirror.host}/team/app:2", ports(tmp_path), seed=2).digest
    mirror.manifests[f"team/app@{digest}"] = mirror.manifests[f"team/app@{other}"]
    with pytest.raises(CorruptError) as caught:
        pulled(f"{registry.host}/team/app@{digest}", mirrored(tmp_path, registry, mirror.host))
    assert caught.value.name == "digest-mismatch"


def test_a_mirror_gets_its_own_credentials_and_no_others(
    registry: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    """Both are 127.0.0.1; the port is part of the name."""
    digest = push(tmp_path, f"{registry.host}/team/app:1", ports(tmp_path)).digest
    push(tmp_path, f"{mirror.host}/team/app:1", ports(tmp_path))
    mirror.authorize = lambda call: (
        None if "authorization" in call.headers else Answer(401, {"WWW-Authenticate": "Basic"})
    )
    machine = mirrored(tmp_path, registry, mirror.host)
    docker = (("DOCKER_CONFIG", str(config(tmp_path, registry.host))),)
    assert pulled(f"{registry.host}/team/app:1", replace(machine, environment=machine.environment + docker)) == digest
    assert not mirror.sent(PAIR)
    assert asked(registry)[-1]


def test_offline_asks_nobody_and_says_what_was_wanted(registry: FakeRegistry, tmp_path: Path) -> None:
    machine = replace(mirrored(tmp_path, registry, "127.0.0.1:9"), offline=True)
    for work in (pulled, lambda name, ports_: push(tmp_path, name, ports_)):
        with pytest.raises(UnavailableError) as caught:
            work(f"{registry.host}/team/app:1", machine)
        assert caught.value.name == "offline"
        assert registry.host in caught.value.message
        assert "/v2/team/app/manifests/1" in caught.value.where[0]
    assert registry.calls == []


def test_rate_limits_are_told_as_such(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.authorize = lambda _: refusal(429, "TOOMANYREQUESTS", "you have reached your pull rate limit")
    with pytest.raises(UnavailableError) as caught:
        pulled(f"{registry.host}/team/app:1", ports(tmp_path))
    assert caught.value.name == "registry-busy"
    assert "pull rate limit" in caught.value.why
