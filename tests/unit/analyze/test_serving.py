"""Which of several ports answers the health route."""
# ruff: noqa: E501 - a program a row

from pathlib import Path

import pytest

from tests.support.analysis import MODULE, look, write

ADMIN = 'admin := http.NewServeMux()\nadmin.HandleFunc("/metrics", h)\ngo http.ListenAndServe(":9090", admin)\n'
ROUTES = 'mux := http.NewServeMux()\nmux.HandleFunc("GET /healthz", h)\nmux.HandleFunc("/readyz", h)\n'
MADE = 'func routes() http.Handler {\nr := http.NewServeMux()\nr.HandleFunc("/healthz", h)\nreturn r\n}\n'
FIELD = (
    "type app struct { mux *http.ServeMux }\n"
    'func (a *app) add() { a.mux.HandleFunc("/healthz", h) }\n'
    'func (a *app) run() { a.add(); http.ListenAndServe(":8080", a.mux) }\n'
)
BOTH = {"8080/healthz", "8080/readyz"}

#: name → (import, statements in main, what else the file has, the facts)
PROGRAMS = {
    "a variable": ('"net/http"', f'{ADMIN}{ROUTES}http.ListenAndServe(":8080", mux)', "", BOTH),
    "the other port is first": ('"net/http"', f'{ROUTES}go http.ListenAndServe(":8080", mux)\n{ADMIN}', "", BOTH),
    "a server": ('"net/http"', f'{ADMIN}{ROUTES}s := &http.Server{{Addr: ":8080", Handler: mux}}\ns.ListenAndServe()', "", BOTH),
    "handlers around it": ('"net/http"', f'{ADMIN}{ROUTES}http.ListenAndServe(":8080", http.TimeoutHandler(logged(mux), 1, ""))', "", BOTH),
    "a wrapped variable": ('"net/http"', f'{ADMIN}{ROUTES}all := logged(mux)\nhttp.ListenAndServe(":8080", all)', "", BOTH),
    "net/http's own": ('"net/http"', f'{ADMIN}http.HandleFunc("/healthz", h)\nhttp.ListenAndServe(":8080", nil)', "", {"8080/healthz"}),
    "net/http's own, by name": ('"net/http"', f'{ADMIN}http.HandleFunc("/healthz", h)\nhttp.ListenAndServe(":8080", http.DefaultServeMux)', "", {"8080/healthz"}),
    "net/http's own, of a server": ('"net/http"', f'{ADMIN}http.HandleFunc("/healthz", h)\n_ = http.Server{{Addr: ":8080"}}', "", {"8080/healthz"}),
    "what a function makes": ('"net/http"', f'{ADMIN}http.ListenAndServe(":8080", routes())', MADE, {"8080/healthz"}),
    "a field": ('"net/http"', f'{ADMIN}new(app).run()', FIELD, {"8080/healthz"}),
    "a variable of the package": (
        '"net/http"', f'{ADMIN}mux.HandleFunc("/healthz", h)\nhttp.ListenAndServe(":8080", mux)', "var mux = http.NewServeMux()\n", {"8080/healthz"},
    ),
    "gin": ('"net/http"\n"github.com/gin-gonic/gin"', f'{ADMIN}r := gin.New()\nr.GET("/healthz", h)\nr.Run()', "", {"8080/healthz"}),
    "a group of gin": (
        '"net/http"\n"github.com/gin-gonic/gin"', f'{ADMIN}r := gin.New()\ng := r.Group("/api")\ng.GET("/health", h)\nr.Run(":8081")', "", {"8081/api/health"},
    ),
    "echo": ('"net/http"\n"github.com/labstack/echo/v4"', f'{ADMIN}e := echo.New()\ne.GET("/healthz", h)\ne.Start(":8080")', "", {"8080/healthz"}),
    "on the admin port": ('"net/http"', f'{ADMIN}admin.HandleFunc("/healthz", h)\nhttp.ListenAndServe(":8080", http.NewServeMux())', "", {"9090/healthz"}),
    "on both": ('"net/http"', f'{ADMIN}{ROUTES}go http.ListenAndServe(":8081", mux)\nhttp.ListenAndServe(":8080", mux)', "", {*BOTH, "8081/healthz", "8081/readyz"}),
    "a router that nobody serves": ('"net/http"', f'{ADMIN}{ROUTES}http.ListenAndServe(":8080", other)', "", set()),
    "a port that is not known": ('"net/http"\n"os"', f'{ADMIN}{ROUTES}http.ListenAndServe(os.Args[1], mux)', "", set()),
    "a handler that comes later": ('"net/http"', f'{ADMIN}http.HandleFunc("/healthz", h)\ns := &http.Server{{Addr: ":8080"}}\ns.Handler = other', "", set()),
    "a router of the same name in another function": ('"net/http"', f'{ADMIN}{ROUTES}', 'func serve(mux *http.ServeMux) { http.ListenAndServe(":8080", mux) }\n', set()),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_port_of_a_route(name: str, tmp_path: Path) -> None:
    imports, body, more, expected = PROGRAMS[name]
    write(
        tmp_path,
        {
            "go.mod": MODULE,
            "main.go": f"package main\n\nimport (\n{imports}\n)\n\n{more}\nfunc main() {{\n{body}\n}}\n"
            "func logged(h http.Handler) http.Handler { return h }\n",
        },
    )
    main = look(tmp_path, go=False).mains[0]
    assert {one.value for one in main.inferred if one.kind == "route-port"} == expected


#: Routes of the program, and the ports where people find something.
VISITED: tuple[tuple[str, set[str]], ...] = (
    (f'{ADMIN}{ROUTES}http.ListenAndServe(":8080", mux)', set()),
    (f'{ADMIN}{ROUTES}mux.HandleFunc("/", h)\nhttp.ListenAndServe(":8080", mux)', {"8080"}),
    (f'{ADMIN}{ROUTES}mux.HandleFunc("GET /orders/{{id}}", h)\nhttp.ListenAndServe(":8080", mux)', {"8080"}),
    (f'{ADMIN}admin.HandleFunc("/healthz", h)\nhttp.HandleFunc("/orders", h)\nhttp.ListenAndServe(":8080", nil)', {"8080"}),
    (f'{ADMIN}admin.HandleFunc("/debug/pprof/", h)\nhttp.ListenAndServe(":8080", other)', set()),
    (f'{ADMIN}admin.HandleFunc("/reload", h)\nhttp.HandleFunc("/orders", h)\nhttp.ListenAndServe(":8080", nil)', {"8080", "9090"}),
)  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), VISITED)
def test_the_ports_that_people_find_something_at(body: str, expected: set[str], tmp_path: Path) -> None:
    text = f'package main\n\nimport "net/http"\n\nfunc main() {{\n{body}\n}}\n'
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    main = look(tmp_path, go=False).mains[0]
    assert {one.value for one in main.inferred if one.kind == "visited-port"} == expected
