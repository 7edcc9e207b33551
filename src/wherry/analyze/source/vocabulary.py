"""The words of Go's world that mean something to an image: tables only. Touches nothing.

Each row names the package (by a prefix of its import path) that gives the word its meaning.
"""

from __future__ import annotations

from wherry.analyze.source import clients
from wherry.kit.value import Value


class Listener(Value, frozen=True, kw_only=True):
    """A call that listens: the address is argument `argument`, or `default` when that argument is not given."""

    package: str
    name: str
    argument: int = 0
    default: str = ""
    method: bool = False
    """Called on a value: then the package only has to be imported by the code's package."""


LISTENERS = (
    Listener(package="net/http", name="ListenAndServe"),
    Listener(package="net/http", name="ListenAndServeTLS"),
    Listener(package="net", name="Listen", argument=1),
    Listener(package="crypto/tls", name="Listen", argument=1),
    Listener(package="net", name="Listen", argument=2, method=True),  # net.ListenConfig
    Listener(package="github.com/gin-gonic/gin", name="Run", default=":8080", method=True),
    Listener(package="github.com/gin-gonic/gin", name="RunTLS", method=True),
    Listener(package="github.com/labstack/echo", name="Start", method=True),
    Listener(package="github.com/labstack/echo", name="StartTLS", method=True),
    Listener(package="github.com/labstack/echo", name="StartAutoTLS", method=True),
    Listener(package="github.com/gofiber/fiber", name="Listen", method=True),
    Listener(package="github.com/gofiber/fiber", name="ListenTLS", method=True),
    Listener(package="github.com/valyala/fasthttp", name="ListenAndServe"),
    Listener(package="github.com/valyala/fasthttp", name="ListenAndServe", method=True),
    Listener(package="github.com/valyala/fasthttp/reuseport", name="Listen", argument=1),
    Listener(package="github.com/kataras/iris", name="Listen", method=True),
    Listener(package="github.com/kataras/iris", name="Addr"),
    Listener(package="github.com/urfave/negroni", name="Run", default=":8080", method=True),
    Listener(package="github.com/cloudwego/hertz", name="WithHostPorts"),
    Listener(package="github.com/go-kratos/kratos", name="Address"),
    Listener(package="github.com/prometheus/exporter-toolkit", name="AddFlags", argument=1),
    Listener(package="golang.org/x/crypto/acme/autocert", name="NewListener", argument=9, default=":443"),
)

#: Composite literals with an address field: (package, type, field).
SERVERS = (
    ("net/http", "Server", "Addr"),
    ("github.com/quic-go/quic-go/http3", "Server", "Addr"),
    ("sigs.k8s.io/controller-runtime", "Options", "BindAddress"),
    ("sigs.k8s.io/controller-runtime", "Options", "MetricsBindAddress"),
    ("sigs.k8s.io/controller-runtime", "Options", "HealthProbeBindAddress"),
    ("github.com/labstack/echo", "StartConfig", "Address"),
)

FLAG_PACKAGES = (
    *("flag", "github.com/spf13/pflag", "github.com/spf13/cobra", "github.com/urfave/cli"),
    *(
        "github.com/alecthomas/kingpin",
        "gopkg.in/alecthomas/kingpin",
        "github.com/peterbourgon/ff",
        "github.com/namsral/flag",
    ),
)
_KINDS = (
    "Int",
    "Int16",
    "Int32",
    "Int64",
    "Uint",
    "Uint16",
    "Uint32",
    "Uint64",
    "String",
    "StringSlice",
    "StringArray",
    "TextVar",
    "Duration",
    "Bool",
)
#: Function of a flag set → (where its name is, where its default is, whether the first argument is its variable).
FLAGS = {
    **dict.fromkeys(_KINDS, (0, 1, False)),
    **{f"{kind}P": (0, 2, False) for kind in _KINDS},
    **{f"{kind}Var": (1, 2, True) for kind in _KINDS},
    **{f"{kind}VarP": (1, 3, True) for kind in _KINDS},
}
FLAG_LITERALS = frozenset(
    (
        *("StringFlag", "IntFlag", "UintFlag", "Int64Flag", "Uint64Flag", "Uint16Flag", "StringSliceFlag"),
        *("DurationFlag", "BoolFlag"),
    )
)

#: Packages whose import makes a registration call believable.
WEB_PACKAGES = (
    *(
        "net/http",
        "github.com/gorilla/mux",
        "github.com/go-chi/chi",
        "github.com/gin-gonic/gin",
        "github.com/labstack/echo",
    ),
    *("github.com/gofiber/fiber", "github.com/julienschmidt/httprouter", "github.com/emicklei/go-restful"),
    *(
        "github.com/kataras/iris",
        "github.com/cloudwego/hertz",
        "github.com/valyala/fasthttp",
        "github.com/fasthttp/router",
    ),
    *("github.com/danielgtaylor/huma", "github.com/uptrace/bunrouter", "github.com/bmizerany/pat", "goji.io"),
    *("github.com/prometheus/common/route", "github.com/grafana/dskit"),
)
#: Packages whose import says that something is served, even where no call is understood.
FRAMEWORKS = (
    *(path for path in WEB_PACKAGES if path != "net/http"),
    *("expvar", "net/http/pprof", "net/rpc", "github.com/prometheus/client_golang/prometheus/promhttp"),
    *("github.com/go-kratos/kratos", "github.com/urfave/negroni", "sigs.k8s.io/controller-runtime", "k8s.io/apiserver"),
)
#: Functions that bind a route → which argument is the path.
REGISTRATIONS = {
    **dict.fromkeys(("Handle", "HandleFunc", "Get", "GET", "Any", "All", "HEAD", "Head", "HandlerFunc", "Handler"), 0),
    **dict.fromkeys(("Path", "PathPrefix", "Use", "Mount"), 0),
    **dict.fromkeys(("Method", "MethodFunc", "Add", "Match"), 1),
    "RegisterRoute": 1,
    "HandlePath": 1,
}
#: Functions that open a group of routes under a prefix.
GROUPS = frozenset(("Group", "Route", "PathPrefix", "Mount", "Party", "Subrouter", "With"))

#: Functions that evaluate to one of their arguments or to a text made of them.
EVALUATED = frozenset(("Sprintf", "Sprint", "Itoa", "JoinHostPort", "Or", "TrimSpace", "FormatInt", "ToString"))
#: Reading a setting by its key.
LOOKUPS = frozenset(
    (
        *("String", "Int", "Uint", "GetString", "GetInt", "GetUint", "GetUint16", "Getenv", "LookupEnv"),
        *("Duration", "GetDuration"),
    )
)
#: Nanoseconds of the units that durations are written in.
UNITS = {
    "Nanosecond": 1,
    "Microsecond": 1000,
    "Millisecond": 1_000_000,
    "Second": 1_000_000_000,
    "Minute": 60_000_000_000,
    "Hour": 3_600_000_000_000,
}
DEFAULTS = frozenset(("SetDefault",))

#: Functions whose mere call says something; `(package, name)` → (kind, value).
HABITS = {
    ("time", "LoadLocation"): ("zones", "LoadLocation"),
    ("os/user", "Current"): ("users", "Current"),
    ("os/user", "Lookup"): ("users", "Lookup"),
    ("os/user", "LookupId"): ("users", "LookupId"),
    ("os/user", "LookupGroup"): ("users", "LookupGroup"),
    ("os/user", "LookupGroupId"): ("users", "LookupGroupId"),
    ("os", "CreateTemp"): ("temp-files", "CreateTemp"),
    ("os", "MkdirTemp"): ("temp-files", "MkdirTemp"),
    ("os", "TempDir"): ("temp-files", "TempDir"),
    ("io/ioutil", "TempFile"): ("temp-files", "TempFile"),
    ("io/ioutil", "TempDir"): ("temp-files", "TempDir"),
    **{
        ("net/http", name): ("tls", "client")
        for name in ("Get", "Head", "Post", "PostForm", "NewRequest", "NewRequestWithContext")
    },
    ("net/http", "ListenAndServe"): ("plain-http", "server"),
    ("net/http", "Serve"): ("plain-http", "server"),
    ("github.com/prometheus/exporter-toolkit/web", "ListenAndServe"): ("plain-http", "server"),
    ("os/exec", "Command"): ("children", "Command"),
    ("os/exec", "CommandContext"): ("children", "CommandContext"),
    ("os", "StartProcess"): ("children", "StartProcess"),
    ("syscall", "ForkExec"): ("children", "ForkExec"),
    ("syscall", "StartProcess"): ("children", "StartProcess"),
    ("crypto/tls", "Dial"): ("tls", "client"),
    ("crypto/tls", "DialWithDialer"): ("tls", "client"),
    ("crypto/tls", "Client"): ("tls", "client"),
    ("github.com/coder/websocket", "Dial"): ("tls", "client"),
    ("google.golang.org/grpc/credentials", "NewTLS"): ("tls", "client"),
    ("google.golang.org/grpc/credentials", "NewClientTLSFromCert"): ("tls", "client"),
    ("net/http", "ListenAndServeTLS"): ("tls", "server"),
    ("crypto/tls", "Listen"): ("tls", "server"),
    ("crypto/tls", "NewListener"): ("tls", "server"),
    ("crypto/tls", "LoadX509KeyPair"): ("tls", "server"),
    ("golang.org/x/crypto/acme/autocert", "NewListener"): ("tls", "server"),
}
#: Methods with a meaning of their own, on whatever value.
TLS_METHODS = frozenset(("ListenAndServeTLS", "ServeTLS", "RunTLS", "StartTLS", "StartAutoTLS", "ListenTLS"))
#: Methods that serve without TLS, on a value of one of the packages.
PLAIN_METHODS = (
    ("net/http", "ListenAndServe"),
    ("net/http", "Serve"),
    ("github.com/gin-gonic/gin", "Run"),
    ("github.com/labstack/echo", "Start"),
    ("github.com/gofiber/fiber", "Listen"),
    ("github.com/valyala/fasthttp", "ListenAndServe"),
)
#: Types whose literal says something.
HABIT_TYPES = {
    ("net/http", "Client"): ("tls", "client"),
    ("net/http", "Transport"): ("tls", "client"),
    ("github.com/gorilla/websocket", "Dialer"): ("tls", "client"),
}
#: Selected names that say something.
HABIT_NAMES = {
    ("net/http", "DefaultClient"): ("tls", "client"),
    ("net/http", "DefaultTransport"): ("tls", "client"),
}
#: Names that stand for the whole program in whatever package they are.
SPECIFIC_NAMES = frozenset(
    (
        *(
            "appversion",
            "buildversion",
            "gitversion",
            "releaseversion",
            "progversion",
            "gitcommit",
            "commithash",
            "gitsha",
        ),
        *("githash", "gitrevision", "buildcommit", "commitsha", "builddate", "buildtime", "buildtimestamp"),
    )
)
HABIT_IMPORTS = {"time/tzdata": ("zones", "embedded"), "github.com/gin-gonic/gin": ("environment", "GIN_MODE")}

SIGNAL_CALLS = frozenset(("Notify", "NotifyContext"))
#: Calls that take care of SIGTERM by themselves: (package, name).
SIGNAL_LIBRARIES = (
    ("sigs.k8s.io/controller-runtime", "SetupSignalHandler"),
    ("k8s.io/apiserver", "SetupSignalHandler"),
    ("k8s.io/apiserver", "SetupSignalContext"),
    ("k8s.io/component-base", "SetupSignalHandler"),
    ("knative.dev/pkg/signals", "NewContext"),
    ("knative.dev/pkg/signals", "SetupSignalHandler"),
)
STOPS = frozenset(("Shutdown", "GracefulStop", "ShutdownWithContext", "ShutdownWithTimeout"))

#: Reading an environment variable: (package, name).
ENVIRONMENT = frozenset((("os", "Getenv"), ("os", "LookupEnv"), ("syscall", "Getenv")))
#: Reading a file whole or opening it: (package, name).
READS = frozenset((("os", "ReadFile"), ("os", "Open"), ("io/ioutil", "ReadFile")))
#: How a command that asks its own server whether it is well is called, by itself or as a flag.
HEALTH_COMMANDS = frozenset(("health", "healthz", "healthcheck", "health-check", "livez", "liveness"))
#: Types whose literal makes a command or a switch → the field with its name.
COMMAND_LITERALS = {"Command": ("Use", "Name"), "BoolFlag": ("Name",)}
KINGPIN = ("github.com/alecthomas/kingpin", "gopkg.in/alecthomas/kingpin")
#: Methods that stop a server within what their one argument, a context, allows.
SHUTDOWNS = ("Shutdown", "ShutdownWithContext")
LIMITED_CONTEXTS = frozenset(("WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"))

HEALTH = frozenset(
    (
        *("health", "healthz", "live", "livez", "liveness", "alive", "healthcheck", "health_check", "health-check"),
        *("healthy", "_health", "_healthz", "__health", "heartbeat", "__heartbeat__", "__lbheartbeat__"),
        *("ping", "isalive", "livecheck", "up"),
    )
)
READY = frozenset(("ready", "readyz", "readiness", "isready", "_ready", "readycheck", "readiness_check", "ready-check"))

VERSION_NAMES = frozenset(
    (
        "version",
        "appversion",
        "buildversion",
        "gitversion",
        "versionstring",
        "version_",
        "releaseversion",
        "progversion",
        "gittag",
        "tag",
    )
)
REVISION_NAMES = frozenset(
    (
        "commit",
        "gitcommit",
        "revision",
        "commithash",
        "gitsha",
        "githash",
        "gitrevision",
        "buildcommit",
        "commitsha",
        "sha",
        "gitref",
    )
)
DATE_NAMES = frozenset(("date", "builddate", "buildtime", "buildtimestamp", "buildat", "builton", "timestamp"))

_CONSTRUCTORS = ("New", "Run", "Start", "Serve", "Listen", "Make", "Setup", "Init")


def is_worth_a_look(name: str, qualified: bool) -> bool:
    """Whether a call of `name` can matter: a word of the tables, a function of the same package, or something like a
    constructor.
    """
    return name in CALLS or (not qualified and name not in BUILTINS) or name.startswith(_CONSTRUCTORS)


BUILTINS = frozenset(
    (
        *(
            "append",
            "cap",
            "clear",
            "close",
            "copy",
            "delete",
            "len",
            "make",
            "max",
            "min",
            "new",
            "panic",
            "print",
            "println",
            "recover",
        ),
        *(
            "string",
            "byte",
            "rune",
            "int",
            "int32",
            "int64",
            "uint",
            "uint16",
            "uint32",
            "uint64",
            "float64",
            "bool",
            "error",
            "any",
        ),
    )
)
CALLS = (
    frozenset(row.name for row in LISTENERS)
    | FLAGS.keys()
    | REGISTRATIONS.keys()
    | frozenset(name for _, name in HABITS)
    | TLS_METHODS
    | SIGNAL_CALLS
    | frozenset(name for _, name in SIGNAL_LIBRARIES)
    | frozenset(("SignalHandler",))
    | STOPS
    | DEFAULTS
    | frozenset(name for _, name in ENVIRONMENT | READS)
    | frozenset(("Default", "Command"))
    | frozenset(row.name for row in clients.CONNECTIONS)
    | clients.VIPER
)
MENTIONED = frozenset(("SIGTERM", "DefaultClient", "DefaultTransport", "TLSConfig"))
