"""What looks like a secret, and what only speaks of one. No token here is one: each is made of its form."""

from __future__ import annotations

import time

import pytest

from tests.support import odd_apps
from wherry.formats import leaks

GITHUB = "ghp_" + "0123456789abcdef" * 2 + "wxyz"
TOKENS = (
    ("AKIA" + "ABCDEFGH12345678", "an AWS access key"),
    (GITHUB, "a GitHub token"),
    ("glpat-" + "a1" * 10, "a GitLab token"),
    ("xoxb-" + "1234567890-abc", "a Slack token"),
    ("AIza" + "a" * 35, "a Google API key"),
    ("npm_" + "a1" * 18, "an npm token"),
    ("eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 22, "a JSON web token"),
    ("postgres://app:not-a-real-one@db:5432/x", "a password in an address"),
)


@pytest.mark.parametrize(("token", "kind"), TOKENS)
def test_a_token_is_known_by_its_form(token: str, kind: str) -> None:
    assert leaks.in_text(f'key = "{token}"') == (kind,)
    assert leaks.assigned("GREETING", token) == kind
    assert all(token not in said for said in leaks.in_text(token)), "it is never repeated"


@pytest.mark.parametrize(
    "text", ["ghp_short", "https://example.org/a:b@c", "postgres://$USER:$PASS@db", "AKIA", "eyJhbGciOi"]
)
def test_what_is_no_token(text: str) -> None:
    assert leaks.in_text(text) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "not-a-real-one-4711"), ("password", "hunter22"), ("apiKey", "0a1b2c3d4e"),
        ("SIGNING_KEY", "a8f5f167f44f"),
        ("app.secret", "changeme"), ("TOKEN", "abc123def"),
    ],
)  # fmt: skip
def test_a_telling_name_with_a_value(name: str, value: str) -> None:
    assert leaks.assigned(name, value) == f"a value for {name}"
    assert value not in leaks.assigned(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD_FILE", "db-password-of-app"), ("PWD", "/srv/app"), ("TOKEN", "$TOKEN"), ("PASSWORD", ""),
        ("SECRET", "true"),
        ("TOKEN_TTL", "3600s-and-more"), ("PUBLIC_KEY", "a8f5f167f44f"), ("GPG_KEY", "E3FF2839C048B25C"),
        ("KEYCLOAK_HOST", "sso.example"), ("PASSWORD", "xxxxxxxx"), ("COMPASS", "north-by-west"), ("BYPASS_CACHE", "sometimes"),
    ],
)  # fmt: skip
def test_a_name_that_only_sounds_so(name: str, value: str) -> None:
    assert leaks.assigned(name, value) == ""


def test_command_lines_and_history() -> None:
    assert leaks.in_words("/bin/sh -c #(nop)  ENV NPM_TOKEN=abc123def") == ("a value for NPM_TOKEN",)
    assert leaks.in_words("RUN |1 PASSWORD=hunter22 /bin/sh -c make") == ("a value for PASSWORD",)
    assert leaks.in_words("app --db-password hunter22 --port 80") == ("a value for db-password",)
    assert leaks.in_words(f"git clone https://x:{GITHUB}@github.com/a/b")[0] == "a GitHub token"
    assert leaks.in_words("RUN adduser --disabled-password app") == ()
    assert leaks.in_words("read the secret handshake carefully; COPY token parser") == ()


def test_a_private_key_has_a_body() -> None:
    assert leaks.armoured(odd_apps.private_key())
    assert leaks.armoured(b'key := "-----BEGIN RSA ' + b"PRIVATE KEY-----\\nMIIB" + b"A" * 80)
    assert not leaks.armoured(b"-----BEGIN " + b"PRIVATE KEY-----\x00-----END")
    assert not leaks.armoured(b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 80)


@pytest.mark.parametrize(
    ("name", "found"), [(".netrc", True), ("id.P12", True), ("a.tfstate", True), ("cacerts.pem", False)]
)
def test_files_by_their_names(name: str, found: bool) -> None:
    assert bool(leaks.file_kind(name)) is found


@pytest.mark.parametrize(
    "text", ["eyJaaaaaaaaaa-", "SG.aaaaaaaaaaaaaaaa-", "a://b:ccc", "--password ", "A=", "glpat-", "-----BEGIN "]
)
def test_no_text_takes_long(text: str) -> None:
    whole = (text * ((1 << 20) // len(text)))[: 1 << 20]
    start = time.process_time()
    leaks.in_text(whole)
    leaks.in_words(whole)
    assert time.process_time() - start < 5


def test_a_token_far_into_a_file_is_found() -> None:
    assert leaks.in_text("x " * 300_000 + GITHUB) == ("a GitHub token",)
