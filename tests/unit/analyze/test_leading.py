"""Which variable leads to which server: what the code hands to the client, on whatever way."""

from pathlib import Path

import pytest

from tests.support.analysis import MODULE, facts, look, write

REDIS, PGX = '"github.com/redis/go-redis/v9"', '"github.com/jackc/pgx/v5/pgxpool"'
IMPORTS = f'"cmp"\n"context"\n"database/sql"\n"flag"\n"fmt"\n"os"\n"strings"\n{REDIS}\n{PGX}\n"example.com/app/store"'
FOUND: dict[str, tuple[str, dict[str, list[str]]]] = {
    "at hand": ('redis.ParseURL(os.Getenv("DATABASE_URL"))', {"redis-url": ["DATABASE_URL"]}),
    "a variable": ('url := os.Getenv("STORE"); pgxpool.New(ctx, url)', {"postgres-url": ["STORE"]}),
    "looked up": ('url, _ := os.LookupEnv("STORE"); pgxpool.New(ctx, url)', {"postgres-url": ["STORE"]}),
    "with a default": ('pgxpool.New(ctx, cmp.Or(os.Getenv("STORE"), "x"))', {"postgres-url": ["STORE"]}),
    "trimmed": ('redis.ParseURL(strings.TrimSpace(os.Getenv("CACHE")))', {"redis-url": ["CACHE"]}),
    "a function of its own": ('pgxpool.New(ctx, env("STORE", "x"))', {"postgres-url": ["STORE"]}),
    "a constant": ("pgxpool.New(ctx, os.Getenv(key))", {"postgres-url": ["APP_KEY"]}),
    "database/sql": ('sql.Open("pgx", os.Getenv("STORE"))', {"postgres-url": ["STORE"]}),
    "another driver": ('sql.Open("sqlite3", os.Getenv("STORE"))', {}),
    "an address": ('redis.NewClient(&redis.Options{Addr: os.Getenv("CACHE")})', {"redis-address": ["CACHE"]}),
    "addresses": (
        'redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{os.Getenv("CACHE")}})',
        {"redis-address": ["CACHE"]},
    ),
    "a flag": ('db := flag.String("db", os.Getenv("STORE"), ""); pgxpool.New(ctx, *db)', {"postgres-url": ["STORE"]}),
    "a field": ('cfg := Config{URL: os.Getenv("STORE")}; pgxpool.New(ctx, cfg.URL)', {"postgres-url": ["STORE"]}),
    "a tag": ("var cfg Tagged; pgxpool.New(ctx, cfg.Tagged)", {"postgres-url": ["SHOP_STORE"]}),
    "to a function": ('store.Open(os.Getenv("STORE"))', {"postgres-url": ["STORE"]}),
    "parts of it": ('pgxpool.New(ctx, fmt.Sprintf("host=%s", os.Getenv("DB_HOST")))', {}),
    "something else": ('os.Open(os.Getenv("STORE")); fmt.Println(redis.Nil)', {}),
    "a literal": ('redis.ParseURL("REDIS")', {}),
}
TEXT = """
const key = "APP_KEY"

type Config struct{ URL string }

type Tagged struct {
	Tagged string `env:"SHOP_STORE"`
}

func env(name, other string) string { return cmp.Or(os.Getenv(name), other) }
"""
STORE = f"""package store

import (
	"context"

	{PGX}
)

func Open(url string) {{ pgxpool.New(context.Background(), url) }}
"""


def leads(folder: Path, body: str) -> dict[str, list[str]]:
    main = f"package main\n\nimport (\n{IMPORTS}\n)\n{TEXT}\nfunc main() {{ ctx := context.Background(); {body} }}\n"
    write(folder, {"go.mod": MODULE, "main.go": main, "store/store.go": STORE})
    made = look(folder, go=False).mains[0]
    kinds = ("postgres-url", "redis-url", "redis-address")
    return {kind: list(found) for kind in kinds if (found := facts(made, kind))}


@pytest.mark.parametrize("name", FOUND)
def test_the_variable_that_a_client_is_handed(name: str, tmp_path: Path) -> None:
    body, expected = FOUND[name]
    assert leads(tmp_path, body) == expected


def test_a_server_whose_client_is_not_imported_has_none(tmp_path: Path) -> None:
    """database/sql is told of many kinds of server."""
    text = 'package main\n\nimport (\n"database/sql"\n"os"\n)\n\nfunc main() { sql.Open(os.Args[1], os.Getenv("STORE")) }\n'
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    main = look(tmp_path, go=False).mains[0]
    assert facts(main, "postgres-url") == {}
    assert list(facts(main, "environment")) == ["STORE"]
