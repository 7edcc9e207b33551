"""Seconds that a server's Shutdown may take, from the context that it gets."""

from pathlib import Path

import pytest

from tests.support.analysis import facts
from tests.unit.analyze.test_outside import main_of, sure
from wherry.analyze.source.draining import seconds_of

IMPORTS = '"context"\n"flag"\n"net/http"\n"time"\n"go.opentelemetry.io/otel/sdk/trace"\n"github.com/labstack/echo/v4"'
SERVER = "srv := &http.Server{}\n"
ANOTHER = "b, _ := context.WithTimeout(x, 9*time.Second)"

FUNCTIONS = """
const limit = 25 * time.Second

func stop(ctx context.Context) { server.Shutdown(ctx) }

func quit(one *http.Server, within time.Duration) {
	ctx, _ := context.WithTimeout(x, within)
	one.Shutdown(ctx)
}

func (y *Y) halt(one *http.Server, within time.Duration) {
	ctx, _ := context.WithTimeout(x, within)
	one.Shutdown(ctx)
}

func flush(one *trace.TracerProvider, within time.Duration) {
	ctx, _ := context.WithTimeout(x, within)
	one.Shutdown(ctx)
}
"""

#: name → (body of main, expected values)
DRAINS = {
    "literal": (f"{SERVER}ctx, _ := context.WithTimeout(x, 10*time.Second)\nsrv.Shutdown(ctx)", {"10": "found"}),
    "the other way": (f"{SERVER}ctx, _ := context.WithTimeout(x, time.Second*7)\nsrv.Shutdown(ctx)", {"7": "found"}),
    "a unit alone": (f"{SERVER}ctx, _ := context.WithTimeout(x, time.Minute)\nsrv.Shutdown(ctx)", {"60": "found"}),
    "fractions": (
        f"{SERVER}ctx, _ := context.WithTimeout(x, 1500*time.Millisecond)\nsrv.Shutdown(ctx)",
        {"1.5": "found"},
    ),
    "converted": (
        f"{SERVER}ctx, _ := context.WithTimeout(x, time.Duration(3)*time.Second)\nsrv.Shutdown(ctx)",
        {"3": "found"},
    ),
    "constant": (f"{SERVER}ctx, _ := context.WithTimeout(x, limit)\nsrv.Shutdown(ctx)", {"25": "found"}),
    "a flag's default": (
        f'{SERVER}d := flag.Duration("d", 8*time.Second, "")\nctx, _ := context.WithTimeout(x, *d)\nsrv.Shutdown(ctx)',
        {"8": "guess"},
    ),
    "deadline": (
        f"{SERVER}ctx, _ := context.WithDeadline(x, time.Now().Add(4*time.Second))\nsrv.Shutdown(ctx)",
        {"4": "found"},
    ),
    "through a parameter": ("ctx, _ := context.WithTimeout(x, 6*time.Second)\nstop(ctx)", {"6": "guess"}),
    "of a parameter": ("quit(s, 11*time.Second)", {"11": "found"}),
    "a method's parameter": ("x.halt(s, 12*time.Second)", {"12": "found"}),
    "another kind of parameter": ("flush(p, 13*time.Second)", {}),
    "a framework": (
        "e := echo.New()\nctx, _ := context.WithTimeout(x, 5*time.Second)\ne.Shutdown(ctx)",
        {"5": "guess"},
    ),
    "two servers": (
        f"{SERVER}a, _ := context.WithTimeout(x, 5*time.Second)\nsrv.Shutdown(a)\n{ANOTHER}\nsrv.Shutdown(b)",
        {"5": "found", "9": "found"},
    ),
    "another context": (
        f"{SERVER}ctx, _ := context.WithTimeout(x, 5*time.Second)\nsrv.Shutdown(x)\nhttp.NewRequestWithContext(ctx)",
        {},
    ),
    "a tracer": (
        "tp := trace.NewTracerProvider()\nctx, _ := context.WithTimeout(x, 5*time.Second)\ntp.Shutdown(ctx)",
        {},
    ),
    "no limit": (f"{SERVER}srv.Shutdown(context.Background())", {}),
    "own WithTimeout": (f"{SERVER}ctx, _ := my.WithTimeout(x, 5*time.Second)\nsrv.Shutdown(ctx)", {}),
    "for ever": (f"{SERVER}ctx, _ := context.WithTimeout(x, 48*time.Hour)\nsrv.Shutdown(ctx)", {}),
}


@pytest.mark.parametrize("name", DRAINS)
def test_drains(name: str, tmp_path: Path) -> None:
    body, expected = DRAINS[name]
    main = main_of(tmp_path, IMPORTS, f"{FUNCTIONS}\nfunc main() {{\n{body}\n}}")
    assert sure(main, "drain") == expected


def test_the_place_is_that_of_the_length(tmp_path: Path) -> None:
    body = f"func main() {{\n{SERVER}ctx, _ := context.WithTimeout(x, 10*time.Second)\nsrv.Shutdown(ctx)\n}}"
    assert facts(main_of(tmp_path, IMPORTS, body), "drain") == {"10": "main.go:14"}
    body = body.replace("10*time.Second", "time.Minute")
    assert facts(main_of(tmp_path, IMPORTS, body), "drain") == {"60": "main.go:15"}, "a unit has no place: its call has"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10000000000", 10.0), ("10s", 10.0), ("1m30s", 90.0), ("1.5s", 1.5), ("250ms", 0.25), ("", 0.0), ("10", 1e-8)],
)
def test_lengths_as_go_writes_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["s", "10x", "10s ", "-1s", "\u0661\u0660s", "1e9s"])
def test_what_is_no_length(text: str) -> None:
    assert seconds_of(text) == 0.0
