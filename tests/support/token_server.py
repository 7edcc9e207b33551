"""A token server as real registries trust one. Users and a policy in, signed tokens out; listens on loopback, runs openssl.

It speaks distribution's "Token Authentication": GET with Basic, POST with a refresh token. Its tokens are JWTs that
docker-registry checks itself, by the certificate in its `rootcertbundle`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.registry import Answer, Call, FakeRegistry, fake_registry
from tests.support.tools import need

ISSUER, SERVICE = "test-issuer", "test-registry"
Policy = Callable[[str, str, tuple[str, ...]], tuple[str, ...]]
"""User (empty: nobody), repository and the actions wanted, to those that are allowed."""


def everything(_user: str, _repository: str, actions: tuple[str, ...]) -> tuple[str, ...]:
    return actions


@dataclass
class TokenServer:
    """What it knows, and what it was asked."""

    folder: Path
    users: dict[str, str] = field(default_factory=dict)
    policy: Policy = everything
    lifetime: float = 60.0
    says_lifetime: bool = True
    refuses_when_denied: bool = False
    """As Harbor: one scope that is not allowed, and there is no token at all."""
    state: FakeRegistry = field(default_factory=FakeRegistry)
    body: bytes = b""
    """Said instead of a token."""

    @property
    def realm(self) -> str:
        return f"{self.state.base}/token"

    @property
    def asked(self) -> list[tuple[str, ...]]:
        """The scopes of each request, in order."""
        return [tuple(parse_qs(urlsplit(call.path).query).get("scope", ())) for call in self.state.calls]

    def configuration(self) -> str:
        """For docker-registry's configuration file."""
        named = f"service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {self.folder}/token.pem"
        return f"auth: {{token: {{realm: '{self.realm}', {named}}}}}"

    def answer(self, call: Call) -> Answer:
        user = self._user(call.headers.get("authorization", ""))
        if user is None:
            return Answer(401, {"WWW-Authenticate": "Basic"})
        if self.body:
            return Answer(200, {}, self.body)
        granted = []
        for scope in parse_qs(urlsplit(call.path).query).get("scope", ()):
            kind, _, rest = scope.partition(":")
            name, _, wanted = rest.rpartition(":")
            allowed = self.policy(user, name, tuple(wanted.split(",")))
            if self.refuses_when_denied and set(allowed) != set(wanted.split(",")):
                return Answer(401, {}, b'{"errors": [{"code": "UNAUTHORIZED", "message": "not yours"}]}')
            granted.append({"type": kind, "name": name, "actions": list(allowed)})
        answer: dict[str, object] = {"token": self.sign(user, granted)}
        if self.says_lifetime:
            answer["expires_in"] = self.lifetime
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _user(self, authorization: str) -> str | None:
        """The user, empty for nobody, None for a wrong password."""
        if not authorization:
            return ""
        name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return name if self.users.get(name) == password else None

    def sign(self, user: str, granted: Sequence[Mapping[str, object]]) -> str:
        """A JWT (RS256) as distribution's tokens are, good for `lifetime` seconds."""
        der = (self.folder / "token.pem").read_text().split("-----")[2].replace("\n", "")
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        claims = {"iss": ISSUER, "sub": user, "aud": SERVICE, "iat": now, "nbf": now - 60, "jti": str(time.time_ns())}
        claims |= {"exp": now + max(1, round(self.lifetime)), "access": granted}
        text = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.folder / "token.key")]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
        return f"{text}.{_encoded(done.stdout)}"


@contextlib.contextmanager
def token_server(folder: Path) -> Iterator[TokenServer]:
    """A running token server whose certificate lies in `folder`."""
    need("openssl")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"]
    subprocess.run([*command, "-keyout", "token.key", "-out", "token.pem"], cwd=folder, check=True, capture_output=True)
    with fake_registry() as state:
        server = TokenServer(folder=folder, state=state)
        state.extra = lambda call: server.answer(call) if call.path.startswith("/token") else None
        yield server


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
