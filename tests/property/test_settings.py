"""Settings: precedence, and that nothing but a WherryError comes out of any text."""

import contextlib
import json
import tomllib
from typing import Any

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from tests.support.planning import inputs
from wherry.errors import UsageError, WherryError
from wherry.model.settings import ImageSettings, Settings
from wherry.oci import reference
from wherry.plan import check, places, read, template, version, words
from wherry.plan.make import make_plan
from wherry.plan.tiers import Tier, effective
from wherry.plan.variables import from_assignments, from_environment, variable

KEYS = [name for keys, _ in check.leaves() for name in map(str, keys)] + [
    "main",
    "api",
    "assets",
    "from",
    "into",
    "x y",
    "",
    "a.b",
]
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "/", "..", "{version}", "{env.X}", "-race", "-X a=b", "linux/arm64", "30s", "0755"]
)
SCALARS = TEXTS | st.integers(-(2**70), 2**70) | st.booleans() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
TREES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)


def shaped(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a settings type: of the right shape, mostly of no sense."""
    return st.one_of(*map(_shaped, check.alternatives(kind)))


SIMPLE: dict[type, st.SearchStrategy[Any]] = {
    inspect.BoolType: st.booleans(),
    inspect.IntType: st.integers(-1, 70_000),
    inspect.FloatType: st.floats(),
    inspect.DateType: st.dates().map(str),
}


def _shaped(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StructType():
            fields = {field.encode_name: shaped(field.type) for field in kind.fields}
            needed = {field.encode_name: fields.pop(field.encode_name) for field in kind.fields if field.required}
            return st.fixed_dictionaries(needed, optional=fields)
        case inspect.DictType():
            return st.dictionaries(TEXTS | st.just("api"), shaped(kind.value_type), max_size=2)
        case inspect.VarTupleType():
            return st.lists(shaped(kind.item_type), max_size=3)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case _:
            return SIMPLE.get(type(kind), TEXTS)


SHAPED = st.deferred(lambda: _shaped(check.structure()))


def toml(value: Any) -> str:
    """A value as TOML writes it inline."""
    match value:
        case bool() | int() | float():
            return json.dumps(value)
        case str():
            return json.dumps(value).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case _:
            return "{" + ", ".join(f"{toml(key)} = {toml(one)}" for key, one in value.items()) + "}"


def document(tree: dict[str, Any]) -> str:
    return "".join(f"{toml(key)} = {toml(value)}\n" for key, value in tree.items())


@given(TREES)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_tree_is_settings_or_a_clear_error(tree: dict[str, Any]) -> None:
    text = document(tree)
    try:
        tomllib.loads(text)
    except ValueError:
        return
    with contextlib.suppress(WherryError):
        read.parse(text, "wherry.toml")


@given(SHAPED, st.booleans())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_settings_are_a_plan_or_a_clear_error(tree: dict[str, Any], trusted: bool) -> None:
    tree.pop("required-version", None)
    empty = check.check(tree, check.dotted)
    assert all(error.message.endswith(" is empty") or error.name == "no-check" for error in empty)
    assume(not empty)
    tier = Tier(origin="file", settings=check.settings(tree), trusted=trusted)
    try:
        made = make_plan(inputs(tiers=(tier,), references=("reg.example/{name}:{version}",), hooks=True))
    except WherryError:
        return
    for image in made.images:
        assert reference.parse(f"{image.name}:{image.version}").tag == image.version
        assert all(path.path.startswith("/") and ".." not in path.path.split("/") for path in image.writable)
        assert all(not one.source.startswith(("/", "../")) and one.into.startswith("/") for one in image.assets)
    for one in made.compilations:
        assert dict(one.environment)["GOENV"] == "off"
        assert trusted or not any(flag.startswith(("-toolexec", "-overlay", "-modfile")) for flag in one.flags)


@given(st.text(max_size=200))
@example("a = 1\r")
@example("[a]\n[a]")
@example("a.b = 1\na = 2")
@settings(max_examples=300, deadline=None)
def test_any_text_is_settings_or_a_clear_error(text: str) -> None:
    try:
        read.parse(text, "wherry.toml")
    except WherryError as caught:
        error = caught
    else:
        return
    assert error.where[0].startswith("wherry.toml")


@given(TREES)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_key_of_a_document_has_its_place(tree: dict[str, Any]) -> None:
    text = document(tree)
    try:
        tree = tomllib.loads(text)
    except ValueError:
        return
    assert set(places.scan(text)) == paths(tree)


def paths(value: Any) -> set[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {(key, *rest) for key, one in items for rest in ((), *paths(one))}


LAYERS = st.lists(
    st.builds(
        ImageSettings,
        base=st.none() | st.sampled_from(["a", "b", "c"]),
        level=st.none() | st.integers(0, 9),
        args=st.none() | st.tuples(st.sampled_from("ab")),
        env=st.none() | st.dictionaries(st.sampled_from("XYZ"), st.sampled_from("12")),
    ),
    max_size=5,
)


@given(LAYERS)
def test_the_highest_layer_that_speaks_wins(images: list[ImageSettings]) -> None:
    tiers = tuple(
        Tier(origin="flag" if number % 2 else "file", settings=Settings(image=one)) for number, one in enumerate(images)
    )
    merged = effective(tiers).image
    for name in ("base", "level", "args"):
        said = [getattr(one, name) for one in images if getattr(one, name) is not None]
        assert getattr(merged, name) == (said[-1] if said else None)
        speakers = [tier.origin for tier, one in zip(tiers, images, strict=True) if getattr(one, name) is not None]
        assert effective(tiers).source("image", name).origin == (speakers[-1] if speakers else "default")
    expected: dict[str, Any] = {}
    for one in images:
        expected |= one.env or {}
    assert (merged.env or {}) == expected


@given(st.sampled_from([keys for keys, _ in check.leaves()]), TEXTS)
@settings(deadline=None)
def test_any_variable_is_settings_or_a_clear_error(keys: tuple[str, ...], text: str) -> None:
    with contextlib.suppress(WherryError):
        make_plan(inputs(tiers=(from_environment(((variable(keys), text),)),)))
    with contextlib.suppress(WherryError):
        make_plan(inputs(tiers=(from_assignments((f"{check.dotted(keys)}={text}",)),)))


@given(st.lists(st.text(alphabet="ab '\"\t-=", max_size=8), max_size=6))
def test_words_survive_gos_quoting(parts: list[str]) -> None:
    try:
        text = words.join(tuple(parts))
    except WherryError:
        assert any("'" in part and '"' in part for part in parts)
        return
    assert words.split(text) == tuple(parts)


@given(st.text(max_size=200))
def test_every_version_becomes_a_tag(text: str) -> None:
    assert version.tag(version.tag(text)) == version.tag(text)
    assert 0 < len(version.tag(text)) <= 128


@given(st.text(alphabet="{}abenvgit.X \"'", max_size=30))
def test_templates_end_in_a_text_or_a_clear_error(text: str) -> None:
    slots = template.Slots(known=(("name", "n"),))
    with contextlib.suppress(UsageError):
        template.expand(text, slots, template.Origin(keys=("x",)))
