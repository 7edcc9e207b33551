"""Servers, environment variables, secret files and children: found from real calls, with their places."""

from pathlib import Path

import pytest

from tests.support.analysis import MODULE, facts, look, write
from wherry.model.project import Main

CLIENTS = {
    "github.com/jackc/pgx/v5": ["postgres"],
    "github.com/jackc/pgx/v5/pgxpool": ["postgres"],
    "github.com/lib/pq": ["postgres"],
    "gorm.io/driver/postgres": ["postgres"],
    "github.com/go-pg/pg/v10": ["postgres"],
    "github.com/uptrace/bun/driver/pgdriver": ["postgres"],
    "github.com/redis/go-redis/v9": ["redis"],
    "github.com/go-redis/redis/v8": ["redis"],
    "github.com/gomodule/redigo/redis": ["redis"],
    "github.com/redis/rueidis": ["redis"],
    "github.com/valkey-io/valkey-go": ["redis"],
    "gorm.io/driver/sqlite": [],
    "gorm.io/gorm": [],
    "github.com/lib/pqueue": [],
    "database/sql": [],
}


def main_of(folder: Path, imports: str, body: str, **more: str) -> Main:
    """The main of a program with these imports and statements; `more` are other files of its package."""
    text = f"package main\n\nimport (\n{imports}\n)\n\n{body}\n"
    write(folder, {"go.mod": MODULE, "main.go": text, **{f"{name}.go": one for name, one in more.items()}})
    return look(folder, go=False).mains[0]


def sure(main: Main, kind: str) -> dict[str, str]:
    """Values of one kind with their certainty."""
    return {one.value: one.certainty for one in main.inferred if one.kind == kind}


@pytest.mark.parametrize("client", CLIENTS)
def test_servers_are_known_by_the_clients_that_are_imported(client: str, tmp_path: Path) -> None:
    main = main_of(tmp_path, f'"fmt"\n_ "{client}"', "func main() { fmt.Println() }")
    assert sure(main, "backing") == dict.fromkeys(CLIENTS[client], "found")
    assert list(facts(main, "backing").values()) == ["main.go:5"] * len(CLIENTS[client])


def test_what_the_main_does_not_import_is_not_its_server(tmp_path: Path) -> None:
    store = 'package store\n\nimport _ "github.com/lib/pq"\n'
    write(
        tmp_path,
        {"go.mod": MODULE, "store/store.go": store, "cache/cache.go": store.replace("lib/pq", "redis/rueidis")},
    )
    main = main_of(tmp_path, '_ "example.com/app/store"', "func main() {}")
    assert facts(main, "backing") == {"postgres": "store/store.go:3"}


VARIABLES = {
    "literal": ('os.Getenv("PORT")', {"PORT": "found"}),
    "looked up": ('os.LookupEnv("lower_too")', {"lower_too": "found"}),
    "constant": ("os.Getenv(key)", {"APP_KEY": "found"}),
    "with a default": ('cmp.Or(os.Getenv("A"), "b")', {"A": "found"}),
    "through a function": ('env("LOG_LEVEL", "info")', {"LOG_LEVEL": "guess"}),
    "getenv handed in": ('func(getenv func(string) string) { getenv("MODE") }(nil)', {"MODE": "guess"}),
    "unknown": ("os.Getenv(os.Args[1])", {}),
    "no name": ('os.Getenv("A=B $(id)")', {}),
    "another package": ('settings.Getenv("PORT")', {"PORT": "guess"}),
    "another package that is called like it": ('env.String("PORT", "")', {"PORT": "guess"}),
    "another function": ('settings.String("PORT")', {}),
    "flags of urfave/cli": (
        '_ = cli.StringFlag{Name: "db", EnvVars: []string{"DB_URL", "DSN"}}',
        {"DB_URL": "guess", "DSN": "guess"},
    ),
    "sources of urfave/cli": ('_ = cli.EnvVars("DB_URL")', {"DB_URL": "guess"}),
    "kingpin": ('kingpin.Flag("db", "").Envar("DB_URL").String()', {"DB_URL": "guess"}),
    "viper, not asked to": ('viper.GetString("db.url")', {}),
    "viper, bound": ('viper.BindEnv("db.url", "DSN"); viper.GetString("db.url")', {"DSN": "guess"}),
    "viper": ('viper.AutomaticEnv(); viper.GetString("db_url")', {"DB_URL": "guess"}),
    "viper with a prefix": (
        'v := viper.New(); v.AutomaticEnv(); v.SetEnvPrefix("shop"); v.SetEnvKeyReplacer(nil); v.GetString("db.url")',
        {"SHOP_DB_URL": "guess"},
    ),
    "set": ('os.Setenv("PORT", "1")', {}),
    "a function that reads no environment": ('label("PORT", "1")', {}),
}
FUNCTIONS = """
const key = "APP_KEY"

func env(name, other string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return other
}

func label(name, other string) string { return name + other }
"""


@pytest.mark.parametrize("name", VARIABLES)
def test_environment(name: str, tmp_path: Path) -> None:
    call, expected = VARIABLES[name]
    imports = (
        '"cmp"\n"os"\n"example.com/settings"\n"example.com/env"\n"github.com/spf13/viper"\n"github.com/urfave/cli/v2"'
    )
    main = main_of(tmp_path, imports, f"func main() {{ {call} }}\n{FUNCTIONS}")
    assert sure(main, "environment") == expected
    assert all(place.startswith("main.go:") for place in facts(main, "environment").values())


def test_a_variable_that_a_library_reads(tmp_path: Path) -> None:
    store = 'package web\n\nimport "github.com/gin-gonic/gin"\n\nvar router = gin.New()\n'
    write(tmp_path, {"go.mod": MODULE, "web/web.go": store})
    main = main_of(tmp_path, '_ "example.com/app/web"', "func main() {}")
    assert facts(main, "environment") == {"GIN_MODE": "web/web.go:3"}
    assert sure(main, "environment") == {"GIN_MODE": "found"}


def test_environment_of_struct_tags(tmp_path: Path) -> None:
    body = 'type config struct {\n\tURL string `env:"DATABASE_URL,required"`\n\tName string `json:"name"`\n}\n\nfunc main() {}'
    assert facts(main_of(tmp_path, '"os"', body), "environment") == {"DATABASE_URL": "main.go:8"}


def test_at_most_64_variables_surest_place_first(tmp_path: Path) -> None:
    calls = "\n".join(f'os.Getenv("V{number}")' for number in range(70))
    found = sure(main_of(tmp_path, '"os"', f'func main() {{\nenv("V69")\n{calls}\n}}\n{FUNCTIONS}'), "environment")
    assert list(found) == [f"V{number}" for number in range(64)]


SECRETS = {
    "read": ('os.ReadFile("/run/secrets/db-password")', {"/run/secrets/db-password": "found"}),
    "opened": ('os.Open("/run/secrets/key.pem")', {"/run/secrets/key.pem": "found"}),
    "between backquotes": ("os.ReadFile(`/run/secrets/a`)", {"/run/secrets/a": "found"}),
    "constant": ("os.ReadFile(tokenFile)", {"/run/secrets/token": "found"}),
    "default of a flag": ('flag.String("x", "/run/secrets/a", "")', {"/run/secrets/a": "guess"}),
    "folder": ('os.ReadFile("/run/secrets/" + name)', {}),
    "elsewhere": ('os.ReadFile("/var/run/secrets/a")', {}),
    "deeper": ('os.ReadFile("/run/secrets/kubernetes.io/token")', {}),
    "upwards": ('os.ReadFile("/run/secrets/..")', {}),
}


@pytest.mark.parametrize("name", SECRETS)
def test_secret_files(name: str, tmp_path: Path) -> None:
    call, expected = SECRETS[name]
    constant = 'const tokenFile = "/run/secrets/token"\n' if "tokenFile" in call else '// "/run/secrets/comment"\n'
    main = main_of(tmp_path, '"flag"\n"os"', f"{constant}\nfunc main() {{\n{call}\n}}")
    assert sure(main, "secret-file") == expected


CHILDREN = {
    '"os/exec"': ('exec.Command("git")', ["Command"]),
    'x "os/exec"': ('x.CommandContext(nil, "git")', ["CommandContext"]),
    '"os"': ('os.StartProcess("/x", nil, nil)', ["StartProcess"]),
    '"example.com/exec"': ('exec.Command("git")', []),
}


@pytest.mark.parametrize("imports", CHILDREN)
def test_children(imports: str, tmp_path: Path) -> None:
    call, expected = CHILDREN[imports]
    main = main_of(tmp_path, imports, f"func main() {{ {call} }}")
    assert sure(main, "children") == dict.fromkeys(expected, "found")
