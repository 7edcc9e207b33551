"""How a container starts, and what its user may write."""

import pytest

from tests.support.planning import PLACE, decision, findings, image, inferred, main, plan, project, refused
from wherry.model.place import Place
from wherry.model.plan import Asset, WritableDirectory


def test_defaults_leave_all_to_the_binary() -> None:
    made = image()
    assert (made.entrypoint, made.arguments, made.working_directory, made.volumes) == ((), (), "", ())
    assert (made.stop_signal, made.environment, made.writable, made.assets) == ("", (), (), ())


def test_variables_are_sorted_texts_with_words_filled_in() -> None:
    made = plan('[image.env]\nZ = 1\nA = "v{version}"\nJ = \'{"a": {}}\'\nT = true\n')
    assert made.images[0].environment == (("A", "v1.4.0"), ("J", '{"a": {}}'), ("T", "true"), ("Z", "1"))
    assert decision(made, "environment").value == "A, J, T, Z"


GIN = ("environment", "GIN_MODE", "found")


def test_gin_is_told_that_it_serves_unless_somebody_says_otherwise() -> None:
    gin = project(main(inferred=inferred(GIN)))
    made = plan("[image.env]\nA = 1\n", project=gin)
    assert made.images[0].environment == (("A", "1"), ("GIN_MODE", "release"))
    own = next(one for one in made.images[0].decisions if one.value == "GIN_MODE=release")
    assert (own.name, own.origin, own.place) == ("environment", "found", PLACE)
    assert "debug mode" in own.reason
    assert image('[image.env]\nGIN_MODE = "debug"\n', project=gin).environment == (("GIN_MODE", "debug"),)
    assert image('[image.env]\nGIN_MODE = ""\n', project=gin).environment == (("GIN_MODE", ""),)
    guess = project(main(inferred=inferred(("environment", "GIN_MODE"))))
    assert image(project=guess).environment == ()


@pytest.mark.parametrize("name", ["A B", "", "1A", "A=B", "Ä", "A\\u0000"])
def test_names_that_no_variable_can_have(name: str) -> None:
    error = refused(f'[image.env]\n"{name}" = "x"\n')
    assert (error.name, error.where[0].split(" ")[0]) == ("bad-setting", "wherry.toml:2:1")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DB_PASSWORD", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("GITHUB_TOKEN", True),
        ("apikey", True),
        ("DB_PASSWORD_FILE", False),
        ("TOKEN_URL", False),
        ("TOKENIZER", False),
        ("LOG_LEVEL", False),
    ],
)
def test_variables_that_look_like_secrets_are_warned_of(name: str, secret: bool) -> None:
    assert ("secret-env" in findings(plan(f'[image.env]\n{name} = "x"\n'))) == secret
    assert "secret-env" not in findings(plan(f'[image.env]\n{name} = ""\n'))


def test_entrypoint_and_arguments() -> None:
    made = image('[image]\nentrypoint = ["api", "serve"]\nargs = ["--verbose", ""]\n')
    assert (made.entrypoint, made.arguments) == (("/app/api", "serve"), ("--verbose", ""))
    assert image('[image]\nentrypoint = ["/usr/bin/tini", "--", "/app/api"]\n').entrypoint[0] == "/usr/bin/tini"
    assert refused('[image]\nentrypoint = ["sh", "-c", "api"]\n').name == "bad-setting"
    assert refused('[image]\nentrypoint = [""]\n').name == "bad-setting"
    assert refused('[image]\nargs = ["a\\u0000b"]\n').name == "bad-setting"


def test_workdir() -> None:
    assert image('[image]\nworkdir = "/srv//app/"\n').working_directory == "/srv/app"
    assert image('[image]\nworkdir = "/"\n').working_directory == "/"
    for wrong in ("srv", "../srv", "/srv/../..", "", "C:\\\\srv", "/proc/1", "/a\\nb"):
        assert refused(f'[image]\nworkdir = "{wrong}"\n').name == "bad-setting"


@pytest.mark.parametrize(
    ("given", "signal"),
    [("SIGTERM", "SIGTERM"), ("quit", "SIGQUIT"), ("SIGUSR1", "SIGUSR1"), ("SIGRTMIN+3", "SIGRTMIN+3")],
)
def test_stop_signals(given: str, signal: str) -> None:
    assert image(f'[image]\nstop-signal = "{given}"\n').stop_signal == signal


@pytest.mark.parametrize("given", ["SIGKILL", "STOP", "SIGTERMINATE", "", "SIGRTMIN+99", "15"])
def test_signals_that_no_program_can_handle(given: str) -> None:
    assert refused(f'[image]\nstop-signal = "{given}"\n').name == "bad-setting"


def test_writable_directories_and_volumes() -> None:
    made = image(
        '[image]\nvolumes = ["/data", "/data"]\n'
        'writable = ["/var/cache/", { path = "/run/app", mode = "0700" }, { path = "/spool", mode = "1777" }]\n'
    )
    assert made.volumes == ("/data",)
    assert made.writable == (
        WritableDirectory(path="/data"),
        WritableDirectory(path="/run/app", mode=0o700),
        WritableDirectory(path="/spool", mode=0o1777),
        WritableDirectory(path="/var/cache"),
    )
    own = image('[image]\nvolumes = ["/data"]\nwritable = [{ path = "/data", mode = "0700" }]\n')
    assert own.writable == (WritableDirectory(path="/data", mode=0o700),)


@pytest.mark.parametrize(
    "entry",
    [
        '"data"',
        '"/"',
        '"/app"',
        '"/app/x"',
        '"/etc"',
        '"/sys/x"',
        '"/a/../app"',
        '{ path = "/a", mode = "755x" }',
        '{ path = "/a", mode = "4755" }',
        '{ path = "/a", mode = "0555" }',
    ],
)
def test_directories_that_must_not_be_writable(entry: str) -> None:
    assert refused(f"[image]\nwritable = [{entry}]\n").name == "bad-setting"


def test_assets() -> None:
    patterns = 'include = ["*.html"]\nexclude = ["drafts/**"]\n'
    toml = '[[image.assets]]\nfrom = "./web/static/"\ninto = "/srv/static/"\nmode = "0644"\n' + patterns
    made = plan(toml + '[[image.assets]]\nfrom = "LICENSE"\ninto = "/app/licences"\n')
    first = Place(file="wherry.toml", line=1, column=1)
    assert made.images[0].assets == (
        Asset(
            source="web/static",
            into="/srv/static",
            mode=0o644,
            include=("*.html",),
            exclude=("drafts/**",),
            place=first,
        ),
        Asset(source="LICENSE", into="/app/licences", place=Place(file="wherry.toml", line=7, column=1)),
    )
    shown = [(one.value, str(one.place)) for one in made.images[0].decisions if one.name == "asset"]
    assert shown == [("web/static to /srv/static", "wherry.toml:1:1"), ("LICENSE to /app/licences", "wherry.toml:7:1")]


@pytest.mark.parametrize(
    ("source", "into", "more", "error"),
    [
        ("../x", "/a", "", "path-escape"),
        ("/etc/passwd", "/a", "", "path-escape"),
        ("~/x", "/a", "", "path-escape"),
        ("a/../../b", "/a", "", "path-escape"),
        ("", "/a", "", "path-escape"),
        ("a\\\\b", "/a", "", "path-escape"),
        ("x", "a", "", "bad-setting"),
        ("x", "/app", "", "bad-setting"),
        ("x", "/app/api", "", "bad-setting"),
        ("x", "/app/api/x", "", "bad-setting"),
        ("x", "/dev/shm", "", "bad-setting"),
        ("x", "/a", 'mode = "644"', ""),
        ("x", "/a", 'mode = "0o644"', "bad-setting"),
        ("x", "/a", 'mode = "1777"', "bad-setting"),
        ("x", "/a", 'mode = "0000"', "bad-setting"),
        ("x", "/a", 'include = [""]', "bad-setting"),
        ("x", "/a", 'exclude = ["../*"]', "bad-setting"),
    ],
)
def test_assets_that_cannot_be(source: str, into: str, more: str, error: str) -> None:
    toml = f'[[image.assets]]\nfrom = "{source}"\ninto = "{into}"\n{more}\n'
    if error:
        assert refused(toml).name == error
    else:
        assert image(toml).assets[0].mode == 0o644


def test_several_binaries_in_one_image() -> None:
    both = project(main(), main("migrate"), main("other"))
    toml = '[main.api.image]\nbinaries = ["./cmd/migrate"]\n'
    made = plan(toml, project=both, packages=("./cmd/api",))
    assert [one.name for one in made.images[0].targets] == ["api", "migrate"]
    assert [one.name for one in made.compilations[0].targets] == ["api", "migrate"]
    assert decision(made, "binaries").value == "api, migrate"
    assert image(
        '[image]\nbinaries = ["migrate"]\nentrypoint = ["migrate"]\n', project=both, packages=("api",)
    ).entrypoint == ("/app/migrate",)
    assert refused('[image]\nbinaries = ["./cmd/nil"]\n', project=both, packages=("api",)).name == "no-such-main"
    same = project(main(), main("api", "tools/api"))
    assert refused('[image]\nbinaries = ["./tools/api"]\n', project=same, packages=("./cmd/api",)).name == "same-name"
