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
from wherry.model.application import PORTS, Application, Backing, Pin

PASSWORD: Final = "postgres-password"  # noqa: S105 - the name of the secret
REDIS_PASSWORD: Final = "redis-password"  # noqa: S105 - as above
SECRETS: Final = "./secrets"
#: Since 18 a folder for each version lies below it, and the image refuses to start with a volume where data was before.
_POSTGRES_DATA: Final = (("/var/lib/postgresql", 18), ("/var/lib/postgresql/data", 0))


class Server(Value, frozen=True, kw_only=True):
    """One kind of server, as a service of that name."""

    kind: str
    port: int
    volume: str
    describe: Callable[[Pin, str, bool], dict[str, Document]]
    """The image, the database's name and whether it asks for a password in; the service's keys, without ports, out."""
    password: str
    """The name of that secret."""
    secretive: re.Pattern[str]
    """How programs call the secret that is this password."""
    always: bool
    """It asks for a password whether a program knows one or not."""
    url: str
    """As `variables`."""
    variables: tuple[tuple[str, str], ...]
    """Names that programs read, and what they mean; {name} is the database and its user, {password} the password, {secret} the
    name of its file."""


def _postgres(pin: Pin, database: str, _: bool) -> dict[str, Document]:
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


def _redis(pin: Pin, _: str, asks: bool) -> dict[str, Document]:
    open_to_all = why(["backend"], "it asks for no password: only what is in this network reaches it")
    return {
        "image": str(pin),
        "user": why("redis", "from the beginning: as root the image would need capabilities to become it"),
        **({"command": why(_GUARDED, "the password comes by a pipe: no list of processes shows it")} if asks else {}),
        **hardened(),
        "volumes": [{"type": "volume", "source": "redis-data", "target": "/data"}],
        **({"secrets": [REDIS_PASSWORD]} if asks else {}),
        "networks": ["backend"] if asks else open_to_all,
        "healthcheck": {"test": ["CMD-SHELL", _PING] if asks else ["CMD", "redis-cli", "ping"], **_QUICK},
        "stop_grace_period": "30s",
        "restart": "unless-stopped",
        **shares(Share(memory=256 << 20, cpus=1.0, pids=64)),
        "logging": logged(),
    }


_QUICK: Final[dict[str, Document]] = {"interval": "5s", "timeout": "3s", "retries": 5, "start_period": "30s"}
"""Whoever depends on it waits for the first good answer."""
_GUARDED: Final = ["sh", "-c", f"exec redis-server - <<END\nrequirepass $(cat /run/secrets/{REDIS_PASSWORD})\nEND\n"]
_PING: Final = f'REDISCLI_AUTH="$(cat /run/secrets/{REDIS_PASSWORD})" redis-cli -e ping'
_ADDRESS: Final = "postgres://{name}:{password}@postgres:5432/{name}?sslmode=disable"


def _called(*servers: str) -> re.Pattern[str]:
    """`db-password`, `shop_redis_password`, `PGPASSWORD`."""
    return re.compile(
        rf"(?:.*[-_.])?(?:{'|'.join(servers)})[-_.]?(?:password|passwd|pass|pw)", re.IGNORECASE | re.ASCII
    )


SERVERS: Final = {
    one.kind: one
    for one in (
        Server(
            kind="postgres",
            port=PORTS["postgres"],
            url=_ADDRESS,
            password=PASSWORD,
            secretive=_called("pg", "postgres", "postgresql", "db", "database"),
            always=True,
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
                    (f"{name}_FILE", "/run/secrets/{secret}")
                    for name in ("PGPASSWORD", "POSTGRES_PASSWORD", "DATABASE_PASSWORD", "DB_PASSWORD")
                ),
            ),
        ),
        Server(
            kind="redis",
            port=PORTS["redis"],
            url="redis://redis:6379/0",
            password=REDIS_PASSWORD,
            secretive=_called("redis", "valkey"),
            always=False,
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
    """Of a server, beside the program's own."""
    shared: tuple[tuple[str, str], ...] = ()
    """The program's own secrets that are a server's password, and what that one is called."""
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
    unknown, shared = [], _shared(application)
    for backing in application.runs.backing:
        read = _read(application, backing)
        own = next((name for name, secret in shared if secret == SERVERS[backing.kind].password), PASSWORD)
        found += [
            (name, text.replace("{name}", database).replace("{secret}", own))
            for name, text in read
            if name not in set_already
        ]
        if not read:
            unknown.append(_told(backing, database, shared))
    private = tuple((name, text.replace("{password}", "%s")) for name, text in found if "{password}" in text)
    postgres = any(backing.kind == "postgres" for backing in application.runs.backing)
    return Led(
        variables=tuple(row for row in found if "{password}" not in row[1]),
        private=private,
        secrets=(PASSWORD,) if postgres and not private and PASSWORD not in dict(shared).values() else (),
        shared=shared,
        unknown=tuple(unknown),
    )


def _shared(application: Application) -> tuple[tuple[str, str], ...]:
    """One file for both sides: a second one would have to be the same."""
    return tuple(
        (name, SERVERS[backing.kind].password)
        for backing in application.runs.backing
        for name in application.runs.secrets
        if SERVERS[backing.kind].secretive.fullmatch(name)
    )


def guarded(applications: tuple[Application, ...]) -> tuple[str, ...]:
    """The servers that ask for a password."""
    shared = {secret for one in applications for _, secret in _shared(one)}
    return tuple(one for one in kinds(applications) if SERVERS[one].always or SERVERS[one].password in shared)


def leading(application: Application) -> frozenset[str]:
    """Variables that its code reads to find its servers, their passwords among them."""
    every = application.runs.backing
    read = {name for backing in every for name, _ in _read(application, backing)}
    called = {
        name
        for name in application.runs.variables
        if any(SERVERS[backing.kind].secretive.fullmatch(name) for backing in every)
    }
    return frozenset(read | called)


def _read(application: Application, backing: Backing) -> list[tuple[str, str]]:
    """Variables that lead to that server, and what they mean: surely those that its client is handed, then those that are called
    like it (DATABASE_URL), or else with the program's name before (SHOP_DATABASE_URL)."""
    server, every = SERVERS[backing.kind], application.runs.backing
    handed = dict.fromkeys(backing.urls, server.url) | dict.fromkeys(backing.addresses, f"{server.kind}:{server.port}")
    others = {name for one in every if one != backing for name in (*one.urls, *one.addresses)}
    left = [name for name in application.runs.variables if name not in handed and name not in others]
    exact = {name: text for name, text in server.variables if name in left}
    prefixed = {
        name: text for name in left for usual, text in server.variables if _is_prefixed(name, usual, backing.kind)
    }
    return list((handed | (exact or prefixed)).items())


def _is_prefixed(name: str, usual: str, kind: str) -> bool:
    """`SHOP_DATABASE_URL` for `DATABASE_URL`; nothing that names another server (REDIS_DATABASE_URL)."""
    words = name.split("_")
    return name.endswith(f"_{usual}") and not {"POSTGRES", "PG", "REDIS", "MYSQL", "MONGO", "TEST"}.intersection(
        words
    ) - {kind.upper()}


def postgres_data(pin: Pin) -> str:
    """Where the volume belongs; a tag without a number is a new version."""
    match = re.match(r"(\d+)", pin.reference.rpartition(":")[2])
    version = int(match[1]) if match else 1000
    return next(path for path, oldest in _POSTGRES_DATA if version >= oldest)


def _told(backing: Backing, database: str, shared: tuple[tuple[str, str], ...]) -> str:
    # Without the line: an edit above it would make the file stale.
    seen = f" (imported in {backing.place.file})" if backing.place else ""
    secret = next((name for name, theirs in shared if theirs == PASSWORD), PASSWORD)
    where = {
        "redis": "Redis{seen} is at redis:6379",
        "postgres": "Postgres{seen} is at postgres:5432, user and database {database}, the password in /run/secrets/{secret}",
    }[backing.kind].format(seen=seen, database=database, secret=secret)
    return f"{where}; no variable is known that tells the program."
