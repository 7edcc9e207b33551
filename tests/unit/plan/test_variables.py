"""Settings from WHERRY_ variables and --set."""

import pytest

from wherry.errors import Several, UsageError
from wherry.plan import check
from wherry.plan.tiers import effective
from wherry.plan.variables import from_assignments, from_environment, variable


@pytest.mark.parametrize(
    ("name", "text", "keys", "value"),
    [
        ("WHERRY_PLATFORMS", "linux/amd64, linux/arm64", ("platforms",), ("linux/amd64", "linux/arm64")),
        ("WHERRY_IMAGE_BASE", "scratch", ("image", "base"), "scratch"),
        ("WHERRY_IMAGE_STOP_SIGNAL", "SIGINT", ("image", "stop_signal"), "SIGINT"),
        ("WHERRY_IMAGE_LEVEL", "9", ("image", "level"), 9),
        ("WHERRY_IMAGE_PORTS", "80,53/udp", ("image", "ports"), ("80", "53/udp")),
        ("WHERRY_IMAGE_ENV", "A=1,B=x=y", ("image", "env"), {"A": "1", "B": "x=y"}),
        ("WHERRY_IMAGE_ENV", '{ A = "1,2" }', ("image", "env"), {"A": "1,2"}),
        ("WHERRY_IMAGE_ARGS", "serve '--name=a b'", ("image", "args"), ("serve", "--name=a b")),
        ("WHERRY_IMAGE_ARGS", '["a,b"]', ("image", "args"), ("a,b",)),
        ("WHERRY_IMAGE_HEALTH", "false", ("image", "health"), False),
        ("WHERRY_BUILD_CGO", "1", ("build", "cgo"), True),
        ("WHERRY_BUILD_FLAGS", "'-gcflags=-N -l' -race", ("build", "flags"), ("-gcflags=-N -l", "-race")),
        ("WHERRY_BUILD_LDFLAGS", "-X 'main.a=b c' -s", ("build", "ldflags"), ("-X 'main.a=b c' -s",)),
        ("WHERRY_BUILD_HOOKS", '[["go", "generate"]]', ("build", "hooks"), (("go", "generate"),)),
    ],
)
def test_each_kind_of_value(name: str, text: str, keys: tuple[str, ...], value: object) -> None:
    tier = from_environment(((name, text), ("WHERRY_CACHE_DIR", "/x"), ("HOME", "/root")))
    found: object = tier.settings
    for key in keys:
        found = getattr(found, key)
    assert found == value
    assert (tier.origin, tier.trusted) == ("environment", True)


def test_parts_of_one_table_come_together() -> None:
    tier = from_environment((("WHERRY_IMAGE_HEALTH_PATH", "/up"), ("WHERRY_IMAGE_HEALTH_PORT", "80")))
    health = effective((tier,)).image.health
    assert health is not None
    assert not isinstance(health, bool)
    assert (health.path, health.port) == ("/up", 80)


def test_an_empty_variable_counts_as_unset() -> None:
    assert from_environment((("WHERRY_IMAGE_BASE", ""), ("WHERRY_IMAGE_BSE", ""))).settings.image is None


@pytest.mark.parametrize(
    ("name", "text", "error", "step"),
    [
        ("WHERRY_IMAGE_BSE", "x", "unknown-variable", "did you mean WHERRY_IMAGE_BASE?"),
        ("WHERRY_BUILD_XYZZY", "x", "unknown-variable", "unset WHERRY_BUILD_XYZZY"),
        ("WHERRY_IMAGE_LEVEL", "high", "bad-setting", ""),
        ("WHERRY_IMAGE_ENV", "A", "bad-setting", ""),
        ("WHERRY_IMAGE_ENV", "{", "bad-setting", ""),
        ("WHERRY_IMAGE_ARGS", "'open", "bad-setting", ""),
        ("WHERRY_IMAGE_FORMAT", "ociv1", "bad-setting", "did you mean oci?"),
    ],
)
def test_mistakes_name_the_variable_and_not_its_value(name: str, text: str, error: str, step: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_environment(((name, text),))
    assert (caught.value.name, caught.value.where) == (error, (name,))
    assert (caught.value.next or ("",))[0] == step


def test_all_mistakes_of_the_environment_at_once() -> None:
    with pytest.raises(Several) as caught:
        from_environment((("WHERRY_IMAGE_BSE", "x"), ("WHERRY_IMAGE_LEVEL", "x")))
    assert len(caught.value.errors) == 2


def test_any_key_can_be_set_by_flag() -> None:
    tier = from_assignments(
        ("image.user=1000", "image.env.LOG=debug", "image.labels.com.example.team=core", "build.tags=a,b")
    )
    image, build = tier.settings.image, tier.settings.build
    assert image is not None
    assert build is not None
    assert (image.user, image.env, build.tags) == (1000, {"LOG": "debug"}, ("a", "b"))
    assert image.labels == {"com.example.team": "core"}
    assert effective((tier,)).source("image", "env", "LOG").text == "--set image.env.LOG"


@pytest.mark.parametrize(
    ("pair", "step"),
    [("image.usr=1", "did you mean image.user?"), ("image.user", "--set image.user=VALUE"), ("=", "write")],
)
def test_a_slip_in_a_flag(pair: str, step: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_assignments((pair,))
    assert caught.value.name == ("bad-setting" if pair == "image.user" else "unknown-key")
    assert caught.value.next[0].startswith(step)


def test_every_key_has_its_own_variable() -> None:
    names = [variable(keys) for keys, _ in check.leaves()]
    assert len(set(names)) == len(names) > 40
    assert all(name.isascii() and name.isupper() for name in names)
