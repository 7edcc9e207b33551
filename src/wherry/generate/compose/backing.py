"""Postgres and Redis beside the application. Which are needed in; services, and the variables that lead to them, out; touches
nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from wherry.formats.yaml import Document
from wherry.generate.compose.hardened import Share, hardened, logged, memory, shares
from wherry.generate.compose.words import why
from wherry.kit.value import Value
from wherry.model.application import Application, Backing, Pin

PASSWORD: Final = "postgres-password"  # noqa: S105 - the name of the secret
SECRETS: Final = "./secrets"
#: Since 18 a folder for each version lies below it, and the image refuses to start with a volume where data was before.
_POSTGRES_DATA: Final = (("/var/lib/postgresql", 18), ("/var/lib/postgresql/data", 0))


class Server(Value, frozen=True, kw_only=True):
    """One kind of server, as a service of that name."""

    kind: str
    port: int
    volume: str
    describe: Callable[[Pin, str], dict[str, Document]]
    """The image and the database's name in; the service's keys, without ports, out."""
    variables: tuple[tuple[str, str], ...]
    """Names that programs read, and what they mean; {name} is the database and its user, {password} the password."""


def _postgres(pin: Pin, database: str) -> dict[str, Document]:
    where = postgres_data(pin)
    return {
        "image": str(pin),
        "user": why("postgres", "from the beginning: as root the image would need capabilities to become it"),
        **hardened(),
        "tmpfs": [memory("/tmp", 64 << 20), memory("/var/run/postgresql", 1 << 20)],  # noqa: S108 - the container's
        "volumes": [{"type": "volume", "source": "postgres-data", "target": where}],
        "shm_size": why("128M", "parallel queries need more than Docker's 64 MB"),
        "environment": {
            "POSTGRES_USER": database,
            "POSTGRES_DB": database,
            "POSTGRES_PASSWORD_FILE": f"/run/secrets/{PASSWORD}",
        },
        "secrets": [PASSWORD],
        "networks": ["backend"],
        "healthcheck": {
            "test": why(
                ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", database, "-d", database],
                "by TCP: while it makes the database, the server answers at its socket alone",
            ),
            **_QUICK,
        },
        "stop_grace_period": "60s",
        "restart": "unless-stopped",
        **shares(Share(memory=512 << 20, cpus=1.0, pids=256)),
        "logging": logged(),
    }


def _redis(pin: Pin, _: str) -> dict[str, Document]:
    return {
        "image": str(pin),
        "user": why("redis", "from the beginning: as root the image would need capabilities to become it"),
        **hardened(),
        "volumes": [{"type": "volume", "source": "redis-data", "target": "/data"}],
        "networks": why(["backend"], "it asks for no password: only what is in this network reaches it"),
        "healthcheck": {"test": ["CMD", "redis-cli", "ping"], **_QUICK},
        "stop_grace_period": "30s",
        "restart": "unless-stopped",
        **shares(Share(memory=256 << 20, cpus=1.0, pids=64)),
        "logging": logged(),
    }


_QUICK: Final[dict[str, Document]] = {"interval": "5s", "timeout": "3s", "retries": 5, "start_period": "30s"}
"""Whoever depends on it waits for the first good answer."""
_ADDRESS: Final = "postgres://{name}:{password}@postgres:5432/{name}?sslmode=disable"
SERVERS: Final = {
    one.kind: one
    for one in (
        Server(
            kind="postgres",
            port=5432,
            volume="postgres-data",
            describe=_postgres,
            variables=(
                *((name, _ADDRESS) for name in ("DATABASE_URL", "POSTGRES_URL", "POSTGRESQL_URL", "PG_URL", "DB_URL")),
                *((name, _ADDRESS) for name in ("DATABASE_DSN", "POSTGRES_DSN", "PG_DSN", "DB_DSN")),
                *((name, "postgres") for name in ("PGHOST", "POSTGRES_HOST", "DATABASE_HOST", "DB_HOST")),
                *((name, "5432") for name in ("PGPORT", "POSTGRES_PORT", "DATABASE_PORT", "DB_PORT")),
                *((name, "{name}") for name in ("PGUSER", "POSTGRES_USER", "DATABASE_USER", "DB_USER")),
                *((name, "{name}") for name in ("PGDATABASE", "POSTGRES_DB", "DATABASE_NAME", "DB_NAME")),
                *((name, "disable") for name in ("PGSSLMODE", "POSTGRES_SSLMODE", "DATABASE_SSLMODE", "DB_SSLMODE")),
                *(
                    (name, "{password}")
                    for name in ("PGPASSWORD", "POSTGRES_PASSWORD", "DATABASE_PASSWORD", "DB_PASSWORD")
                ),
                *(
                    (f"{name}_FILE", f"/run/secrets/{PASSWORD}")
                    for name in ("PGPASSWORD", "POSTGRES_PASSWORD", "DATABASE_PASSWORD", "DB_PASSWORD")
                ),
            ),
        ),
        Server(
            kind="redis",
            port=6379,
            volume="redis-data",
            describe=_redis,
            variables=(
                ("REDIS_URL", "redis://redis:6379/0"),
                *((name, "redis:6379") for name in ("REDIS_ADDR", "REDIS_ADDRESS")),
                ("REDIS_HOST", "redis"),
                ("REDIS_PORT", "6379"),
            ),
        ),
    )
}


class Led(Value, frozen=True, kw_only=True):
    """How an application finds its servers."""

    variables: tuple[tuple[str, str], ...] = ()
    private: tuple[tuple[str, str], ...] = ()
    """Variables that hold the password, for which `%s` stands: they belong into a file."""
    secrets: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """A sentence for each server for which no variable is known that the code reads."""


def kinds(applications: tuple[Application, ...]) -> tuple[str, ...]:
    """The servers that any of them needs, in the order of the table."""
    needed = {one.kind for application in applications for one in application.runs.backing}
    return tuple(kind for kind in SERVERS if kind in needed)


def lead(application: Application, database: str) -> Led:
    """By the variables that the code is known to read, less those that its image sets; where there is none nothing is guessed."""
    set_already = {name for name, _ in application.runs.environment}
    found: list[tuple[str, str]] = []
    unknown = []
    for backing in application.runs.backing:
        read = [row for row in SERVERS[backing.kind].variables if row[0] in application.runs.variables]
        found += [(name, text.replace("{name}", database)) for name, text in read if name not in set_already]
        if not read:
            unknown.append(_told(backing, database))
    private = tuple((name, text.replace("{password}", "%s")) for name, text in found if "{password}" in text)
    postgres = any(backing.kind == "postgres" for backing in application.runs.backing)
    return Led(
        variables=tuple(row for row in found if "{password}" not in row[1]),
        private=private,
        secrets=(PASSWORD,) if postgres and not private else (),
        unknown=tuple(unknown),
    )


def postgres_data(pin: Pin) -> str:
    """Where the volume belongs; a tag without a number is a new version."""
    match = re.match(r"(\d+)", pin.reference.rpartition(":")[2])
    version = int(match[1]) if match else 1000
    return next(path for path, oldest in _POSTGRES_DATA if version >= oldest)


def _told(backing: Backing, database: str) -> str:
    # Without the line: an edit above it would make the file stale.
    seen = f" (imported in {backing.place.file})" if backing.place else ""
    where = {
        "redis": "Redis{seen} is at redis:6379",
        "postgres": "Postgres{seen} is at postgres:5432, user and database {database}, the password in /run/secrets/{secret}",
    }[backing.kind].format(seen=seen, database=database, secret=PASSWORD)
    return f"{where}; no variable is known that tells the program."
