"""Health and readiness routes, as routers really take them."""
# ruff: noqa: E501 - a program a row

from pathlib import Path

import pytest

from tests.support.analysis import MODULE, facts, look, write
from wherry.analyze.source.routes import kind_of, path_of

#: name → (import, statements in main, expected kind, path, certainty)
ROUTES = {
    "standard library": ('"net/http"', 'http.HandleFunc("/healthz", h)', "health-route", "/healthz", "found"),
    "method pattern": ('"net/http"', 'mux := http.NewServeMux()\nmux.HandleFunc("GET /health", h)', "health-route", "/health", "found"),
    "host pattern": ('"net/http"', 'http.Handle("example.com/livez", h)', "health-route", "/livez", "found"),
    "exact pattern": ('"net/http"', 'http.HandleFunc("/readyz/{$}", h)', "readiness-route", "/readyz", "found"),
    "constant": ('"net/http"', 'const p = "/ready"\nhttp.HandleFunc(p, h)', "readiness-route", "/ready", "found"),
    "prometheus": ('"net/http"\n"path"', 'http.HandleFunc(path.Join(*prefix, "/-/ready"), h)', "readiness-route", "/-/ready", "guess"),
    "gin": ('"github.com/gin-gonic/gin"', 'r := gin.New()\nr.GET("/health", h)', "health-route", "/health", "found"),
    "gin group": ('"github.com/gin-gonic/gin"', 'g := gin.New().Group("/api/v1")\ng.GET("/health", h)', "health-route", "/api/v1/health", "found"),
    "gin match": ('"github.com/gin-gonic/gin"', 'gin.New().Match([]string{"GET"}, "/health", h)', "health-route", "/health", "found"),
    "echo": ('"github.com/labstack/echo/v4"', 'echo.New().GET("/healthz", h)', "health-route", "/healthz", "found"),
    "fiber": ('"github.com/gofiber/fiber/v2"', 'fiber.New().Get("/readyz", h)', "readiness-route", "/readyz", "found"),
    "chi": ('"github.com/go-chi/chi/v5"', 'chi.NewRouter().Get("/healthz", h)', "health-route", "/healthz", "found"),
    "chi route": (
        '"github.com/go-chi/chi/v5"',
        'r := chi.NewRouter()\nr.Route("/api", func(r chi.Router) { r.Get("/health", h) })',
        "health-route", "/api/health", "found",
    ),
    "gorilla": ('"github.com/gorilla/mux"', 'mux.NewRouter().HandleFunc("/health", h).Methods("GET")', "health-route", "/health", "found"),
    "gorilla subrouter": (
        '"github.com/gorilla/mux"', 's := mux.NewRouter().PathPrefix("/v1").Subrouter()\ns.HandleFunc("/health", h)', "health-route", "/v1/health", "found",
    ),
    "gorilla path": ('"github.com/gorilla/mux"', 'mux.NewRouter().Path("/health").HandlerFunc(h)', "health-route", "/health", "found"),
    "own helper": ('"net/http"', 'http.HandleFunc(withPrefix("/healthz"), h)', "health-route", "/healthz", "guess"),
    "a case of a switch": ('"net/http"', 'var r *http.Request\nswitch r.URL.Path {\ncase "/health":\n}', "health-route", "/health", "guess"),
    "a comparison": ('"net/http"', 'var r *http.Request\nif r.URL.Path == "/healthz" { return }', "health-route", "/healthz", "guess"),
}  # fmt: skip


HELPER = "func withPrefix(p string) string { return prefixes() + p }"


@pytest.mark.parametrize("name", ROUTES)
def test_the_route_is_found(name: str, tmp_path: Path) -> None:
    imports, body, kind, path, certainty = ROUTES[name]
    text = f"package main\n\nimport (\n{imports}\n)\n\n{HELPER}\n\nfunc main() {{\n{body}\n}}\n"
    line = max(number for number, row in enumerate(text.split("\n"), 1) if path.rpartition("/")[2] in row)
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    main = look(tmp_path, go=False).mains[0]
    found = [one for one in main.inferred if one.kind.endswith("-route")]
    assert [(one.kind, one.value, one.certainty) for one in found] == [(kind, path, certainty)]
    assert found[0].place.line in (line, line - 1)


SILENT = {
    "a client asks": ('"net/http"', 'http.Get("/healthz")'),
    "no web at all": ('"fmt"', 'fmt.Println("/healthz")\nhandle("/healthz", 1)'),
    "another route": ('"net/http"', 'http.HandleFunc("/healthcare", h)\nhttp.HandleFunc("/", h)'),
    "posted to": ('"github.com/gin-gonic/gin"', 'gin.New().POST("/ping", h)'),
    "part of a longer path": ('"net/http"', 'http.HandleFunc("/health/{id}/badge", h)'),
}


@pytest.mark.parametrize("name", SILENT)
def test_no_route_where_there_is_none(name: str, tmp_path: Path) -> None:
    imports, body = SILENT[name]
    write(
        tmp_path,
        {"go.mod": MODULE, "main.go": f"package main\n\nimport (\n{imports}\n)\n\nfunc main() {{\n{body}\n}}\n"},
    )
    main = look(tmp_path, go=False).mains[0]
    assert facts(main, "health-route") == facts(main, "readiness-route") == {}


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("GET /a", "/a"), ("/a/", "/a"), ("h/a", "/a"), ("/", "/"), ("health", "/health"), ("//a", "/a"), ("/a/*", "/a"), ("\0/a", "/a"), ("GET h/a/{$}", "/a")],
)  # fmt: skip
def test_the_path_of_a_pattern(pattern: str, path: str) -> None:
    assert path_of(pattern) == path


def test_what_counts_as_which() -> None:
    assert kind_of("/HealthZ") == "health-route"
    assert kind_of("/api/ready") == "readiness-route"
    assert kind_of("/health check") == kind_of("health") == kind_of("/heal\u202eth") == ""
