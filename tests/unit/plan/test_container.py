"""How a container runs: defaults, every option and every mistake in one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from wherry.errors import RefusedError, UsageError, WherryError
from wherry.model.container import Container, Options, Owned, Publish, User
from wherry.oci.config import Healthcheck, RunConfig
from wherry.oci.platform import Platform
from wherry.plan.container import Facts, decide
from wherry.plan.container.health import health_of
from wherry.plan.container.ports import publish

NOBODY = User(uid=65532, gid=65532)


def decided(options: Options = Options(), config: dict[str, Any] | None = None, **more: Any) -> Container:  # noqa: B008
    said = RunConfig(**({"entrypoint": ("/app",), "user": "65532"} | (config or {})))
    known: dict[str, Any] = {
        "user": NOBODY,
        "processors": 4,
        "memory": 8 << 30,
        "id_base": 0x30000000,
        "folder": "/here",
    } | more
    return decide(
        options,
        Facts(image="app:1@sha256:0", title="app", platform=Platform(architecture="amd64"), config=said, **known),
    )


def test_what_nobody_said_is_hardened() -> None:
    made = decided()
    assert made.read_only
    assert made.no_new_privileges
    assert made.masked
    assert (made.capabilities, made.seccomp, made.network, made.publish) == ((), "default", "own", ())
    assert (made.limits.memory, made.limits.cpus, made.limits.pids, made.limits.files) == (256 << 20, 2.0, 256, 1024)
    assert [one.path for one in made.tmpfs] == ["/tmp"]
    assert (made.grace, made.stop_signal, made.relaxed) == (10.0, "SIGTERM", ())


def test_every_decision_has_a_reason() -> None:
    names = [one.name for one in decided().decisions]
    assert {"user", "capabilities", "seccomp", "userns", "writable", "memory", "cpus", "pids", "network", "grace"} <= {
        *names
    }
    assert all(one.reason and one.value for one in decided().decisions)


def test_a_machine_with_one_processor_gives_one() -> None:
    assert decided(processors=1).limits.cpus == 1.0


def test_go_is_told_of_its_limits() -> None:
    environment = dict(decided(Options(memory="100m", cpus="1.5")).environment)
    assert environment["GOMEMLIMIT"] == f"{int((100 << 20) * 0.9) >> 10}KiB"
    assert environment["GOMAXPROCS"] == "2"


@pytest.mark.parametrize("source", ["image", "option"])
def test_what_somebody_said_of_them_stays(source: str) -> None:
    config = {"env": ("GOMEMLIMIT=1GiB",)} if source == "image" else {}
    options = Options(environment=("GOMEMLIMIT=1GiB",)) if source == "option" else Options()
    made = decided(options, config)
    assert dict(made.environment)["GOMEMLIMIT"] == "1GiB"
    assert "gomemlimit" not in {one.name for one in made.decisions}


def test_variables_come_by_name_only() -> None:
    variables = (("SECRET", "s"), ("TOKEN", "t"))
    made = decided(Options(environment=("TOKEN", "A=1", "MISSING")), variables=variables)
    found = dict(made.environment)
    assert (found["TOKEN"], found["A"]) == ("t", "1")
    assert {"SECRET", "MISSING"} & set(found) == set()


def test_files_of_variables_are_below_flags() -> None:
    made = decided(Options(environment=("A=flag",)), files=((".env", "# words\nA=file\n\nB=b=c\r\n"),))
    assert {name: value for name, value in made.environment if name in "AB"} == {"A": "flag", "B": "b=c"}


def test_what_the_image_owns_and_declares_can_be_written_to() -> None:
    owned = (Owned(path="/data", mode=0o750, uid=65532, gid=65532, empty=False),)
    made = decided(config={"volumes": {"/var/lib/app": {}}}, owned=owned)
    found = {one.path: one for one in made.tmpfs}
    assert set(found) == {"/data", "/tmp", "/var/lib/app"}
    assert (found["/data"].copied, found["/data"].mode) == (True, 0o750)
    assert found["/var/lib/app"].uid == 65532


def test_a_volume_takes_the_place_of_memory() -> None:
    made = decided(Options(volumes=("./data:/tmp:ro",)))
    assert made.tmpfs == ()
    assert (made.binds[0].source, made.binds[0].writable) == ("/here/data", False)


@pytest.mark.parametrize(
    "volume",
    [
        *("../..:/data", "/:/data:ro", "/proc/1:/data:ro", "../sys:/data:ro", "/dev:/data:ro", "//dev//mem:/data"),
        *("/etc:/data", "/etc/cron.d:/data:rw", "/run/docker.sock:/data", "/boot:/data", "/root:/data", "/home:/data"),
        *("/run/docker.sock:/data:ro", "/run/user/1000/podman/podman.sock:/data"),
    ],
)
def test_no_volume_gives_the_machine_away(volume: str) -> None:
    with pytest.raises(RefusedError) as caught:
        decided(Options(volumes=(volume,)))
    assert caught.value.name == "volume-of-machine"


@pytest.mark.parametrize(
    "volume", ["/etc/ssl:/data:ro", "/home/me/x:/data", "/dev/shm/x:/data", "/run/user/1000/x:/data", "/etcetera:/data"]
)
def test_other_volumes_are_mounted_and_told(volume: str) -> None:
    made = decided(Options(volumes=(volume,)))
    (told,) = [one for one in made.decisions if one.name == "writable"]
    assert made.binds[0].path == "/data"
    assert ("/data" in told.value) == made.binds[0].writable == ("of this machine" in told.reason)


def test_a_secret_is_a_file() -> None:
    made = decided(Options(secrets=("token=./t.txt", "/etc/other")))
    assert [(one.source, one.path) for one in made.binds] == [
        ("/here/t.txt", "/run/secrets/token"), ("/etc/other", "/run/secrets/other"),
    ]  # fmt: skip


def test_the_command_is_put_together_as_engines_do() -> None:
    config = {"entrypoint": ("/app", "-a"), "cmd": ("b",)}
    assert decided(config=config).arguments == ("/app", "-a", "b")
    assert decided(Options(arguments=("c",)), config).arguments == ("/app", "-a", "c")
    assert decided(Options(entrypoint=("/x",)), config).arguments == ("/x",)


@pytest.mark.parametrize(
    ("relax", "sees"),
    [
        ("rootfs", lambda one: not one.read_only), ("privileges", lambda one: not one.no_new_privileges),
        ("seccomp", lambda one: one.seccomp == "unconfined"), ("masks", lambda one: not one.masked),
        ("userns", lambda one: one.id_base == 0), ("limits", lambda one: one.limits.memory == one.limits.pids == 0),
    ],
)  # fmt: skip
def test_one_hardening_less_is_one_less(relax: str, sees: Any) -> None:
    made, usual = decided(Options(relax=(relax,))), decided()
    assert sees(made)
    assert not sees(usual)
    assert made.relaxed == (relax,)
    assert [one.name for one in made.findings] == ["relaxed"]


def test_a_limit_that_is_not_there_says_who_left_it_away() -> None:
    for options, why in (
        (Options(relax=("limits",), memory="64m"), "--relax limits"),
        (Options(memory="64m"), "default"),
    ):
        made = {one.name: one.reason for one in decided(options).decisions}
        assert (made["memory"], made["cpus"], made["pids"]) == ("as you said", why, why)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("8080", Publish(host_port=8080, port=8080)),
        ("9000:8080", Publish(host_port=9000, port=8080)),
        ("127.0.0.1:9000:8080", Publish(host_port=9000, port=8080)),
        ("127.0.0.1::8080", Publish(host_port=0, port=8080)),
        (":8080", Publish(host_port=0, port=8080)),
        ("0.0.0.0:80:8080/tcp", Publish(host="0.0.0.0", host_port=80, port=8080)),
        ("[::1]:9000:8080", Publish(host="::1", host_port=9000, port=8080)),
        ("53:53/udp", Publish(host_port=53, port=53, protocol="udp")),
    ],
)
def test_ports_as_docker_writes_them(text: str, wanted: Publish) -> None:
    assert publish(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "x", "0", "65536", "1:2:3:4", "nowhere:1:2", "8080/icmp", "-1", "8080:", "1.2.3:80:80"]
)
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        publish(text)
    assert caught.value.name == "container-option"


MISTAKES = [
    (Options(relax=("rootfss",)), "container-option", "--relax rootfs"),
    (Options(name="-x"), "container-option", "--name x"),
    (Options(name="Bad/Name"), "container-option", "--name Bad-Name"),
    (Options(name="///"), "container-option", ""),
    (Options(name="x" * 64), "container-option", ""),
    (Options(hostname="a\n1.2.3.4 bank.example"), "container-option", "--hostname a-1.2.3.4-bank.example"),
    (Options(hostname="x" * 64), "container-option", ""),
    (Options(network="bridge"), "container-option", "--network own"),
    (Options(network="none", publish=("80",)), "container-option", ""),
    (Options(network="host", publish=("80",)), "container-option", ""),
    (Options(publish=("80:8080", "80:9090")), "container-option", ""),
    (Options(directory="app"), "container-option", ""),
    (Options(grace=-1.0), "container-option", ""),
    (Options(grace=1e9), "container-option", ""),
    (Options(stop_signal="SIGNOPE"), "container-option", ""),
    (Options(memory="lots"), "container-option", "write it like 64m or 1g"),
    (Options(memory="1k"), "container-option", ""),
    (Options(memory="64g"), "container-option", ""),
    (Options(cpus="0"), "container-option", ""),
    (Options(cpus="9"), "container-option", ""),
    (Options(cpus="nan"), "container-option", ""),
    (Options(pids=-1), "container-option", ""),
    (Options(pids=4), "container-option", "50 and more, 0 for no limit"),
    (Options(files=1), "container-option", ""),
    (Options(capabilities=("ALL",)), "container-option", ""),
    (Options(capabilities=("net_bind_servce",)), "container-option", "--cap-add NET_BIND_SERVICE"),
    (Options(environment=("1A=2",)), "container-option", ""),
    (Options(environment=tuple(f"A{n}=1" for n in range(5000))), "container-option", ""),
    (Options(volumes=("data:/data",)), "container-option", "-v ./data:/data"),
    (Options(volumes=("./data",)), "container-option", ""),
    (Options(volumes=("./data:/data:rx",)), "container-option", ""),
    (Options(volumes=("./a:/data", "./b:/data/")), "container-option", ""),
    (Options(volumes=("./a:/../etc",)), "path-escape", ""),
    (Options(volumes=("./a:/proc/self",)), "path-escape", ""),
    (Options(volumes=("./a:/",)), "path-escape", ""),
    (Options(tmpfs=("/dev",)), "path-escape", ""),
    (Options(tmpfs=("/data:much",)), "container-option", ""),
    (Options(tmpfs=("data",)), "container-option", "begin it with a slash: /data"),
    (Options(volumes=("./a:data",)), "container-option", "begin it with a slash: /data"),
    (Options(secrets=("../x=",)), "container-option", ""),
    (Options(secrets=("a/b=c",)), "container-option", ""),
]


@pytest.mark.parametrize(("options", "name", "step"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_each_mistake_has_a_name_and_a_way_on(options: Options, name: str, step: str) -> None:
    with pytest.raises(WherryError) as caught:
        decided(options)
    assert caught.value.name == name
    assert step in caught.value.next or not step


@pytest.mark.parametrize(
    "inner", [Options(volumes=("./b:/data/b",)), Options(tmpfs=("/data/b",))], ids=["-v", "--tmpfs"]
)
def test_f04_nothing_is_mounted_inside_what_another_container_may_write_to(inner: Options) -> None:
    """CVE-2021-30465: a folder there is swapped for a link while this container starts."""
    with pytest.raises(UsageError, match=r"^/data/b lies in /data, a volume that programs write to"):
        decided(replace(inner, volumes=("./a:/data", *inner.volumes)))
    decided(replace(inner, volumes=("./a:/data:ro", "./c:/dat", *inner.volumes)))


def test_init_for_go_is_a_note_where_one_is_asked_for() -> None:
    assert [(one.name, one.severity) for one in decided(Options(init=True)).findings] == [("init-for-go", "note")]
    assert decided().findings == ()


def test_a_variable_that_is_not_set_here_is_told() -> None:
    made = decided(Options(environment=("HERE", "FOO", "EMPTY=", "A=1")), variables=(("HERE", "x"),))
    assert [(one.name, one.message.split()[0]) for one in made.findings] == [("env-unset", "FOO")]
    assert "FOO" not in dict(made.environment)


def test_f07_root_must_be_asked_for() -> None:
    root = User(uid=0, gid=0)
    with pytest.raises(RefusedError) as caught:
        decided(config={"user": ""}, user=root)
    assert caught.value.name == "runs-as-root"
    assert decided(Options(relax=("user",)), {"user": ""}, user=root).user.uid == 0


def test_an_image_without_a_program() -> None:
    with pytest.raises(UsageError) as caught:
        decided(config={"entrypoint": None})
    assert caught.value.name == "no-command"


@pytest.mark.parametrize("volume", ["/VOLUME/../..", "/proc", "relative", "/a\nb"])
def test_f08_an_image_mounts_nothing_where_it_must_not(volume: str) -> None:
    """F08: what an image declares goes through the same gate as what a user says."""
    with pytest.raises(RefusedError) as caught:
        decided(config={"volumes": {volume: {}}})
    assert caught.value.name == "path-escape"


@pytest.mark.parametrize("directory", ["/proc/self/fd/7", "/sys/../proc/1/cwd", "//proc/self", "proc/self/fd/9"])
def test_no_image_starts_in_the_kernels_folders(directory: str) -> None:
    """F01: CVE-2024-21626."""
    with pytest.raises(RefusedError):
        decided(config={"working_dir": directory})
    assert decided(config={"working_dir": "app/../data"}).directory == "/data"


def test_f09_an_images_odd_variables() -> None:
    said = ("A=first", "B=b=c", "=nameless", "ALONE", "LINES=a\nb", "NUL=a\0b", "NU\0L=x", "A=last")
    made = dict(decided(config={"env": said}).environment)
    assert {name: made.get(name) for name in ("A", "B", "ALONE", "LINES")} == {
        "A": "last", "B": "b=c", "ALONE": "", "LINES": "a\nb",
    }  # fmt: skip
    assert not any(not name or "\0" in name + value for name, value in made.items())
    with pytest.raises(UsageError):
        decided(config={"env": tuple(f"A{number}=1" for number in range(100_000))})


def test_f08_labels_steer_nothing() -> None:
    """F08: the same container, whatever an image's labels say."""
    labels = {
        "io.podman.annotations.privileged": "TRUE",
        "run.oci.hooks.stderr": "/x",
        "com.docker.compose.project": "y",
    }
    assert decided(config={"labels": labels}) == decided()


@pytest.mark.parametrize(
    ("test", "wanted"),
    [
        (None, None), (("NONE",), None), (("CMD",), None),
        (("CMD", "/app", "health"), ((), ("/app", "health"))),
        (("CMD-SHELL", "curl x"), ((), ("/bin/sh", "-c", "curl x"))),
        (("CMD", "/wherry/probe", "8080", "/healthz", "2"), ((8080, "/healthz"), ())),
    ],
)  # fmt: skip
def test_an_images_own_check(test: tuple[str, ...] | None, wanted: Any) -> None:
    found = health_of(RunConfig(healthcheck=Healthcheck(test=test, retries=2)))
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert ((found.port, found.path) if found.port else (), found.command) == wanted
    assert (found.interval, found.timeout, found.retries) == (30.0, 30.0, 2)
