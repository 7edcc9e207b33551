"""TLS, zones, users, temporary files, stopping, and variables for -X."""
# ruff: noqa: E501 - a program a row

from pathlib import Path

import pytest

from tests.support.analysis import MODULE, facts, look, write
from wherry.analyze.source.tags import pairs_of

#: name → (imports, body, kind, expected values)
HABITS = {
    "client": ('"net/http"', 'func main() { http.Get("https://example.com") }', "tls", ["client"]),
    "client type": ('"net/http"', "func main() { _ = http.Client{} }", "tls", ["client"]),
    "default client": ('"net/http"', "func main() { http.DefaultClient.Do(nil) }", "tls", ["client"]),
    "server": ('"net/http"', 'func main() { http.ListenAndServeTLS(":1", "", "", nil) }', "tls", ["server"]),
    "server method": ('"net/http"', 'func main() { var s http.Server\ns.ServeTLS(nil, "", "") }', "tls", ["server"]),
    "plain server": ('"net/http"', 'func main() { http.ListenAndServe(":1", nil) }', "tls", []),
    "plain server is told": ('"net/http"', 'func main() { http.ListenAndServe(":1", nil) }', "plain-http", ["server"]),
    "plain method is told": ('"net/http"', "func main() { var s http.Server\ns.Serve(nil) }", "plain-http", ["server"]),
    "TLS alone is not plain": (
        '"net/http"',
        'func main() { var s http.Server\ns.ServeTLS(nil, "", "") }',
        "plain-http",
        [],
    ),
    "gRPC is not plain HTTP": (
        '"google.golang.org/grpc"',
        "func main() { grpc.NewServer().Serve(nil) }",
        "plain-http",
        [],
    ),
    "zone": ('"time"', 'func main() { time.LoadLocation("Europe/Oslo") }', "zones", ["LoadLocation"]),
    "UTC needs no zones": ('"time"', 'func main() { time.LoadLocation("UTC") }', "zones", []),
    "embedded zones": ('_ "time/tzdata"', "func main() {}", "zones", ["embedded"]),
    "user": ('"os/user"', "func main() { user.Current() }", "users", ["Current"]),
    "own package called user": ('"example.com/user"', "func main() { user.Current() }", "users", []),
    "temporary file": ('"os"', 'func main() { os.CreateTemp("", "x") }', "temp-files", ["CreateTemp"]),
    "old temporary folder": ('"io/ioutil"', 'func main() { ioutil.TempDir("", "x") }', "temp-files", ["TempDir"]),
}


@pytest.mark.parametrize("name", HABITS)
def test_habits(name: str, tmp_path: Path) -> None:
    imports, body, kind, values = HABITS[name]
    write(tmp_path, {"go.mod": MODULE, "main.go": f"package main\n\nimport (\n{imports}\n)\n\n{body}\n"})
    found = facts(look(tmp_path, go=False).mains[0], kind)
    assert list(found) == values
    assert all(place.startswith("main.go:") for place in found.values())


STOPS = {
    "notify": ("signal.Notify(c, os.Interrupt, syscall.SIGTERM)", ["signal"]),
    "notify and shut down": ("signal.Notify(c, syscall.SIGTERM)\nvar s http.Server\ns.Shutdown(nil)", ["shutdown"]),
    "context": ("ctx, _ := signal.NotifyContext(x, syscall.SIGTERM)\n_ = ctx", ["signal"]),
    "all signals": ("signal.Notify(c)", ["signal"]),
    "from a variable": ("all := []os.Signal{os.Interrupt, syscall.SIGTERM}\nsignal.Notify(c, all...)", ["signal"]),
    "unix": ("signal.Notify(c, unix.SIGTERM)", ["signal"]),
    "interrupt only": ("signal.Notify(c, os.Interrupt)", []),
    "reload only": ("signal.Notify(c, syscall.SIGHUP)\nvar s http.Server\ns.Shutdown(nil)", []),
    "controller-runtime": ("ctrl.SetupSignalHandler()", ["signal"]),
    "run group": ("run.SignalHandler(x, syscall.SIGTERM)", ["signal"]),
}


@pytest.mark.parametrize("name", STOPS)
def test_stopping(name: str, tmp_path: Path) -> None:
    body, values = STOPS[name]
    imports = (
        '"net/http"\n"os"\n"os/signal"\n"syscall"\nctrl "sigs.k8s.io/controller-runtime"\n"github.com/oklog/run"\n'
    )
    text = f"package main\n\nimport (\n{imports})\n\nfunc main() {{\nvar c chan os.Signal\n{body}\n}}\n"
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    assert list(facts(look(tmp_path, go=False).mains[0], "graceful-stop")) == values


def test_variables_that_the_linker_can_set(tmp_path: Path) -> None:
    main = 'package main\n\nimport _ "example.com/app/version"\nimport _ "example.com/app/api"\n\nvar version = "dev"\n'
    main += 'var (\n\tgitCommit, other string\n\tbuildDate = now()\n)\n\nconst Version = "1"\n\nfunc main() { var commit string; _ = commit }\n'
    write(
        tmp_path,
        {
            "go.mod": MODULE,
            "main.go": main,
            "version/version.go": 'package version\n\nvar Version string\nvar Number = 3\nvar Tag = "x" + "y"\n',
            "api/api.go": 'package api\n\nvar Version = "v1beta1"\nvar BuildVersion = "0.0.0-src"\n',
        },
    )
    found = look(tmp_path, go=False).mains[0]
    assert facts(found, "version-variable") == {
        "main.version": "main.go:6",
        "example.com/app/version.Version": "version/version.go:3",
        "example.com/app/api.BuildVersion": "api/api.go:4",
    }
    assert list(facts(found, "revision-variable")) == ["main.gitCommit"]
    assert facts(found, "date-variable") == {}


def test_variables_of_the_prometheus_library(tmp_path: Path) -> None:
    main = 'package main\n\nimport "github.com/prometheus/common/version"\n\nfunc main() { _ = version.Info() }\n'
    write(tmp_path, {"go.mod": MODULE, "main.go": main})
    found = facts(look(tmp_path, go=False).mains[0], "version-variable")
    assert found == {"github.com/prometheus/common/version.Version": "main.go:3"}


def test_stand_ins_for_tests_say_nothing(tmp_path: Path) -> None:
    text = 'package main\n\nimport "net/http"\n\nfunc f() { http.ListenAndServe(":9999", nil) }\n'
    write(
        tmp_path,
        {"go.mod": MODULE, "main.go": "package main\n\nfunc main() {}\n", "mock_server.go": text, "testutils.go": text},
    )
    assert [one.kind for one in look(tmp_path, go=False).mains[0].inferred] == ["listens"]


def test_struct_tags_are_read_as_go_reads_them() -> None:
    assert pairs_of('env:"A,b" default:"say \\"x\\""') == (("env", "A,b"), ("default", 'say "x"'))
    assert pairs_of('a:"1"b:"2"') == (("a", "1"), ("b", "2"))
    assert pairs_of("a") == pairs_of("a:b") == pairs_of('a:"') == pairs_of("") == ()
