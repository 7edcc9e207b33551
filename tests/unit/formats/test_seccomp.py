"""Seccomp profiles are read strictly in both forms, and mean what Docker means by them."""

from __future__ import annotations

import json

import pytest

from wherry.errors import CorruptError
from wherry.formats import seccomp
from wherry.formats.seccomp import Target

X86 = "SCMP_ARCH_X86"
ALLOW = {"names": ["read"], "action": "SCMP_ACT_ALLOW"}
PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ALLOW]}
AMD64 = Target(architecture="amd64", kernel=(5, 10))


def docker(**more: object) -> bytes:
    return json.dumps({**PROFILE, **more}).encode()


def allowed(profile: seccomp.Seccomp) -> set[str]:
    return {name for rule in profile.syscalls if rule.action == "SCMP_ACT_ALLOW" for name in rule.names}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"defaultAction": "ALLOW"}, "$.defaultAction"),
        ({"syscalls": [ALLOW, {"names": ["read"], "action": "SCMP_ACT_MAYBE"}]}, "$.syscalls[1].action"),
        ({"syscalls": [{**ALLOW, "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}, "$.syscalls[0].args[0].index"),
        ({"syscalls": [{**ALLOW, "args": [{"index": 0, "value": 0, "op": "EQ"}]}]}, "$.syscalls[0].args[0].op"),
        ({"syscalls": [{**ALLOW, "exclude": {}}]}, "$.syscalls[0]"),
        ({"syscalls": [{"action": "SCMP_ACT_ALLOW"}]}, "$.syscalls[0]"),
        ({"syscalls": [{**ALLOW, "name": "write"}]}, "$.syscalls[0]"),
        ({"syscalls": [{**ALLOW, "names": ["read me"]}]}, "$.syscalls[0].names[0]"),
        ({"syscalls": [{**ALLOW, "includes": {"minKernel": "new"}}]}, "$.syscalls[0].includes.minKernel"),
        ({"syscalls": [{**ALLOW, "includes": {"caps": ["sys_admin"]}}]}, "$.syscalls[0].includes.caps[0]"),
        ({"architectures": ["amd64"]}, "$.architectures[0]"),
        ({"defaultErrnoRet": -1}, "$.defaultErrnoRet"),
        ({"archMap": [{"architecture": X86, "subArchitectures": []}], "architectures": [X86]}, "$.architectures"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_path(change: dict[str, object], path: str) -> None:
    with pytest.raises(CorruptError) as caught:
        seccomp.read_docker(docker(**change), name="p.json")
    assert caught.value.name == "bad-seccomp"
    assert path in str(caught.value)
    assert caught.value.where == ("p.json",)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"defaultAction": "SCMP_ACT_LOG", "defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}']
)
def test_no_profile_at_all(data: bytes) -> None:
    with pytest.raises(CorruptError, match="no sound seccomp profile"):
        seccomp.read_docker(data, name="p.json")


def test_a_profile_has_a_size() -> None:
    with pytest.raises(CorruptError, match="more than"):
        seccomp.read_docker(docker() + b" " * seccomp.LARGEST, name="p.json")


def test_oci_needs_names() -> None:
    with pytest.raises(CorruptError, match=r"\$\.syscalls\[0\]\.names"):
        seccomp.read_oci(
            b'{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}]}', name="x"
        )


RULES: dict[str, dict[str, object]] = {
    "always": {},
    "for_cap": {"includes": {"caps": ["CAP_SYS_ADMIN"]}},
    "without_cap": {"excludes": {"caps": ["CAP_SYS_ADMIN"]}},
    "for_arch": {"includes": {"arches": ["arm64", "x86"]}},
    "without_arch": {"excludes": {"arches": ["s390x"]}},
    "new_kernel": {"includes": {"minKernel": "5.11"}},
    "old_kernel": {"excludes": {"minKernel": "5.11"}},
}


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (AMD64, {"always", "without_cap", "without_arch", "old_kernel"}),
        (
            Target(architecture="arm64", kernel=(5, 11)),
            {"always", "without_cap", "for_arch", "without_arch", "new_kernel"},
        ),
        (
            Target(architecture="386", kernel=(6, 0)),
            {"always", "without_cap", "for_arch", "without_arch", "new_kernel"},
        ),
        (
            Target(architecture="s390x", capabilities=("CAP_NET_RAW", "CAP_SYS_ADMIN"), kernel=(5, 2)),
            {"always", "for_cap", "old_kernel"},
        ),
    ],
)
def test_what_counts_where(target: Target, names: set[str]) -> None:
    rules = [{"names": [name], "action": "SCMP_ACT_ALLOW", **when} for name, when in RULES.items()]
    assert allowed(seccomp.read(docker(syscalls=rules), target, name="p.json")) == names


def test_architectures_come_from_the_map() -> None:
    rows = [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": None},
    ]
    profile = docker(archMap=rows)
    assert seccomp.read(profile, AMD64, name="p").architectures == ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86")
    assert seccomp.read(profile, Target(architecture="arm64"), name="p").architectures == ("SCMP_ARCH_AARCH64",)
    assert seccomp.read(docker(), AMD64, name="p").architectures == ()


def test_there_and_back() -> None:
    args = [{"index": 1, "value": 7, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]
    rules = [ALLOW, {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "args": args}]
    once = seccomp.read(docker(syscalls=rules, architectures=["SCMP_ARCH_X86"], defaultErrnoRet=1), AMD64, name="p")
    assert seccomp.read_oci(seccomp.encode(once), name="p") == once
    assert seccomp.read(seccomp.encode(seccomp.to_docker(once)), AMD64, name="p") == once
    assert json.loads(seccomp.encode(once))["syscalls"][1] == rules[1]


@pytest.mark.parametrize(("text", "version"), [("6.1.0-18-amd64", (6, 1)), ("5.4", (5, 4)), ("x", (0, 0))])
def test_releases_of_kernels(text: str, version: tuple[int, int]) -> None:
    assert Target.release(text) == version
