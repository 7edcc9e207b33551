"""Which programs are compared with which bases, and when a base's layers may stay where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.bases import kept
from tests.support.packing import packer
from tests.support.plans import plan
from tests.support.ports import ports
from tests.support.programs_in_c import HOST, binary, compiled
from wherry.assemble.image import Prepared
from wherry.errors import RefusedError
from wherry.flows.bases import check_programs, opened
from wherry.flows.destinations import Destinations
from wherry.model.base import Base
from wherry.model.plan import ImagePlan, Plan, Target
from wherry.model.toolchain import Toolchain
from wherry.store import place as places

TOOLCHAIN = Toolchain(go="/go", version="go1.26.8", root="/", origin="path")
STATIC = (Prepared(base=Base(name="static", platform=HOST)),)


def image(path: str) -> ImagePlan:
    """An image of one program."""
    return replace(plan(), targets=(Target(import_path=path, name="x", file="x"),), references=("reg.example/x:1",))


def test_only_an_images_own_programs_are_compared_with_its_base(tmp_path: Path) -> None:
    """Two images in one run: one of Go alone on static, one with C on a base that has a C library."""
    dynamic = replace(binary(compiled(tmp_path / "c")), import_path="example.com/c")
    alone = replace(
        binary(compiled(tmp_path / "go", "int main(void) { return 0; }", "-static")), import_path="example.com/go"
    )
    check_programs(image("example.com/go"), STATIC, (dynamic, alone), packer(tmp_path))
    with pytest.raises(RefusedError) as caught:
        check_programs(image("example.com/c"), STATIC, (dynamic, alone), packer(tmp_path))
    assert caught.value.name == "base-loader"


@pytest.mark.parametrize(
    ("goals", "push", "lazy"),
    [
        ((), True, True),
        (("oci:x",), True, False),
        (("docker://reg.example/y:1",), False, True),
        (("store:",), False, False),
    ],
)
def test_layers_stay_away_only_where_all_goes_to_registries(
    goals: tuple[str, ...], push: bool, lazy: bool, tmp_path: Path
) -> None:
    made = Plan(root="/src", toolchain=TOOLCHAIN, compilations=(), images=(image("example.com/x"),))
    chosen = Destinations(shared=tuple(map(places.parse, goals)), push=push)
    assert opened(made, chosen, ports(tmp_path), kept(tmp_path)).lazy == lazy
