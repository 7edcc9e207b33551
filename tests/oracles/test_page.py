"""The page of `wherry diff --variants --html`, by a real browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.tools import need
from tests.unit.cli.test_ladder import LADDER
from wherry.cli.ladder import page

pytestmark = pytest.mark.oracle
MEASURE = """
<script>
const wide = document.documentElement.scrollWidth <= window.innerWidth;
const bars = [...document.querySelectorAll("rect")].map(one => Math.round(one.getBoundingClientRect().width));
const texts = [...document.querySelectorAll("svg text")].map(one => one.getBoundingClientRect());
const inside = texts.every(one => one.left >= 0 && one.right <= window.innerWidth);
document.body.dataset.seen = JSON.stringify({wide, bars, inside, rows: document.querySelectorAll("tbody tr").length});
</script>
"""


def test_nothing_is_cut_off_and_bars_are_to_scale(tmp_path: Path) -> None:
    need("chromium")
    file = tmp_path / "page.html"
    file.write_text(page(LADDER).replace("</body>", f"{MEASURE}</body>"))
    shown = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=800,900",
            f"--user-data-dir={tmp_path}/profile", "--dump-dom", file.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    seen = shown.partition("data-seen=")[2].partition(">")[0].replace("&quot;", '"')
    assert '"wide":true' in seen
    assert '"inside":true' in seen
    assert '"rows":3' in seen
    whole, part, small, _ = (int(one) for one in seen.partition('"bars":[')[2].partition("]")[0].split(","))
    assert abs(part / whole - 300 / 850) < 0.02
    assert 0 < small < whole / 50
