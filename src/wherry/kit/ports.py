"""The small doors to the machine: what rooms are handed instead of reaching for processes, clock or environment.

`system/` has the real ones; tests pass plain functions. Touches nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from wherry.kit.attending import Engage, Forward
from wherry.kit.notices import Overhear, Watch
from wherry.kit.secret import Secret
from wherry.kit.value import Value


class Command(Value, frozen=True, kw_only=True):
    """One child process. `argv[0]` is an absolute path; `environment` is the whole of it, nothing is inherited."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    directory: str = ""
    stdin: str = ""
    """Path of a file to read from; empty: no input."""
    input: Secret | None = None
    """Text to read instead, by a pipe so that it is never on a disk; at most 60 KiB."""
    stdout: str = ""
    """Path of a file to write to; empty: kept in `Completed.stdout`."""
    timeout: float = 0.0
    """Seconds; 0 waits for ever."""
    limit: int = 64 << 20
    """Most bytes kept of each stream; a child that says more is an error, never cut in silence."""


class Completed(Value, frozen=True, kw_only=True):
    """How a child ended: `code` as the shell counts (128 + signal), with all it said."""

    code: int
    stdout: bytes = b""
    stderr: bytes = b""
    seconds: float = 0.0


class Run(Protocol):
    """Runs one child to its end; kills its whole process group when interrupted.

    Raises UnavailableError [program-start] when it cannot be started, [program-timeout] when its time is over.
    """

    def __call__(self, command: Command, /) -> Completed: ...


class StoppableRun(Run, Protocol):
    """A Run whose children can be ended from another thread: for work begun early that turns out to be wrong."""

    def stop(self) -> None:
        """Kills every child's process group; later calls raise UnavailableError [stopped]."""


class Child(Protocol):
    """A process that goes on beside this one."""

    pid: int

    def wait(self, seconds: float | None = None, /) -> int | None:
        """Its exit code as the shell counts (128 + signal); None when it has not ended after `seconds`; None waits for ever."""

    def signal(self, number: int, /) -> None:
        """To the process alone; nothing happens when it has ended."""


class Spawn(Protocol):
    """Starts one child in a session of its own and leaves it running. Its three streams are these open descriptors; -1: nothing.
    Of the command it heeds argv, environment and directory.

    Raises UnavailableError [program-start]."""

    def __call__(self, command: Command, /, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> Child: ...


class Kill(Protocol):
    """Sends signal `number` to process `pid`, or to its group when `pid` is negative; nothing happens when there is none, or when
    it is not known (0).

    Raises PermissionError for somebody else's."""

    def __call__(self, pid: int, number: int, /) -> None: ...


class Connection(Protocol):
    """An open TCP connection, as Python's sockets are."""

    def settimeout(self, seconds: float | None, /) -> None: ...
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Dial(Protocol):
    """Connects to a TCP `address` in the network of process `pid` (0: this machine's own). Raises OSError as
    connect(2) does, TimeoutError after `seconds`, ProcessLookupError when the process is gone."""

    def __call__(self, pid: int, address: tuple[str, int], /, seconds: float = 3.0) -> Connection: ...


GONE = "it has ended"
"""What became of a request to a program that was not there any more."""


class Answer(Value, frozen=True, kw_only=True):
    """What became of one HTTP request to an application."""

    status: int = 0
    """0: none."""
    error: str = ""
    """Why there was none: refused, reset, cut, timeout, or `GONE` ..."""
    began: float = 0.0
    """Seconds of a monotonic clock, or since some moment."""
    ended: float = 0.0


class Ask(Protocol):
    """One GET of `path` to `port` of the loopback in the network of process `pid`, the whole answer read within `seconds` of
    silence. Never raises: no answer is an answer, too."""

    def __call__(self, pid: int, port: int, path: str, /, seconds: float = 5.0) -> Answer: ...


class Which(Protocol):
    """Absolute path of a program on the user's PATH, or empty. Never from the working directory or the repository (A13)."""

    def __call__(self, name: str, /) -> str: ...


class Response(Protocol):
    """An HTTP answer; `read` gives at most `size` bytes of the body, empty at its end."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str, /) -> str: ...
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Trust(Value, frozen=True, kw_only=True):
    """How one host is spoken to, as the user's own configuration says; never by what a server or repository says."""

    plain: bool = False
    """It may be asked without TLS."""
    authorities: tuple[str, ...] = ()
    """PEM files of authorities to believe beside the machine's."""
    certificate: str = ""
    """PEM file of the client's own certificate, and one of its key."""
    key: str = ""


class Request(Value, frozen=True, kw_only=True):
    """One HTTP request with at most one kind of body; redirects are never followed by the port."""

    method: str
    url: str
    """`http(s)://...`, or `unix:///path/to.sock:/path/of/request` for an engine's socket."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    body_file: str = ""
    """Path of a file, sent from `body_offset`, `body_size` bytes of it (-1: to its end), with its length said. CorruptError
    [short-blob] when it has become shorter; what it has grown by meanwhile is not sent."""
    body_offset: int = 0
    body_size: int = -1
    told: Callable[[int], None] | None = None
    """Called now and then with how many bytes of the file are on their way."""
    body_stream: Callable[[], object] | None = None
    """A function that gives an iterable of bytes; sent chunked unless the headers say a Content-Length."""
    timeout: float = 30.0
    """Longest silence: to connect, for the first byte, and between two reads or writes."""
    deadline: float = 0.0
    """Longest time for the whole exchange, the body's reading included; 0: none."""
    trust: Trust = Trust()


class Http(Protocol):
    """Sends one request and gives any answer, whatever its status. Its errors are in plain words (host, what it did),
    never a library's: UnavailableError [no-such-host], [unreachable], [no-answer], [connection-lost], [certificate], RefusedError
    [plain-http], UsageError [bad-url]."""

    def __call__(self, request: Request, /) -> Response: ...


class Event(Value, frozen=True, kw_only=True):
    """Something a person may want to see while it happens. `phase` is a verb: analyze, compile, fetch, pack, store, push."""

    phase: str
    state: str = "start"
    """start, progress, end or note."""
    subject: str = ""
    done: int = 0
    total: int = 0
    seconds: float = 0.0


class Early(Protocol):
    """What became of a blob that was sent before anybody asked for it: waits for the one at `address`, telling now and then how
    many of its bytes are on their way. Whether it is there now; else where its upload broke off, empty when none did."""

    def __call__(self, address: str, told: Callable[[int], None], /) -> tuple[bool, str]: ...


def nobody(_address: str, _told: Callable[[int], None], /) -> tuple[bool, str]:
    """The early port where nothing was begun."""
    return False, ""


Events = Callable[[Event], None]
Now = Callable[[], float]


def silent(_: Event) -> None:
    """The events port for whoever does not look."""


class Environment(Value, frozen=True, kw_only=True):
    """All that wherry reads of the process environment, read once (`system.environment`). Empty text: not set."""

    home: str
    path: str = ""
    cache_home: str = ""
    """XDG_CACHE_HOME or its default; likewise the next two."""
    config_home: str = ""
    data_home: str = ""
    source_date_epoch: str = ""
    docker_host: str = ""
    docker_config: str = ""
    no_color: bool = False
    offline: bool = False
    """WHERRY_OFFLINE, which --offline sets: no registry is asked, and Go fetches nothing."""
    ci: bool = False
    wherry: tuple[tuple[str, str], ...] = ()
    """WHERRY_*, sorted."""
    go: tuple[tuple[str, str], ...] = ()
    """What Go reads as settings: GO*, CGO_*, CC, CXX ...; sorted, empty ones left out, as Go does."""
    child: tuple[tuple[str, str], ...] = ()
    """What any child may have: HOME, TMPDIR, locale, proxies, certificates; never a secret."""
    private: tuple[tuple[str, str], ...] = ()
    """What lets git and Go reach private modules: SSH_AUTH_SOCK, NETRC, GIT_CONFIG_* ...; only where GOPRIVATE asks for it."""


class Records(Protocol):
    """Small facts kept from run to run, by a key that hashes all they depend on. A lost or damaged record is None,
    never an error."""

    def get(self, key: str, /) -> bytes | None: ...
    def put(self, key: str, data: bytes, /) -> None: ...


class Machine(Value, frozen=True, kw_only=True):
    """All ports of one run. Flows get it whole and hand each room only the doors it needs."""

    run: StoppableRun
    which: Which
    http: Http
    now: Now
    environment: Environment
    variables: tuple[tuple[str, str], ...] = ()
    """The whole environment of this process, sorted; rooms get from it by name."""
    start: Callable[[], StoppableRun]
    """A run port of its own for work that may be stopped from another thread."""
    spawn: Spawn
    kill: Kill
    dial: Dial
    ask: Ask
    forward: Forward
    engage: Engage
    watch: Watch
    overhear: Overhear
    events: Events = silent
    early: Early = nobody
