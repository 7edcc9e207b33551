"""Which Go, with which variables, in which folder, and how mains are put together."""

import pytest

from tests.support.planning import MODULE, decision, findings, inferred, main, plan, project, refused, toolchain
from wherry.model.plan import Hook
from wherry.model.project import Main, Module
from wherry.plan.gotoolchain import order
from wherry.plan.variables import from_environment


def variables(toml: str = "", **more: object) -> dict[str, str]:
    return dict(plan(toml, **more).compilations[0].environment)


def test_the_fixed_environment() -> None:
    """A06, A07: no settings file, no flags, no toolchain and no workspace that nobody decided."""
    assert variables() == {
        "CGO_ENABLED": "0",
        "GOAMD64": "v1",
        "GOARCH": "amd64",
        "GOENV": "off",
        "GOFLAGS": "",
        "GOOS": "linux",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    environment = plan().compilations[0].environment
    assert tuple(sorted(environment)) == environment


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("go1.9", "go1.10"),
        ("1.21", "1.21rc1"),
        ("1.21rc1", "1.21rc2"),
        ("1.21rc2", "1.21.0"),
        ("go1.26.8", "go1.26.10"),
        ("1.99", "2.0"),
    ],
)
def test_versions_are_ordered_as_go_orders_them(smaller: str, larger: str) -> None:
    assert order(smaller) < order(larger)
    assert order("go1.26.8-custom") == order(["1.26.8", "X:nocoverage"][0])
    assert order("devel +abc") == ()


@pytest.mark.parametrize(("go", "line"), [("1.99", ""), ("1.24", "go1.99.0"), ("1.27rc1", ""), ("1.26.9", "")])
def test_a_project_that_wants_a_newer_go(go: str, line: str) -> None:
    """A06: an error and no download."""
    modules = (Module(path=MODULE, directory=".", go=go, toolchain=line),)
    newer = project(modules=modules)
    error = refused(project=newer)
    wanted = line or go
    assert error.name == "go-too-old"
    assert error.where == (f"go.mod   {'toolchain' if line else 'go'} {wanted}",)
    assert variables(project=newer, allow="auto")["GOTOOLCHAIN"] == "auto"
    assert variables(project=newer, toolchain=toolchain(GOTOOLCHAIN="go1.99.0"))["GOTOOLCHAIN"] == "go1.99.0"
    assert refused(project=newer, toolchain=toolchain(GOTOOLCHAIN="auto")).name == "go-too-old"
    assert refused(project=newer, untrusted=True, toolchain=toolchain(GOTOOLCHAIN="go1.99.0")).name == "go-too-old"


@pytest.mark.parametrize("asked", ["newest", "", "go1.26.8/../x", "auto;id", "path"])
def test_what_is_no_toolchain(asked: str) -> None:
    assert refused(allow=asked).name == "bad-toolchain"
    assert refused(allow="auto", untrusted=True).name == "bad-toolchain"


def test_a_project_that_this_go_can_build() -> None:
    for go, line in (("", ""), ("1.26.8", "default"), ("1.26", "go1.26.8"), ("1.5", "")):
        plan(project=project(modules=(Module(path=MODULE, directory=".", go=go, toolchain=line),)))
    assert decision(plan(), "toolchain").value == "go1.26.8"
    plan(toolchain=toolchain("devel go1.99"), project=project(modules=(Module(path=MODULE, directory=".", go="1.98"),)))


@pytest.mark.parametrize(
    ("toml", "name", "value"),
    [
        ("experiment = ['jsonv2', 'nodwarf5']", "GOEXPERIMENT", "jsonv2,nodwarf5"),
        ("fips140 = 'v1.0.0'", "GOFIPS140", "v1.0.0"),
        ("private = ['git.example.com/team', 'example.org']", "GOPRIVATE", "git.example.com/team,example.org"),
        ("env = { GOGC = 400 }", "GOGC", "400"),
    ],
)
def test_variables_of_the_settings(toml: str, name: str, value: str) -> None:
    assert variables(f"[build]\n{toml}\n")[name] == value


def test_the_users_own_experiments_are_shown_and_private_modules_joined() -> None:
    mine = toolchain(GOEXPERIMENT="jsonv2", GOPRIVATE="corp.example.com", GOPROXY="https://proxy.example.com")
    made = plan("[build]\nprivate = ['git.example.com']\n", toolchain=mine)
    assert dict(made.compilations[0].environment)["GOEXPERIMENT"] == "jsonv2"
    assert dict(made.compilations[0].environment)["GOPRIVATE"] == "corp.example.com,git.example.com"
    shown = {one.value: one.origin for one in made.decisions if one.name == "go-environment"}
    assert shown["GOEXPERIMENT=jsonv2"] == "environment"


@pytest.mark.parametrize(
    "toml",
    [
        "experiment = ['a b']",
        "experiment = ['']",
        "fips140 = 'on'",
        "private = ['*']",
        "private = ['*.com/x']",
        "private = ['a']",
        "private = ['a.b,*']",
    ],
)
def test_values_that_go_would_not_take_or_that_switch_checks_off(toml: str) -> None:
    assert refused(f"[build]\n{toml}\n").name == "bad-setting"


REFUSED = (
    "CC",
    "CGO_CFLAGS",
    "GOPROXY",
    "GONOSUMDB",
    "GOINSECURE",
    "GOSUMDB",
    "GOAUTH",
    "GOCACHEPROG",
    "LD_PRELOAD",
    "HOME",
    "GODEBUG",
    "GOVCS",
    "PKG_CONFIG",
)


@pytest.mark.parametrize("name", REFUSED)
def test_variables_that_a_repository_may_not_set_and_the_user_may(name: str) -> None:
    """A05, A07, A11."""
    error = refused(f"[build.env]\n{name} = 'x'\n")
    assert (error.name, error.next) == ("env-refused", (f"give it yourself: WHERRY_BUILD_ENV={name}=...",))
    assert variables(tiers=(from_environment((("WHERRY_BUILD_ENV", f"{name}=x"),)),))[name] == "x"


@pytest.mark.parametrize(
    "name", ["GOOS", "GOARCH", "GOAMD64", "CGO_ENABLED", "GOFLAGS", "GOENV", "GOTOOLCHAIN", "GOWORK", "PATH"]
)
def test_variables_that_nobody_may_set_here(name: str) -> None:
    assert refused(f"[build.env]\n{name} = 'x'\n", trusted=True).name == "env-refused"


def test_untrusted_checks_every_module_publicly() -> None:
    assert refused("[build]\nprivate = ['git.example.com']\n", untrusted=True).name == "env-refused"


def test_the_users_platform_variables_do_not_slip_in_and_are_told() -> None:
    made = plan(toolchain=toolchain(GOAMD64="v3", GOARCH="arm64", GOOS="linux", GOARM="6,softfloat"))
    assert dict(made.compilations[0].environment)["GOAMD64"] == "v1"
    assert findings(made)["go-settings"] == "these Go settings of yours do not count here: GOAMD64=v3, GOARCH=arm64"
    assert "go-settings" not in findings(plan("platforms = ['linux/arm64']\n", toolchain=toolchain(GOARCH="arm64")))


def test_one_go_build_for_all_mains_of_a_platform() -> None:
    several = project(main(), main("worker"))
    made = plan("platforms = ['linux/amd64', 'linux/arm64']\n", project=several, packages=("./...",))
    assert [(str(one.platform), [each.import_path for each in one.targets]) for one in made.compilations] == [
        ("linux/amd64", [f"{MODULE}/cmd/api", f"{MODULE}/cmd/worker"]),
        ("linux/arm64", [f"{MODULE}/cmd/api", f"{MODULE}/cmd/worker"]),
    ]
    assert made.compilations[0].directory == "/src/shop"


def test_different_linker_flags_share_a_build_and_different_flags_do_not() -> None:
    several = project(main(inferred=inferred(("version-variable", "main.v", "found"))), main("worker"))
    (one,) = plan(project=several, packages=("./...",)).compilations
    assert one.flags[-2:] == (f"-ldflags={MODULE}/cmd/api=-w -X=main.v=1.4.0", f"-ldflags={MODULE}/cmd/worker=-w")
    apart = plan("[main.worker.build]\ntags = ['x']\n", project=several, packages=("./...",))
    assert len(apart.compilations) == 2


def test_two_mains_with_one_file_name_are_compiled_apart_and_need_names() -> None:
    same = project(main("api"), main("api", "tools/api"))
    error = refused(project=same, packages=("./...",))
    assert (error.name, error.where) == ("same-name", ("./cmd/api", "./tools/api"))
    assert error.next == ('[main."./tools/api".image] name = "api-2" in wherry.toml names one of them',)
    made = plan('[main."./tools/api".image]\nname = "tools-api"\n', project=same, packages=("./...",))
    assert [[each.import_path for each in one.targets] for one in made.compilations] == [
        [f"{MODULE}/cmd/api"],
        [f"{MODULE}/tools/api"],
    ]
    assert [one.name for one in made.images] == ["api", "tools-api"]


def test_folders_of_modules_workspaces_and_modules_by_version() -> None:
    modules = (Module(path=MODULE, directory="."), Module(path="example.com/tool", directory="tool"))
    nested = Main(import_path="example.com/tool", name="tool", module="example.com/tool", directory="tool")
    both = {"modules": modules, "working_directory": "/src/shop"}
    made = plan(project=project(main(), nested, **both), packages=("api", "tool"))
    assert [one.directory for one in made.compilations] == ["/src/shop", "/src/shop/tool"]
    (one,) = plan(project=project(main(), nested, workspace="go.work", **both), packages=("api", "tool")).compilations
    assert (one.directory, dict(one.environment)["GOWORK"]) == ("/src/shop", "/src/shop/go.work")
    remote = project(remote=f"{MODULE}@v1.0.0", version="1.0.0", working_directory="/tmp/synthetic")
    assert plan(project=remote).compilations[0].directory == "/tmp/synthetic"


HOOKS = '[build]\nhooks = [["go", "generate", "./..."], ["./gen.sh"], ["protoc", "x.proto"]]\n'


def test_hooks_run_only_when_the_user_says_so() -> None:
    error = refused(HOOKS)
    assert error.name == "hooks-not-allowed"
    assert error.where == ('wherry.toml:2:1   hooks = [["go", "generate", "./..."], ["./gen. ...',)
    made = plan(HOOKS, hooks=True)
    assert made.hooks == (
        Hook(argv=("/usr/local/go/bin/go", "generate", "./..."), directory="/src/shop"),
        Hook(argv=("/src/shop/gen.sh",), directory="/src/shop"),
        Hook(argv=("protoc", "x.proto"), directory="/src/shop"),
    )
    assert plan(HOOKS, hooks=False).hooks == ()
    assert decision(plan(HOOKS, hooks=False), "hooks").value == "left out"
    assert len(plan(HOOKS, trusted=True).hooks) == 3
    assert plan(hooks=True).hooks == ()


def test_hooks_of_untrusted_code_never_run() -> None:
    assert refused(HOOKS, untrusted=True, hooks=True).name == "hooks-untrusted"
    assert plan(HOOKS, untrusted=True, hooks=False).hooks == ()
    assert refused('[build]\nhooks = [["../x"]]\n', hooks=True).name == "path-escape"
    assert refused("[build]\nhooks = [[]]\n", hooks=True).name == "bad-setting"
