"""Who runs, on what, for which machines."""

from typing import Any

import pytest

from tests.support.planning import (
    SQLITE,
    decision,
    findings,
    image,
    inferred,
    main,
    plan,
    project,
    refused,
    toolchain,
)
from wherry.model.plan import BaseChoice
from wherry.oci.platform import Platform
from wherry.plan.platforms import VARIABLES, canonical, go_variables


@pytest.mark.parametrize(
    ("given", "user"),
    [
        ("1000", "1000:1000"),
        ('"1000"', "1000:1000"),
        ('"1001:0"', "1001:0"),
        ('"nonroot"', "65532:65532"),
        ('"nobody:nonroot"', "65534:65532"),
        ('"0"', "0:0"),
        ('"root"', "0:0"),
        ("2147483647", "2147483647:2147483647"),
    ],
)
def test_the_user_is_always_numbers(given: str, user: str) -> None:
    made = plan(f"[image]\nuser = {given}\n")
    assert made.images[0].user == user
    assert ("root-user" in findings(made)) == user.startswith("0:")
    assert decision(made, "user").origin == "file"


def test_the_default_user_is_not_root() -> None:
    made = plan()
    assert made.images[0].user == "65532:65532"
    assert (decision(made, "user").origin, decision(made, "user").reason) == ("default", "not root")


@pytest.mark.parametrize(
    "given", ['"appuser"', '""', '"-1"', "-1", "2147483648", '"1000:"', '"1000:staff"', '"1000 "', '"٣"', "true"]
)
def test_other_users_are_refused(given: str) -> None:
    assert refused(f"[image]\nuser = {given}\n").name in ("user-name", "bad-setting")


@pytest.mark.parametrize(
    ("given", "name", "lock"),
    [
        ("static", "static", ""),
        ("scratch", "scratch", ""),
        ("alpine:3.22", "docker://docker.io/library/alpine:3.22", "docker.io/library/alpine:3.22"),
        ("alpine", "docker://docker.io/library/alpine:3", "docker.io/library/alpine:3"),
        ("busybox", "docker://docker.io/library/busybox:latest", "docker.io/library/busybox:latest"),
        ("ubuntu", "docker://docker.io/library/ubuntu:latest", "docker.io/library/ubuntu:latest"),
        ("distroles:1", "docker://docker.io/library/distroles:1", "docker.io/library/distroles:1"),
        ("docker://gcr.io/some/base", "docker://gcr.io/some/base:latest", "gcr.io/some/base:latest"),
        (
            "distroless",
            "docker://gcr.io/distroless/static-debian13:nonroot",
            "gcr.io/distroless/static-debian13:nonroot",
        ),
        ("oci:base:tag", "oci:/src/shop/base:tag", "oci:base:tag"),
        ("oci-archive:a/../b.tar", "oci-archive:/src/shop/b.tar", "oci-archive:b.tar"),
        ("docker-archive:base.tar", "docker-archive:/src/shop/base.tar", "docker-archive:base.tar"),
    ],
)
def test_bases(given: str, name: str, lock: str) -> None:
    made = plan(f'[image]\nbase = "{given}"\n')
    assert made.images[0].base == BaseChoice(name=name, lock=lock)
    assert decision(made, "base").value == given


def test_distroless_brings_a_c_library_where_one_is_needed() -> None:
    cgo = project(main(cgo=SQLITE))
    assert image('[image]\nbase = "distroless"\n', project=cgo).base.lock == "gcr.io/distroless/base-debian13:nonroot"
    linked = image('[image]\nbase = "distroless"\n[build]\nstatic = true\n', project=cgo)
    assert linked.base.lock == "gcr.io/distroless/static-debian13:nonroot"


def test_only_the_user_may_take_a_base_out_of_an_engine() -> None:
    made = plan('[image]\nbase = "docker-daemon:app:1"\n', trusted=True)
    assert made.images[0].base == BaseChoice(name="docker-daemon:app:1")
    assert "base-only-here" in findings(made)
    refusal = refused('[image]\nbase = "docker-daemon:app:1"\n')
    assert (refusal.name, refusal.why) == (
        "bad-base",
        "a repository could otherwise take along any image that you have",
    )


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("Alpine", "bad-base"),
        ("docker-daemon:x", "bad-base"),
        ("distroles", "bad-base"),
        ("debain", "bad-base"),
        ("alpine:", "bad-base"),
        ("oci:../other", "path-escape"),
        ("oci-archive:/etc/passwd", "path-escape"),
        ("oci:", "path-escape"),
    ],
)
def test_bases_that_cannot_be(given: str, error: str) -> None:
    found = refused(f'[image]\nbase = "{given}"\n')
    assert (found.name, found.where) == (error, (f'wherry.toml:2:1   base = "{given}"',))


def test_the_users_own_base_may_lie_anywhere() -> None:
    made = image('[image]\nbase = "oci:../base"\n', trusted=True, directory="cmd")
    assert made.base.name == "oci:/src/shop/base"


def test_certificates_go_into_any_base() -> None:
    for base in ("static", "scratch", "alpine:3.22"):
        made = image(f'[image]\nbase = "{base}"\ncertificates = ["certs/a.pem"]\n')
        assert made.base.certificates == ("certs/a.pem",)
    assert refused('[image]\ncertificates = ["../a.pem"]\n').name == "path-escape"


def test_scratch_says_what_the_program_will_miss() -> None:
    needy = project(main(inferred=inferred(("zones", "Europe/Berlin"), ("tls", "client"))))
    made = plan('[image]\nbase = "scratch"\n', project=needy)
    assert (
        findings(made)["scratch-lacks"]
        == "the program seems to need certificate authorities and time zones, and scratch has none"
    )
    assert "scratch-lacks" not in findings(plan(project=needy))
    assert "scratch-lacks" not in findings(plan('[image]\nbase = "scratch"\n'))


@pytest.mark.parametrize(
    ("given", "shown", "variable"),
    [
        ("linux/amd64", "linux/amd64", ("GOAMD64", "v1")),
        ("linux/amd64/v3", "linux/amd64/v3", ("GOAMD64", "v3")),
        ("linux/arm/v7", "linux/arm/v7", ("GOARM", "7")),
        ("linux/arm", "linux/arm/v7", ("GOARM", "7")),
        ("linux/arm/v5", "linux/arm/v5", ("GOARM", "5")),
        ("linux/arm64", "linux/arm64", ("GOARM64", "v8.0")),
        ("linux/arm64/v8", "linux/arm64", ("GOARM64", "v8.0")),
        ("linux/arm64/v9.0", "linux/arm64/v9.0", ("GOARM64", "v9.0")),
        ("linux/386/softfloat", "linux/386/softfloat", ("GO386", "softfloat")),
        ("linux/riscv64", "linux/riscv64", ("GORISCV64", "rva20u64")),
        ("linux/aarch64", "linux/arm64", ("GOARM64", "v8.0")),
    ],
)
def test_platforms_and_their_variables(given: str, shown: str, variable: tuple[str, str]) -> None:
    made = plan(f'platforms = ["{given}"]\n')
    assert [str(one) for one in made.images[0].platforms] == [shown]
    assert variable in made.compilations[0].environment
    assert ("GOOS", "linux") in made.compilations[0].environment


def test_platforms_that_are_the_same_are_built_once() -> None:
    made = plan('platforms = ["linux/arm64", "linux/arm64/v8", "linux/amd64/v1", "linux/amd64"]\n')
    assert [str(one) for one in made.images[0].platforms] == ["linux/arm64", "linux/amd64"]
    assert len(made.compilations) == 2


def test_the_default_platform_is_this_machines_processor_on_linux() -> None:
    mac: Any = toolchain()
    made = plan(
        toolchain=type(mac)(
            go="/go", version="go1.26.8", root="/", origin="path", host_os="darwin", host_architecture="arm64"
        )
    )
    assert [str(one) for one in made.images[0].platforms] == ["linux/arm64"]


@pytest.mark.parametrize("given", ["linux/amd46", "windows/amd64", "linux", "linux/amd64/v5", "", "linux/s390x/v1"])
def test_unknown_platforms(given: str) -> None:
    error = refused(f'platforms = ["linux/amd64", "{given}"]\n')
    assert error.name == "unknown-platform"
    assert error.where[0].startswith("wherry.toml:1:")
    assert error.next


def test_every_variant_has_a_variable_and_none_is_left_to_go() -> None:
    for architecture, (variable, baseline) in VARIABLES.items():
        assert (variable, baseline) in go_variables(canonical(Platform(architecture=architecture)))


def test_all_platforms_of_the_bases_made_here() -> None:
    made = plan('platforms = ["all", "linux/amd64"]\n')
    architectures = [one.architecture for one in made.images[0].platforms]
    assert architectures == ["386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x"]
    assert {one.platform.architecture for one in made.compilations} == set(architectures)
    error = refused('platforms = ["all"]\n[image]\nbase = "alpine:3"\n')
    assert (error.name, error.where) == ("unknown-platform", ('wherry.toml:1:14   platforms = ["all"]',))
    assert error.next == ("name them: --platform linux/amd64,linux/arm64",)
