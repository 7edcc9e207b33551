"""Commands and flags by which a program asks its own server whether it is well."""

from pathlib import Path

import pytest

from tests.support.analysis import facts
from tests.unit.analyze.test_outside import main_of, sure

IMPORTS = '"flag"\n"os"\n"github.com/spf13/cobra"\n"github.com/urfave/cli/v2"\n"github.com/alecthomas/kingpin/v2"'

#: name → (body of main, expected values)
COMMANDS = {
    "first argument": ('if len(os.Args) > 1 && os.Args[1] == "health" { x() }', {"health": "found"}),
    "switch": ('switch os.Args[1] {\ncase "serve":\ncase "healthcheck", "check":\n}', {"healthcheck": "found"}),
    "the rest of them": ('args := os.Args[1:]\nif args[0] == "health" { x() }', {"health": "found"}),
    "in a variable": ('word := os.Args[1]\nif word == "health" { x() }', {"health": "found"}),
    "flag.Arg": ('if flag.Arg(0) == "health-check" { x() }', {"health-check": "found"}),
    "flag.Args": ('if flag.Args()[0] == "health" { x() }', {"health": "found"}),
    "handed on": ('run(func(args []string) { if args[0] == "health" { x() } })', {"health": "guess"}),
    "flag": ('ask := flag.Bool("healthcheck", false, "")\n_ = ask', {"--healthcheck": "found"}),
    "flag into a variable": ('flag.BoolVar(&ask, "health", false, "")', {"--health": "found"}),
    "flag of a set": ('set.Bool("health", false, "")', {"--health": "guess"}),
    "cobra": ('_ = &cobra.Command{Use: "healthcheck [flags]"}', {"healthcheck": "guess"}),
    "urfave": ('_ = cli.Command{Name: "health"}', {"health": "guess"}),
    "urfave flag": ('_ = cli.BoolFlag{Name: "health"}', {"--health": "guess"}),
    "kingpin": ('app.Command("health", "Ask.")', {"health": "guess"}),
    "surest wins": ('_ = cli.Command{Name: "health"}\nif os.Args[1] == "health" { x() }', {"health": "found"}),
    "second argument": ('if os.Args[2] == "health" { x() }', {}),
    "the program's name": ('if os.Args[0] == "health" { x() }', {}),
    "a route": ('if r.URL.Path == "health" { x() }', {}),
    "another word": ('if os.Args[1] == "serve" { x() }', {}),
    "another of slices": ('if names[1] == "health" { x() }', {}),
    "a variable of itself": ('a := b\nb := a\nif a == "health" { x() }', {}),
    "a route of cobra's": ('_ = &cobra.Command{Short: "health"}', {}),
    "a port called so": ('flag.String("health", ":1", "")', {}),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_health_commands(name: str, tmp_path: Path) -> None:
    body, expected = COMMANDS[name]
    assert sure(main_of(tmp_path, IMPORTS, f"func main() {{\n{body}\n}}"), "health-command") == expected


def test_the_place_is_that_of_the_word(tmp_path: Path) -> None:
    body = 'func main() {\nswitch os.Args[1] {\ncase "health":\n}\n}'
    assert facts(main_of(tmp_path, IMPORTS, body), "health-command") == {"health": "main.go:13"}
