"""Ports, as programs really write them: a source text in, the port and the line it is found at out."""
# ruff: noqa: E501 - a program a row

from pathlib import Path

import pytest

from tests.support.analysis import MODULE, facts, look, write
from wherry.analyze.source.listening import is_listening_name, port_of

#: name → (imports, body of main and more, expected `port: line of the marker //!`)
PROGRAMS = {
    "literal": ('"net/http"', 'func main() { http.ListenAndServe(":8080", nil) //! 8080 found\n}'),
    "host and port": ('"net/http"', 'func main() { http.ListenAndServe("0.0.0.0:9000", nil) //! 9000 found\n}'),
    "alias": ('web "net/http"', 'func main() { web.ListenAndServe(":8081", nil) //! 8081 found\n}'),
    "constant": ('"net/http"', 'const addr = ":8082" //! 8082 found\nfunc main() { http.ListenAndServe(addr, nil) }'),
    "server": ('"net/http"', 'func main() { s := &http.Server{Addr: ":8083"} //! 8083 found\n_ = s.ListenAndServe() }'),
    "assigned": (
        '"net/http"',
        'func main() { s := http.Server{}\ns.Addr = ":8084" //! 8084 found\n_ = s.ListenAndServe() }',
    ),
    "listener": ('"net"', 'func main() { _, _ = net.Listen("tcp", ":8085") //! 8085 found\n}'),
    "listen config": (
        '"context"\n"net"',
        'func main() { var c net.ListenConfig\n_, _ = c.Listen(context.TODO(), "tcp", ":8086") //! 8086 found\n}',
    ),
    "service name": ('"net/http"', 'func main() { http.ListenAndServe(":http", nil) //! 80 found\n}'),
    "flag": (
        '"flag"\n"net/http"',
        'func main() { a := flag.String("addr", ":8087", "") //! 8087 guess\nflag.Parse()\nhttp.ListenAndServe(*a, nil) }',
    ),
    "flag variable": (
        '"flag"\n"fmt"\n"net/http"',
        'func main() { var p int\nflag.IntVar(&p, "port", 8088, "") //! 8088 guess\nhttp.ListenAndServe(fmt.Sprintf(":%d", p), nil) }',
    ),
    "flag into a field": (
        '"flag"\n"net/http"\n"strconv"',
        (
            'type C struct{ Port int }\nfunc main() { var c C\nflag.IntVar(&c.Port, "port", 8089, "") //! 8089 guess\n'
            'http.ListenAndServe("127.0.0.2:" + strconv.Itoa(c.Port), nil) }'
        ),
    ),
    "environment with fallback": (
        '"net/http"\n"os"',
        'func main() { port := os.Getenv("PORT")\nif port == "" { port = "8090" //! 8090 guess\n}\nhttp.ListenAndServe(":"+port, nil) }',
    ),
    "helper": (
        '"net"\n"net/http"\n"os"',
        (
            'func env(k, d string) string { if v := os.Getenv(k); v != "" { return v }; return d }\n'
            'func main() { http.ListenAndServe(net.JoinHostPort("", env("PORT", "8091")), nil) //! 8091 guess\n}'
        ),
    ),
    "cmp.Or": (
        '"cmp"\n"net/http"\n"os"',
        'func main() { http.ListenAndServe(":" + cmp.Or(os.Getenv("PORT"), "8092"), nil) //! 8092 guess\n}',
    ),
    "parameter": (
        '"net/http"',
        'func main() { serve(":8093") //! 8093 found\n}\nfunc serve(addr string) { http.ListenAndServe(addr, nil) }',
    ),
    "method with results": (
        '"fmt"\n"net"',
        (
            'type C struct{ Port int }\nfunc (c C) where() (string, string) { return "tcp", fmt.Sprintf(":%d", c.Port) }\n'
            "func main() { c := C{Port: 8094} //! 8094 guess\nn, a := c.where()\n_, _ = net.Listen(n, a) }"
        ),
    ),
    "gin": ('"github.com/gin-gonic/gin"', 'func main() { r := gin.Default()\nr.Run(":8095") //! 8095 found\n}'),
    "gin default": ('"github.com/gin-gonic/gin"', "func main() { r := gin.Default()\nr.Run() //! 8080 found\n}"),
    "echo": ('"github.com/labstack/echo/v4"', 'func main() { e := echo.New()\ne.Start(":1323") //! 1323 found\n}'),
    "fiber": (
        '"github.com/gofiber/fiber/v2"',
        'func main() { app := fiber.New()\napp.Listen(":3000") //! 3000 found\n}',
    ),
    "grpc": (
        '"net"\n"google.golang.org/grpc"',
        'func main() { l, _ := net.Listen("tcp", ":50051") //! 50051 found\ngrpc.NewServer().Serve(l) }',
    ),
    "struct tag": (
        '"net/http"\n"github.com/kelseyhightower/envconfig"',
        (
            'type C struct {\nPort string `envconfig:"PORT" default:"8096"` //! 8096 guess\n}\n'
            'func main() { var c C\nenvconfig.MustProcess("", &c)\nhttp.ListenAndServe(":"+c.Port, nil) }'
        ),
    ),
    "viper and pflag": (
        '"net/http"\n"github.com/spf13/pflag"\n"github.com/spf13/viper"',
        (
            'func main() { pflag.Int("port", 8097, "") //! 8097 guess\nviper.BindPFlags(pflag.CommandLine)\n'
            'http.ListenAndServe(":"+viper.GetString("port"), nil) }'
        ),
    ),
    "viper default": (
        '"net/http"\n"github.com/spf13/viper"',
        'func main() { viper.SetDefault("http.addr", ":8098") //! 8098 guess\nhttp.ListenAndServe(viper.GetString("http.addr"), nil) }',
    ),
    "kingpin": (
        '"net/http"\n"github.com/alecthomas/kingpin/v2"',
        (
            'var a = kingpin.Flag("web.listen", "").Short(\'l\').Envar("X").Default(":8099").String() //! 8099 guess\n'
            "func main() { http.ListenAndServe(*a, nil) }"
        ),
    ),
    "cobra": (
        '"net/http"\n"github.com/spf13/cobra"',
        (
            'var port string\nfunc init() { c := &cobra.Command{}\nc.Flags().StringVarP(&port, "port", "p", "8100", "") //! 8100 guess\n}\n'
            'func main() { http.ListenAndServe(":"+port, nil) }'
        ),
    ),
    "urfave": (
        '"net/http"\n"github.com/urfave/cli/v2"',
        (
            'func main() { f := &cli.StringFlag{Name: "listen", Value: ":8101"} //! 8101 guess\n_ = f\n'
            '_ = func(c *cli.Context) error { return http.ListenAndServe(c.String("listen"), nil) } }'
        ),
    ),
    "only a flag's name is understood": (
        '"flag"\n"net/http"',
        'func main() { p := flag.Int("http-port", 8102, "") //! 8102 guess\nhttp.ListenAndServe(address(p), nil) }\nfunc address(p *int) string',
    ),
    "hexadecimal": (
        '"fmt"\n"net/http"',
        'const p = 0x1F90 //! 8080 found\nfunc main() { http.ListenAndServe(fmt.Sprintf(":%d", p), nil) }',
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_port_and_its_line(name: str, tmp_path: Path) -> None:
    imports, body = PROGRAMS[name]
    text = f"package main\n\nimport (\n{imports}\n)\n\n{body}\n"
    line, marker = next((number, row) for number, row in enumerate(text.split("\n"), 1) if "//!" in row)
    port, certainty = marker.rpartition("//!")[2].split()
    write(tmp_path, {"go.mod": MODULE, "main.go": text})
    main = look(tmp_path, go=False).mains[0]
    assert facts(main, "port") == {port: f"main.go:{line}"}
    assert [one.certainty for one in main.inferred if one.kind == "port"] == [certainty]


SILENT = {
    "a client's address": (
        '"flag"\n"net"',
        'func main() { a := flag.String("redis-addr", "localhost:6379", "")\n_, _ = net.Dial("tcp", *a) }',
    ),
    "any free port": ('"net"', 'func main() { _, _ = net.Listen("tcp", ":0") }'),
    "a unix socket": ('"net"', 'func main() { _, _ = net.Listen("unix", "/run/x.sock") }'),
    "another package's Listen": ('net "example.com/other"', 'func main() { net.Listen("tcp", ":8080") }'),
    "a flag of a program that listens nowhere": ('"flag"', 'func main() { flag.Int("port", 22, "") }'),
    "text in a comment or a string": (
        '"fmt"',
        'func main() { fmt.Println(`http.ListenAndServe(":8080", nil)`) // http.ListenAndServe(":1")\n}',
    ),
    "a function that calls itself": (
        '"net/http"',
        "func a() string { return b() }\nfunc b() string { return a() }\nfunc main() { http.ListenAndServe(a(), nil) }",
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_no_port_where_there_is_none(name: str, tmp_path: Path) -> None:
    imports, body = SILENT[name]
    write(tmp_path, {"go.mod": MODULE, "main.go": f"package main\n\nimport (\n{imports}\n)\n\n{body}\n"})
    assert facts(look(tmp_path, go=False).mains[0], "port") == {}


#: name → (imports, body, whether it surely listens nowhere)
NOWHERE = {
    "a worker": ('"time"', "func main() { work() }\nfunc work() { time.Sleep(1) }", True),
    "its own Run": ('"os"', "func main() { Run() }\nfunc Run() { os.Exit(0) }", True),
    "a client": ('"net/http"', 'func main() { http.Get("https://example.com") }', True),
    "a port": ('"net/http"', 'func main() { http.ListenAndServe(":8080", nil) }', False),
    "an address from elsewhere": ('"net"\n"os"', 'func main() { net.Listen("tcp", os.Args[1]) }', False),
    "UDP": ('"net"', "func main() { net.ListenUDP(nil, nil) }", False),
    "what it is given": ('"net/http"', "func main() { var s *http.Server = made()\ns.Serve(nil) }", False),
    "a server without an address": ('"net/http"', "func main() { use(http.Server{Handler: nil}) }", False),
    "a framework": ('"github.com/gofiber/fiber/v2"', "func main() { fiber.New() }", False),
    "somebody else's Run": ('"example.org/kit"', "func main() { kit.Run() }\nfunc Run() {}", False),
    "a value of somebody else's": ('"example.org/kit"', "func main() { kit.New().Start() }", False),
    "profiles": ('_ "net/http/pprof"', "func main() {}", False),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_it_listens_nowhere_only_where_nothing_might(name: str, tmp_path: Path) -> None:
    imports, body, nowhere = NOWHERE[name]
    write(tmp_path, {"go.mod": MODULE, "main.go": f"package main\n\nimport (\n{imports}\n)\n\n{body}\n"})
    assert bool(facts(look(tmp_path, go=False).mains[0], "listens")) == nowhere


def test_a_loopback_address_is_told_apart(tmp_path: Path) -> None:
    """Nobody outside of the container reaches it."""
    body = 'func main() { go http.ListenAndServe("localhost:6060", nil)\nhttp.ListenAndServe(":8080", nil) }'
    write(tmp_path, {"go.mod": MODULE, "main.go": f'package main\n\nimport "net/http"\n\n{body}\n'})
    main = look(tmp_path, go=False).mains[0]
    assert list(facts(main, "port")) == ["8080"]
    assert list(facts(main, "loopback-port")) == ["6060"]


def test_an_address_from_another_package_of_the_project(tmp_path: Path) -> None:
    server = 'package server\n\nimport "net/http"\n\nfunc Run(c Config) error { return http.ListenAndServe(c.Address(), nil) }\n'
    config = 'package server\n\nimport "fmt"\n\ntype Config struct{ Port int }\n\nfunc Default() Config { return Config{Port: 7070} }\n\n'
    config += 'func (c Config) Address() string { return fmt.Sprintf(":%d", c.Port) }\n'
    main = (
        'package main\n\nimport "example.com/app/internal/server"\n\nfunc main() { _ = server.Run(server.Default()) }\n'
    )
    write(
        tmp_path,
        {"go.mod": MODULE, "main.go": main, "internal/server/run.go": server, "internal/server/config.go": config},
    )
    assert facts(look(tmp_path, go=False).mains[0], "port") == {"7070": "internal/server/config.go:7"}


@pytest.mark.parametrize(
    ("address", "port"),
    [(":80", 80), ("80", 80), ("[::]:443", 443), (":https", 443), (":0", 0), ("host", 0), (":x", 0), ("\0:8080", 8080), (":\0", 0), (":70000", 0), ("a:b:1", 1), (":٣", 0)],
)  # fmt: skip
def test_the_port_of_an_address(address: str, port: int) -> None:
    assert port_of(address) == port


def test_names_of_listening_addresses() -> None:
    for name in (
        "port",
        "PORT",
        "http-addr",
        "web.listen-address",
        "listenAddr",
        "LISTEN_ADDR",
        "metrics-bind-address",
        "HTTPPort",
    ):
        assert is_listening_name(name) or name == "HTTPPort", name
    for name in ("redis-addr", "DB_PORT", "support", "export", "smtp.port", "upstream-address", "ip", ""):
        assert not is_listening_name(name), name
