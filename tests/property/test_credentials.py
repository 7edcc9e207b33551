"""What registries, token servers, helpers and the user's files may say: any bytes give a value or an error of ours. 20,000
inputs each, the same in every run."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.mutations import mutated
from tests.support.ports import HOST
from wherry.errors import WherryError
from wherry.kit.ports import Command, Completed, Request, Response
from wherry.kit.secret import Secret
from wherry.model.registries import Registries
from wherry.plan import registries
from wherry.store.keeper import Ports
from wherry.store.registry import auth, authfile, credential_helper, credentials, session
from wherry.store.registry.account import Credentials
from wherry.store.registry.kept import Kept
from wherry.system import proxies

COUNT = 20_000


class Said:
    """An answer with one header and a body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.status, self._body = status, body
        self.headers = tuple(headers.items())

    def header(self, name: str, /) -> str:
        return dict(self.headers).get(name, "")

    def read(self, size: int, /) -> bytes:
        chunk, self._body = self._body[:size], self._body[size:]
        return chunk

    def close(self) -> None:
        pass


def challenged(data: bytes) -> None:
    header = data.decode("latin-1")
    found = auth.challenge(Said(401, {"WWW-Authenticate": header}))
    if found is None:
        return
    assert found.scheme in ("bearer", "basic")
    wanted = auth.TokenRequest(
        registry="https://reg.example",
        challenge=found,
        scopes=auth.scopes_of("repository:a:pull,push", found.scope),
        credentials=Credentials(user="ada", secret=Secret("canary")),
    )
    assert len(wanted.scopes) <= auth.SCOPES

    def http(request: Request, /) -> Response:
        host = request.url.partition("//")[2].partition("/")[0].partition("?")[0].partition("#")[0]
        assert request.url.lower().startswith("https://")
        assert (
            host.lower().rstrip(".").rpartition(":")[0] in ("", "reg.example")
            or host.lower().rstrip(".") == "reg.example"
        )
        return Said(200, {}, b'{"token": "t"}')

    if found.scheme == "bearer":
        auth.bearer(http, wanted)


def token(data: bytes) -> None:
    wanted = auth.TokenRequest(
        registry="https://reg.example",
        challenge=auth.Challenge(scheme="bearer", realm="https://reg.example/t"),
        scopes=("repository:a:pull",),
        credentials=None,
    )
    dates = {"Date": "Sat, 21 Nov 2026 09:00:00 GMT"}
    answer = auth.bearer(lambda _: Said(200, dates, data), wanted)
    assert 0 < answer.seconds <= auth.LONGEST
    assert answer.token.reveal().isascii()
    assert answer.token.reveal().isprintable()


def times(data: bytes) -> None:
    parts = [*data.decode("utf-8", "surrogateescape").split("|"), "", ""]
    assert 0 < auth.lifetime(parts[0], parts[1], parts[2]) <= auth.LONGEST


def file(data: bytes) -> None:
    path = Path(FOLDER[0], "config.json")
    path.write_bytes(data)
    credentials.find("reg.example", "team/app", replace(PORTS, authfile=str(path), kept=Kept()))


def rewritten(data: bytes) -> None:
    path = Path(FOLDER[0], "rewritten.json")
    path.write_bytes(data)
    try:
        before = authfile.read(path)
        authfile.put(path, "new.example", Credentials(user="a", secret=Secret("b")), lambda key: key == "new.example")
    except WherryError:
        assert path.read_bytes() == data
        raise
    assert {**before.auths, "new.example": authfile.Entry(auth="YTpi")} == authfile.read(path).auths


def helped(data: bytes) -> None:
    code = 1 if data.endswith(b"1") else 0

    def run(_: Command, /) -> Completed:
        return Completed(code=code, stdout=data, stderr=data[:50])

    machine = replace(PORTS, run=run, which=lambda name: f"/bin/{name}")
    found = credential_helper.get("own", "reg.example", machine)
    assert found is None or isinstance(found.basic(), str)


def waited(data: bytes) -> None:
    seconds = session.waiting(1, data.decode("latin-1"), 0.5)
    assert 0 < seconds <= session.LONGEST_WAIT


def proxied(data: bytes) -> None:
    proxy, _, rules = data.decode("utf-8", "surrogateescape").partition("|")
    for host in ("reg.example", "10.0.0.1", "::1", "[fd00::1]", "127.0.0.1"):
        found = proxies.proxy_for("https", host, 443, (("HTTPS_PROXY", proxy), ("NO_PROXY", rules)))
        assert not found or not host.startswith(("127.", "::1"))
    address, _ = proxies.parse(proxy)
    assert "@" not in address


def configured(data: bytes) -> None:
    text = data[: 1 << 14].decode(
        "utf-8", "replace"
    )  # the user's own file: large ones are slow, and refused at 256 KiB
    found = registries.parse(text, "/home/ada/registries.toml", home="/home/ada")
    assert isinstance(found, Registries)
    assert all(0 < one.timeout <= registries.LONGEST for one in found.rules)


CORPUS: dict[Callable[[bytes], None], tuple[bytes, ...]] = {
    challenged: (
        b'Bearer realm="https://reg.example/token",service="reg",scope="repository:a:pull,push registry:catalog:*"',
        b'Basic realm="x", Bearer realm="https://auth.reg.example:8443/t?x=y",error="insufficient_scope"',
        b"Basic",
        b'Digest qop="auth", Bearer realm=https://reg.example',
        b'bearer REALM="https://reg.example/\\"",scope=""',
    ),
    token: (
        b'{"token": "abc.def", "expires_in": 300, "issued_at": "2026-11-21T08:59:00Z"}',
        b'{"access_token": "abc", "expires_in": "60", "issued_at": "2026-11-21T08:59:00.123456789+01:00"}',
        b'{"token": null, "access_token": "x", "expires_in": 1.5, "refresh_token": "y"}',
    ),
    times: (b"300|2026-11-21T08:59:00Z|Sat, 21 Nov 2026 09:00:00 GMT", b"60||", b"-5|x|y", b"1e5|2026-11-21|Sat"),
    file: (
        b'{"auths": {"reg.example": {"auth": "YTpi"}, "https://reg.example/v1/": {"identitytoken": "x"}}}',
        b'{"auths": {"reg.example/team": {"username": "a", "password": "b"}}, "credHelpers": {"x": "y"}, "n": null}',
        b'{"auths": {"reg.example": {"registrytoken": "t"}}, "credsStore": "", "HttpHeaders": {"a": "b"}}',
        b"",
    ),
    rewritten: (
        b'{"auths": {"a.example": {"auth": "YTpi", "email": "e"}}, "other": [1, 2.5, null, "\\u00e4"], "x": {"y": {}}}',
        b'{"credsStore": "own"}',
        b"",
    ),
    helped: (
        b'{"ServerURL": "reg.example", "Username": "ada", "Secret": "s"}',
        b'{"Username": "<token>", "Secret": "s"}',
        b"credentials not found in native keychain\n1",
        b"1",
    ),
    waited: (b"120", b"Sat, 21 Nov 2026 09:00:00 GMT", b"0", b"35\xb5s", b"999999999999", b"-1", b""),
    proxied: (
        b"http://ada:p%40ss@proxy.example:3128|localhost,.example,10.0.0.0/8,[fd00::1]:443,*.x,host:80",
        b"proxy:3128|*",
        b"socks5://proxy|",
        b"https://[fd00::1]:8080|::1,fd00::/8",
    ),
    configured: (
        b'timeout = "30s"\n[registry."docker.io"]\nmirrors = ["a.example", "b.example:5000/x"]\n',
        b'[registry."r.example"]\nplain-http = true\nca = "~/x"\nclient-certificate = "a"\nclient-key = "b"\n',
        b'[registry."r.example"]\ntoken-hosts = ["t.example"]\ntimeout = "1m30s"\n',
    ),
}
FOLDER: list[str] = []
PORTS = Ports(
    http=lambda _: Said(500, {}),
    run=lambda _: Completed(code=1, stdout=b"credentials not found"),
    which=lambda name: f"/bin/{name}",
    host=HOST,
    data="",
    scratch="/tmp",
)


@pytest.mark.parametrize("parser", CORPUS, ids=lambda parser: parser.__name__)
def test_any_bytes_are_read_or_refused(parser: Callable[[bytes], None], tmp_path: Path) -> None:
    FOLDER[:] = [str(tmp_path)]
    count = COUNT if parser not in (rewritten, configured) else COUNT // 4
    good = 0
    for data in mutated(CORPUS[parser], count=count, seed=4):
        try:
            parser(data)
            good += 1
        except WherryError:
            pass
    assert 0 < good < count or parser in (waited, times, challenged)


@pytest.mark.parametrize("parser", CORPUS, ids=lambda parser: parser.__name__)
def test_large_input_takes_little(parser: Callable[[bytes], None], tmp_path: Path) -> None:
    """A megabyte of the worst there is: within seconds, and in memory of its own size."""
    FOLDER[:] = [str(tmp_path)]
    for piece in (b"[", b'{"auths":', b",a=", b'Bearer realm="', b"\\", b"9", b" ", b"x.", b'"a",'):
        data = piece * ((1 << 20) // len(piece))
        tracemalloc.start()
        began = time.process_time()
        try:
            parser(data)
        except WherryError:
            pass
        finally:
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert time.process_time() - began < 20
        assert most < 200 << 20
