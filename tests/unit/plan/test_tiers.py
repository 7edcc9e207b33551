"""Flag over environment over the repository's file over the user's own file over the default."""

from pathlib import Path

from tests.support.planning import decision, inputs, main, plan, project
from wherry.model.settings import BuildSettings, HealthSettings, ImageSettings, Settings
from wherry.plan import read
from wherry.plan.choose import to_look_at
from wherry.plan.tiers import Tier, effective, known_as, merge, packages
from wherry.plan.variables import from_environment

FLAG = Tier(origin="flag", settings=Settings(image=ImageSettings(base="scratch")))
OWN = read.parse('[image]\nbase = "reg.example/own:1"\nlevel = 4\n', "/home/a/wherry.toml", trusted=True)
FILE = read.parse('[image]\nbase = "reg.example/file:1"\nuser = 1000\n[main.api.image]\nuser = 2000\n', "wherry.toml")
ENVIRONMENT = from_environment((("WHERRY_IMAGE_BASE", "reg.example/env:1"),))


def test_each_layer_is_over_the_one_below() -> None:
    expected = ("reg.example/own:1", "reg.example/file:1", "reg.example/env:1", "scratch")
    tiers: tuple[Tier, ...] = ()
    for tier, base in zip((OWN, FILE, ENVIRONMENT, FLAG), expected, strict=True):
        tiers = (*tiers, tier)
        assert effective(tiers).image.base == base
    merged = effective(tiers)
    assert (merged.image.user, merged.image.level) == (1000, 4)


def test_each_value_names_its_origin() -> None:
    merged = effective((OWN, FILE, ENVIRONMENT, FLAG), ("api",))
    assert merged.source("image", "base").origin == "flag"
    user = merged.source("image", "user")
    assert (user.origin, str(user.place), user.text) == ("file", "wherry.toml:5:1", "user = 2000")
    assert str(merged.source("image", "level").place) == "/home/a/wherry.toml:3:1"
    assert merged.source("image", "args").origin == "default"
    assert merged.source("platforms").origin == "default"
    assert effective((ENVIRONMENT,)).source("image", "base").text == "WHERRY_IMAGE_BASE"


def test_a_mains_own_settings_are_over_the_common_ones_of_the_same_file_only() -> None:
    variable = from_environment((("WHERRY_IMAGE_USER", "3000"),))
    assert effective((FILE,), ("worker",)).image.user == 1000
    assert effective((FILE,), ("api",)).image.user == 2000
    assert effective((FILE, variable), ("api",)).image.user == 3000


def test_tables_are_merged_by_key_and_lists_replaced() -> None:
    low = ImageSettings(env={"A": "1", "B": "1"}, args=("a",), health=HealthSettings(path="/a", port=1))
    high = ImageSettings(env={"B": "2"}, args=("b",), health=HealthSettings(port=2))
    merged = merge(low, high)
    assert (merged.env, merged.args) == ({"A": "1", "B": "2"}, ("b",))
    assert merged.health == HealthSettings(path="/a", port=2)
    assert merge(low, ImageSettings(health=False)).health is False
    assert merge(BuildSettings(tags=("x",)), BuildSettings(tags=())).tags == ()


def test_packages_come_from_the_highest_layer_that_names_some() -> None:
    low = read.parse('packages = ["./cmd/api"]\n', "wherry.toml")
    high = from_environment((("WHERRY_PACKAGES", "./cmd/worker"),))
    assert packages((low, high))[0] == ("./cmd/worker",)
    assert packages(()) == ((), packages(())[1])


def test_a_decision_carries_origin_and_place() -> None:
    made = plan("[image]\nuser = 1000\n", tiers=(FLAG,))
    user, base = decision(made, "user"), decision(made, "base")
    assert (user.value, user.origin, str(user.place)) == ("1000:1000", "file", "wherry.toml:2:1")
    assert (base.value, base.origin) == ("scratch", "flag")


def test_paths_are_relative_to_the_file_they_stand_in() -> None:
    tier = read.parse('packages = ["./cmd/api"]\n[build]\npgo = "../cpu.pprof"\n', "services/shop/wherry.toml")
    assert tier.directory == "services/shop"
    mains = (main(directory="services/shop/cmd/api"), main("other"))
    made = plan(project=project(*mains), tiers=(tier,))
    assert [one.name for one in made.images] == ["api"]
    assert "-pgo=/src/shop/services/cpu.pprof" in made.compilations[0].flags


def test_equal_inputs_give_equal_plans() -> None:
    assert plan("[image]\nuser = 1\n") == plan("[image]\nuser = 1\n")
    assert inputs() == inputs()


def test_what_is_looked_at_is_seen_from_the_file_and_includes_travelling_binaries(tmp_path: Path) -> None:
    for name in ("shop/cmd/api", "shop/cmd/migrate"):
        (tmp_path / name).mkdir(parents=True)
    toml = 'packages = ["./cmd/api"]\n[main.api.image]\nbinaries = ["./cmd/migrate", "./gone", "example.com/x"]\n'
    tier = read.parse(toml, "shop/wherry.toml")
    api, migrate = f"{tmp_path}/shop/cmd/api", f"{tmp_path}/shop/cmd/migrate"
    assert to_look_at((), (tier,), str(tmp_path)) == (api, migrate, "example.com/x")
    assert to_look_at(("./x",), (tier,), str(tmp_path)) == ("./x", migrate, "example.com/x")
    assert to_look_at(("example.com/x@v1",), (tier,), str(tmp_path)) == ("example.com/x@v1",)
    assert to_look_at((), (), str(tmp_path)) == ()


def test_an_image_means_the_first_word_that_the_settings_know_alone() -> None:
    text = "[main.api]\n[main.'cmd/worker']\n[main.'a/cmd/server']\n[main.'b/cmd/server']\n[main.mail]\n"
    tiers = (read.parse(text, "wherry.toml"),)
    assert known_as(tiers, ("shop-api", "api", "mail")) == ("api",)
    assert known_as(tiers, ("worker", "mail")) == ("cmd/worker",)
    assert known_as(tiers, ("server",)) == known_as(tiers, ("images",)) == known_as((), ("api",)) == ()
