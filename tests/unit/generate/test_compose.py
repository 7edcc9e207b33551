"""Compose files as Compose's own parser reads them, and as people do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support import foreign
from tests.support.applications import API, DIGEST, HOSTILE, JOBS
from tests.support.generated import same_as_golden
from tests.support.manifests import running
from wherry.errors import UsageError
from wherry.generate.compose.backing import SERVERS, postgres_data
from wherry.generate.compose.files import PURPOSES, files
from wherry.generate.table import WRITERS
from wherry.model.application import Application, Backing, Pin
from wherry.model.file import Choice
from wherry.model.plan import Asset, Health, WritableDirectory
from wherry.oci.platform import parse

Applications = tuple[Application, ...]
HARDENED = ("secure", "production")


def text(purpose: str, *applications: Application, extras: tuple[str, ...] = ()) -> str:
    (made,) = files(applications, Choice(what="compose", variant=purpose, extras=extras))
    return made.text


def read(folder: Path, purpose: str, *applications: Application, extras: tuple[str, ...] = ()) -> dict[str, Any]:
    """With a published digest, as production without one asks for a variable."""
    known = tuple(replace(one, digest=one.digest or DIGEST) for one in applications)
    return foreign.compose(text(purpose, *known, extras=extras), folder)


def service(folder: Path, purpose: str, application: Application, extras: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = read(folder, purpose, application, extras=extras)["services"][application.name]
    return made


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (API, JOBS))], ids=["api", "jobs", "both"]
)
def test_golden(purpose: str, name: str, applications: Applications) -> None:
    same_as_golden(f"compose-{purpose}-{name}", files(applications, Choice(what="compose", variant=purpose)))


def test_the_table_offers_each_purpose() -> None:
    (row,) = (one for one in WRITERS if one.what == "compose")
    assert set(row.variants) == set(PURPOSES)
    assert row.variants[0] == "secure"


def test_the_three_are_projects_of_their_own(tmp_path: Path) -> None:
    made = [read(tmp_path, purpose, API) for purpose in PURPOSES]
    assert {one["name"] for one in made} == {"shop-api", "shop-api-dev", "shop-api-production"}
    assert len({PURPOSES[purpose].file for purpose in PURPOSES}) == 3


@pytest.mark.parametrize("purpose", PURPOSES)
def test_two_applications_share_no_word(purpose: str) -> None:
    """Nothing of one is a constant of the writer: no port, path, user, limit of API is in the file of JOBS."""
    of_api = {"8080", "healthz", "65532", "256M", "235929KiB", "postgres", "shop", "102", "1024"}
    assert [word for word in of_api if word in text(purpose, running(JOBS, backing=()))] == []
    of_jobs = {"9099", "5353", "1001", "64M", "58982KiB", "redis", "services/jobs", "netrc", "GOMAXPROCS"}
    assert [word for word in of_jobs if word in text(purpose, API)] == []


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_production_has_the_hardening_of_secure(application: Application, tmp_path: Path) -> None:
    secure, production = (service(tmp_path, purpose, application) for purpose in HARDENED)
    for one in (secure, production):
        for name in ("build", "image", "pull_policy"):
            one.pop(name, None)
    assert production == secure


def test_the_baseline(tmp_path: Path) -> None:
    made = service(tmp_path, "secure", API)
    assert made["user"] == "65532:65532"
    assert made["read_only"] is True
    assert made["tmpfs"] == [
        "/tmp:size=64m,noexec,nosuid,nodev,mode=1777",
        "/home/nonroot:size=64m,noexec,nosuid,nodev,mode=0700,uid=65532,gid=65532",
    ]
    assert made["cap_drop"] == ["ALL"]
    assert "cap_add" not in made
    assert made["security_opt"] == ["no-new-privileges:true"]
    assert set(made["networks"]) == {"frontend", "backend"}
    assert made["restart"] == "unless-stopped"
    assert made["stop_grace_period"] == "30s"
    assert made["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
    assert made["deploy"]["resources"] == {
        "limits": {"cpus": "2", "memory": "256M", "pids": 256},
        "reservations": {"memory": "128M"},
    }
    assert (made["memswap_limit"], made["cpu_shares"]) == ("256M", 102)
    assert made["environment"]["GOMEMLIMIT"] == "235929KiB"
    assert "pids_limit" not in made


@pytest.mark.parametrize("purpose", HARDENED)
def test_a_recorded_profile_is_named_from_where_the_file_lies(purpose: str, tmp_path: Path) -> None:
    made = service(tmp_path, purpose, running(JOBS, seccomp="deploy/seccomp.json"))
    assert made["security_opt"] == ["no-new-privileges:true", "seccomp=../../deploy/seccomp.json"]


def test_writable_folders_are_memory_and_volumes_are_kept(tmp_path: Path) -> None:
    made = read(tmp_path, "secure", JOBS)
    jobs = made["services"]["jobs"]
    assert jobs["tmpfs"][1:] == ["/var/cache/jobs:size=64m,noexec,nosuid,nodev,mode=0750,uid=1001,gid=0"]
    assert jobs["volumes"] == [{"type": "volume", "source": "jobs-data", "target": "/data"}]
    assert set(made["volumes"]) == {"jobs-data", "redis-data"}


def test_a_writable_folder_with_files_of_the_image_is_no_memory(tmp_path: Path) -> None:
    """Memory laid over it would hide them; a new volume begins with them."""
    filled = replace(
        running(API, writable=(WritableDirectory(path="/srv"), WritableDirectory(path="/srv2"))),
        assets=(Asset(source="web", into="/srv/web"),),
    )
    made = service(tmp_path, "secure", filled)
    assert [one["target"] for one in made["volumes"]] == ["/srv"]
    assert [one.partition(":")[0] for one in made["tmpfs"]] == ["/tmp", "/srv2", "/home/nonroot"]


def test_what_lies_in_a_volume_is_kept_with_it(tmp_path: Path) -> None:
    nested = (WritableDirectory(path="/data/cache"), WritableDirectory(path="/database"))
    made = service(tmp_path, "secure", running(API, volumes=("/data",), writable=nested))
    assert [one.partition(":")[0] for one in made["tmpfs"]] == ["/tmp", "/database", "/home/nonroot"]


def test_nothing_is_mounted_twice_at_tmp(tmp_path: Path) -> None:
    """Docker starts no container with two mounts at one place."""
    kept = service(tmp_path, "secure", running(API, volumes=("/tmp",), home=None))
    assert [one["target"] for one in kept["volumes"]] == ["/tmp"]
    assert "tmpfs" not in kept
    own = service(tmp_path, "secure", running(API, writable=(WritableDirectory(path="/tmp", mode=0o700),), home=None))
    assert own["tmpfs"] == ["/tmp:size=64m,noexec,nosuid,nodev,mode=0700,uid=65532,gid=65532"]


def test_volumes_of_like_names_are_apart(tmp_path: Path) -> None:
    made = read(tmp_path, "secure", running(API, volumes=("/a/b", "/a-b", "/a_b")))
    volumes = made["services"]["shop-api"]["volumes"]
    assert [one["target"] for one in volumes] == ["/a/b", "/a-b", "/a_b"]
    assert len({one["source"] for one in volumes}) == 3
    assert {one["source"] for one in volumes} <= set(made["volumes"])


def test_production_takes_the_image_by_digest(tmp_path: Path) -> None:
    made = service(tmp_path, "production", API)
    assert made["image"] == f"registry.example.com/shop/shop-api@{DIGEST}"
    assert "build" not in made


@pytest.mark.parametrize("purpose", ["secure", "dev"])
def test_a_digest_of_what_is_built_here_is_refused(purpose: str) -> None:
    """Else it would stand in the first line and nowhere else."""
    with pytest.raises(UsageError, match="builds its image here") as caught:
        files((replace(API, digest=DIGEST),), Choice(what="compose", variant=purpose, digest=DIGEST))
    assert caught.value.next == (f"wherry generate compose --for production --digest {DIGEST}",)


def test_production_without_a_digest_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="required variable SHOP_API_IMAGE is missing"):
        foreign.compose(text("production", API), tmp_path)


@pytest.mark.parametrize(
    ("application", "words"),
    [
        (API, ["CMD", "/wherry/probe", "8080", "/healthz", "2"]),
        (running(API, health=Health(command=("/app/api", "health"))), ["CMD", "/app/api", "health"]),
        (JOBS, None),
        (replace(API, platforms=(parse("linux/riscv64"),)), None),
    ],
    ids=["probe", "own", "none", "no-probe-for-it"],
)
def test_health_is_asked_in_exec_form(application: Application, words: list[str] | None, tmp_path: Path) -> None:
    made = service(tmp_path, "secure", application).get("healthcheck")
    assert (made and made["test"]) == words


def test_times_of_health_are_those_of_the_image(tmp_path: Path) -> None:
    health = Health(port=1, path="/", interval=0.5, timeout=90, start_period=12, retries=7)
    made = service(tmp_path, "secure", running(API, health=health))["healthcheck"]
    assert [made[name] for name in ("interval", "timeout", "start_period", "retries")] == ["500ms", "90s", "12s", 7]


def test_ports_are_on_loopback_unless_asked_otherwise(tmp_path: Path) -> None:
    for purpose in PURPOSES:
        for one in read(tmp_path, purpose, API, JOBS)["services"].values():
            assert {port["host_ip"] for port in one.get("ports", ())} <= {"127.0.0.1"}
    public = read(tmp_path, "production", API, extras=("public",))["services"]
    assert ["host_ip" in port for port in public["shop-api"]["ports"]] == [False]
    assert "ports" not in public["postgres"]


def test_a_debugger_is_never_published() -> None:
    with pytest.raises(UsageError, match="development") as caught:
        text("dev", API, extras=("public",))
    assert caught.value.name == "usage"


def test_two_services_never_want_one_port(tmp_path: Path) -> None:
    other = replace(API, name="other", programs=API.programs)
    made = read(tmp_path, "dev", API, other, running(JOBS, ports=("5432/tcp", "8080/udp")))["services"]
    taken = [(port["published"], port["protocol"]) for one in made.values() for port in one.get("ports", ())]
    assert len(set(taken)) == len(taken) == 3 * 2 + 1 + 2
    assert [port["target"] for port in made["other"]["ports"]] == [8080, 2345]


def test_a_low_port_needs_no_capability(tmp_path: Path) -> None:
    made = service(tmp_path, "secure", running(API, ports=("80/tcp",)))
    assert made["sysctls"] == {"net.ipv4.ip_unprivileged_port_start": "0"}
    assert "sysctls" not in service(tmp_path, "secure", API)
    assert "sysctls" not in service(tmp_path, "secure", running(API, ports=("80/tcp",), user=0))


def test_dev_builds_its_stage_and_follows_the_sources(tmp_path: Path) -> None:
    made = service(tmp_path, "dev", JOBS)
    assert made["build"]["target"] == "dev"
    assert (made["build"]["context"], made["build"]["dockerfile"]) == ("../..", "services/jobs/dev.Dockerfile")
    again, *rebuild = made["develop"]["watch"]
    assert (again["action"], again["path"]) == ("restart", "../..")
    assert {".git/", "services/jobs/secrets/", *JOBS.sources.module_files} == set(again["ignore"])
    assert {one["action"] for one in rebuild} == {"rebuild"}
    assert [one["path"] for one in rebuild] == ["../../go.work", "../../lib/go.mod", "go.mod", "go.sum"]
    (sources,) = (one for one in made["volumes"] if one["type"] == "bind")
    assert (sources["source"], sources["target"], sources["read_only"]) == ("../..", "/src", True)
    assert made["cap_drop"] == ["ALL"]
    assert "healthcheck" not in service(tmp_path, "dev", API)  # a program at a breakpoint answers nobody


def test_private_modules_are_built_with_a_secret(tmp_path: Path) -> None:
    made = read(tmp_path, "secure", JOBS)
    assert made["services"]["jobs"]["build"]["secrets"] == [{"source": "netrc"}]
    assert made["secrets"]["netrc"] == {"file": "~/.netrc"}
    assert "netrc" not in text("production", JOBS)


def test_servers_are_hardened_and_only_dev_publishes_them(tmp_path: Path) -> None:
    for purpose in PURPOSES:
        made = read(tmp_path, purpose, API, JOBS)
        assert made["networks"]["backend"]["internal"] is True
        for kind in SERVERS:
            one = made["services"][kind]
            assert one["image"].endswith(f"@{DIGEST}")
            assert (one["user"], one["read_only"], one["cap_drop"]) == (kind, True, ["ALL"])
            assert one["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
            assert ("ports" in one) == (purpose == "dev")
            assert ("frontend" in one["networks"]) == (purpose == "dev")
            assert "backend" in one["networks"]


def test_the_application_waits_for_healthy_servers(tmp_path: Path) -> None:
    for purpose in PURPOSES:
        made = read(tmp_path, purpose, API)["services"]
        assert made["shop-api"]["depends_on"]["postgres"]["condition"] == "service_healthy"
        assert made["postgres"]["healthcheck"]["test"] == [
            *("CMD", "pg_isready", "-q", "-h", "127.0.0.1"),
            *("-U", made["postgres"]["environment"]["POSTGRES_USER"]),
            *("-d", made["postgres"]["environment"]["POSTGRES_DB"]),
        ]


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("docker.io/library/postgres:18-trixie", "/var/lib/postgresql"),
        ("docker.io/library/postgres:17.2", "/var/lib/postgresql/data"),
        ("localhost:5000/postgres:latest", "/var/lib/postgresql"),
    ],
)
def test_where_postgres_keeps_its_data(reference: str, path: str) -> None:
    assert postgres_data(Pin(role="postgres", reference=reference)) == path


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_data_of_postgres_is_in_a_volume(purpose: str, tmp_path: Path) -> None:
    made = read(tmp_path, purpose, API)
    (mount,) = made["services"]["postgres"]["volumes"]
    assert (mount["type"], mount["source"], mount["target"]) == ("volume", "postgres-data", "/var/lib/postgresql")
    assert "postgres-data" in made["volumes"]


def test_an_address_with_a_password_is_in_a_file_of_its_own(tmp_path: Path) -> None:
    made = service(tmp_path, "secure", running(API, variables=("DATABASE_URL", "PGHOST"), secrets=()))
    assert made["environment"].keys() == {"GOMEMLIMIT", "PGHOST"}
    assert [one["path"] for one in made["env_file"]] == ["./secrets/shop-api.env"]
    assert "secrets" not in made


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (("POSTGRES_HOST", "POSTGRES_PASSWORD_FILE"), {"POSTGRES_HOST": "postgres"}),
        (("DB_USER", "DB_NAME", "DB_PORT"), {"DB_USER": "shop_api", "DB_NAME": "shop_api", "DB_PORT": "5432"}),
        (("UNHEARD_OF",), {}),
    ],
)
def test_only_variables_that_the_code_reads_are_set(
    variables: tuple[str, ...], expected: dict[str, str], tmp_path: Path
) -> None:
    made = service(tmp_path, "secure", running(API, variables=variables, secrets=()))
    files_of_it = {one for one in variables if one.endswith("_FILE")}
    assert made["environment"].keys() - {"GOMEMLIMIT"} == expected.keys() | files_of_it
    assert expected.items() <= made["environment"].items()
    assert [one["source"] for one in made["secrets"]] == ["postgres-password"]


def test_what_the_image_sets_is_left(tmp_path: Path) -> None:
    application = running(JOBS, variables=("REDIS_ADDR",))
    assert service(tmp_path, "secure", application)["environment"]["REDIS_ADDR"] == "redis:6379"
    elsewhere = running(application, environment=(("REDIS_ADDR", "cache.example.com:6379"),))
    assert "REDIS_ADDR" not in service(tmp_path, "secure", elsewhere)["environment"]


def test_development_and_production_have_their_own_usual_values(tmp_path: Path) -> None:
    gin = running(
        API,
        environment=(("GIN_MODE", "release"),),
        usual=(("TZ", "UTC"),),
        debugging=(("GIN_MODE", "debug"), ("LOG_LEVEL", "debug")),
    )
    told = {one: service(tmp_path, one, gin)["environment"].items() for one in ("secure", "production", "dev")}
    assert ("TZ", "UTC") in told["secure"] & told["production"]
    assert "GIN_MODE" not in dict(told["secure"]), "it is in the image"
    assert told["dev"] >= {("GIN_MODE", "debug"), ("LOG_LEVEL", "debug")}
    assert "TZ" not in dict(told["dev"])


def test_a_server_that_nobody_tells_of_is_in_a_comment() -> None:
    told = " ".join(text("secure", running(API, variables=(), secrets=())).replace("    # ", "").split())
    assert (
        "Postgres (imported in internal/store/db.go) is at postgres:5432, user and database shop_api, the password in "
        "/run/secrets/postgres-password; no variable is known that tells the program." in told
    )
    assert "no variable is known" not in text("secure", API)


def test_no_password_is_in_any_file() -> None:
    for purpose in PURPOSES:
        made = text(purpose, API, JOBS)
        assert re.findall(r"(?m)^ +[A-Z_]*PASSWORD: .*|[a-z]+://[^ :]*:[^%@ ]+@", made) == []


@pytest.mark.parametrize(
    "application",
    [
        replace(API, name="a b"),
        replace(API, name=HOSTILE),
        running(API, secrets=("../x",)),
        running(API, volumes=("/data:ro",)),
        running(API, writable=(WritableDirectory(path="/c:/x"),)),
    ],
    ids=["name", "hostile", "secret", "volume", "writable"],
)
def test_what_compose_cannot_say_is_refused(application: Application) -> None:
    with pytest.raises(UsageError) as caught:
        text("secure", application)
    assert caught.value.name == "bad-text"
    assert caught.value.where
    assert caught.value.next


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_secret_is_never_that_of_the_build(purpose: str) -> None:
    with pytest.raises(UsageError) as caught:
        text(purpose, running(JOBS, secrets=("netrc",)))
    assert caught.value.name == "same-name"


@pytest.mark.parametrize(
    "others", [(API, API), (running(JOBS, backing=(Backing(kind="postgres"),)), replace(API, name="x/postgres"))]
)
def test_two_services_of_one_name_are_refused(others: Applications) -> None:
    with pytest.raises(UsageError) as caught:
        text("secure", *others)
    assert caught.value.name == "same-name"
