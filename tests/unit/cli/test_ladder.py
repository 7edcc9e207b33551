"""The ladder as text, JSON, SVG and HTML."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as ET

from msgspec.structs import replace

from tests.support.applications import HOSTILE
from wherry.cli import ladder as shown
from wherry.cli.output import Output
from wherry.model.ladder import Ladder, Rung

SVG = "{http://www.w3.org/2000/svg}"
FULL = Rung(
    variant="single-stage", by="docker", base="golang:1.26", unpacked=850_000_000, packed=300_000_000, layers=9, packages=210,
    shell=True, user="65532:65532", build=31.26, start=0.0213,
)  # fmt: skip
SMALL = Rung(
    variant="scratch",
    by="wherry",
    unpacked=8_100_000,
    packed=3_000_000,
    layers=1,
    packages=0,
    shell=False,
    user="1",
    build=0.7,
)
NOT_HERE = Rung(variant="alpine", by="wherry", why="registry-1.docker.io did not answer")
LADDER = Ladder(name="shop", version="1.2.3", platform="linux/amd64", rungs=(FULL, SMALL, NOT_HERE))


def said(ladder: Ladder) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    shown.show(ladder, Output(out, err, {}))
    return out.getvalue(), err.getvalue()


def test_a_table_with_what_was_seen() -> None:
    out, err = said(LADDER)
    rows = [line.split("  ") for line in out.splitlines()]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["variant", "by", "on disk", "to pull", "layers", "pkgs", "shell", "user", "build", "start"],
        ["single-stage", "docker", "850 MB", "300 MB", "9", "210", "yes", "65532", "31.3s", "21ms"],
        ["scratch", "wherry", "8.1 MB", "3.0 MB", "1", "0", "no", "1", "0.7s", "-"],
        ["alpine", "wherry", *["-"] * 8],
    ]
    assert "registry-1.docker.io did not answer" in err
    assert " ".join(err.split()).endswith(
        "shop 1.2.3, linux/amd64: 850 MB as single-stage, 8.1 MB as scratch, 105 times less"
    )


def test_what_is_nearly_alike_is_said_in_hundredths() -> None:
    near = replace(SMALL, unpacked=7_400_000), replace(SMALL, unpacked=6_700_000)
    assert shown.closing(replace(LADDER, rungs=near)).endswith("6.7 MB as scratch, 9 % less")
    twice = replace(SMALL, unpacked=13_400_000), replace(SMALL, unpacked=6_700_000)
    assert shown.closing(replace(LADDER, rungs=twice)).endswith("2 times less")


def test_the_table_is_no_wider_than_a_terminal() -> None:
    assert max(map(len, said(LADDER)[0].splitlines())) <= 80


def test_the_chart_is_to_scale() -> None:
    tree = ET.fromstring(shown.svg(LADDER))
    bars = [float(bar.attrib["width"]) for bar in tree.iter(f"{SVG}rect")]
    assert len(bars) == 4, "what could not be measured has no bar"
    whole, part, small, _ = bars
    assert part / whole == round(300 / 850, 3) or abs(part / whole - 300 / 850) < 0.01
    assert abs(small / whole - 8.1 / 850) < 0.01


def test_the_smallest_bar_can_be_seen() -> None:
    tiny = Rung(variant="scratch", by="wherry", unpacked=1, packed=1)
    tree = ET.fromstring(shown.svg(Ladder(name="x", version="1", platform="p", rungs=(FULL, tiny))))
    assert min(float(bar.attrib["width"]) for bar in tree.iter(f"{SVG}rect")) >= 1


def test_the_page_says_what_it_does_not_show() -> None:
    unstarted = replace(SMALL, why="it did not start <here>")
    page = shown.page(replace(LADDER, rungs=(FULL, unstarted, NOT_HERE), docker="no Docker daemon answers here"))
    assert '<p class="why">scratch, wherry: it did not start &lt;here&gt;</p>' in page
    assert '<p class="why">docker: no Docker daemon answers here</p>' in page
    assert page.count("registry-1.docker.io did not answer") == 1
    assert '<p class="why">' not in shown.page(LADDER)


def test_no_name_becomes_markup() -> None:
    hostile = Ladder(
        name=HOSTILE + "<script>x</script>",
        version="<b>",
        platform="linux/amd64",
        rungs=(FULL, SMALL, Rung(variant="<i>", by="wherry", why="<script>y</script>")),
    )
    page = shown.page(hostile)
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    ET.fromstring(shown.svg(hostile))


def test_as_json() -> None:
    made = json.loads(shown.document(LADDER))
    assert made["schema"] == 1
    assert [one["unpacked"] for one in made["ladder"]["rungs"]] == [850_000_000, 8_100_000, None]


def test_too_little_to_compare() -> None:
    assert "too little" in said(Ladder(name="x", version="1", platform="p", rungs=(SMALL, NOT_HERE)))[1]
