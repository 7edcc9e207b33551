"""Clients of the servers that a program talks to, and how they are told where those are: tables only. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value

#: Clients of servers that a program is of no use without: prefix of the import path → the server.
BACKINGS = {
    **dict.fromkeys(
        (
            *("github.com/jackc/pgx", "github.com/lib/pq", "gorm.io/driver/postgres", "github.com/go-pg/pg"),
            "github.com/uptrace/bun/driver/pgdriver",
        ),
        "postgres",
    ),
    **dict.fromkeys(
        (
            *("github.com/redis/go-redis", "github.com/go-redis/redis", "github.com/gomodule/redigo"),
            *("github.com/redis/rueidis", "github.com/valkey-io/valkey-go", "github.com/mediocregopher/radix"),
            "github.com/valkey-io/valkey-glide",
        ),
        "redis",
    ),
}


class Connection(Value, frozen=True, kw_only=True):
    """A call that is handed where a server is: argument `argument` is a URL or DSN (`postgres-url`, `redis-url`) or host and port
    (`redis-address`)."""

    package: str
    name: str
    argument: int
    kind: str


def _connections(kind: str, rows: dict[str, tuple[tuple[str, int], ...]]) -> tuple[Connection, ...]:
    return tuple(
        Connection(package=package, name=name, argument=argument, kind=kind)
        for package, calls in rows.items()
        for name, argument in calls
    )


_SQL = (
    *(("Open", 1), ("MustOpen", 1), ("Connect", 1), ("MustConnect", 1), ("ConnectContext", 2)),
    ("MustConnectContext", 2),
)
CONNECTIONS = (
    *_connections(
        "postgres-url",
        {
            "database/sql": (("Open", 1),),
            "github.com/jmoiron/sqlx": _SQL,
            "github.com/jackc/pgx": (("Connect", 1), ("New", 1), ("ParseConfig", 0)),
            "gorm.io/driver/postgres": (("Open", 0),),
            "github.com/lib/pq": (("NewConnector", 0), ("ParseURL", 0)),
            "github.com/go-pg/pg": (("ParseURL", 0),),
            "github.com/uptrace/bun/driver/pgdriver": (("WithDSN", 0),),
        },
    ),
    *_connections(
        "redis-url",
        {
            "github.com/redis/go-redis": (("ParseURL", 0),),
            "github.com/go-redis/redis": (("ParseURL", 0),),
            "github.com/gomodule/redigo/redis": (("DialURL", 0), ("DialURLContext", 1)),
            "github.com/redis/rueidis": (("ParseURL", 0), ("MustParseURL", 0)),
            "github.com/valkey-io/valkey-go": (("ParseURL", 0), ("MustParseURL", 0)),
        },
    ),
    *_connections("redis-address", {"github.com/gomodule/redigo/redis": (("Dial", 1), ("DialContext", 2))}),
)
#: Packages of CONNECTIONS that are told the driver before.
OF_ANY_DRIVER = frozenset(("database/sql", "github.com/jmoiron/sqlx"))
#: Composite literals with a server's address: (package, type, field, kind).
OPTIONS = (
    ("github.com/redis/go-redis", "Options", "Addr", "redis-address"),
    ("github.com/redis/go-redis", "UniversalOptions", "Addrs", "redis-address"),
    ("github.com/go-redis/redis", "Options", "Addr", "redis-address"),
    ("github.com/redis/rueidis", "ClientOption", "InitAddress", "redis-address"),
    ("github.com/valkey-io/valkey-go", "ClientOption", "InitAddress", "redis-address"),
    ("gorm.io/driver/postgres", "Config", "DSN", "postgres-url"),
)
#: Methods of viper that its variables depend on.
VIPER = frozenset(("AutomaticEnv", "SetEnvKeyReplacer", "SetEnvPrefix", "BindEnv", "MustBindEnv", "GetString"))
