"""What a program's last words mean."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.errors import WherryError
from wherry.judge.start import start
from wherry.model.container import Container, Limits, Tmpfs
from wherry.model.lastwords import hint
from wherry.model.observation import Expectations, Start
from wherry.oci.platform import Platform
from wherry.runtime.program import level, refuse_level

DENIED = "2026/11/27 08:00:00 listen tcp :80: bind: permission denied"
FORK = "fork/exec /proc/self/exe: resource temporarily unavailable"
FULL = "write /tmp/fill: no space left on device"
LEVEL = "This program can only be run on AMD64 processors with v3 microarchitecture support."


def test_a_port_below_1024_and_a_processor_that_is_too_old() -> None:
    assert "--cap-add NET_BIND_SERVICE" in hint(DENIED, CONTAINER)
    assert "GOAMD64=v3" in hint(LEVEL, CONTAINER)
    assert hint(DENIED.replace(":80", ":8080"), CONTAINER) == ""
    assert hint(DENIED, replace(CONTAINER, capabilities=("CAP_NET_BIND_SERVICE",))) == ""


def test_processes_that_were_refused_and_memory_that_is_full() -> None:
    limited = replace(CONTAINER, limits=Limits(pids=50), tmpfs=(Tmpfs(path="/tmp", size=1 << 20),))
    for said in (FORK, "runtime: failed to create new OS thread (have 9 already; errno=11)"):
        assert hint(said, limited) == "it may have 50 processes and threads: --pids N lets it have more"
        assert hint(said, CONTAINER) == ""
    assert hint(FULL, limited) == "/tmp is memory of 1 MiB, and full: --tmpfs /tmp:SIZE, or -v a folder"
    assert hint(FULL.replace("/tmp/", "/tmpfile/"), limited) == "", "a disk of this machine"
    assert hint(FULL, CONTAINER) == ""


@pytest.mark.parametrize("said", [DENIED, LEVEL])
def test_the_verdict_on_its_start_says_the_way_on(said: str) -> None:
    verdict = start(observed(start=Start(ended=1, waited=0.1, log=(said,))), Expectations())
    assert (verdict.outcome, verdict.next) == ("FAIL", (hint(said, CONTAINER),))


def test_an_image_for_a_newer_processor_is_refused() -> None:
    def wants(variant: str) -> Container:
        return replace(CONTAINER, platform=Platform(architecture="amd64", variant=variant))

    refuse_level(wants("v2"), "flags : sse3 ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm\n")
    with pytest.raises(WherryError) as caught:
        refuse_level(wants("v3"), "flags : sse4_2 popcnt\n")
    assert caught.value.name == "cpu-level"
    refuse_level(wants("v4"), "")


@pytest.mark.parametrize(
    ("cpuinfo", "wanted"),
    [
        ("", ""), ("Features : fp asimd\n", ""), ("flags : fpu\n", ""), ("flags : popcnt sse4_2\n", "v2"),
        ("flags : popcnt sse4_2 avx2 bmi2 fma\n", "v3"), ("flags : avx2 bmi2 fma\n", ""),
        ("flags : popcnt sse4_2 avx2 bmi2 fma avx512f avx512bw avx512vl\n", "v4"),
    ],
)  # fmt: skip
def test_the_level_of_a_processor(cpuinfo: str, wanted: str) -> None:
    assert level(cpuinfo) == wanted
