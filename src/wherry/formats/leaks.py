"""Secrets by their look. Texts, names or bytes in, what kind of secret they seem to be out; never the secret. Touches nothing.

Three signs: a form that only tokens of one service have, a private key's armour with a body, and a name that says password or
token before a value that is no placeholder.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from typing import Final

ARMOUR: Final = b"PRIVATE KEY-----"
WINDOW: Final = 512
"""Bytes behind the armour that are looked at for a body."""
LONGEST: Final = 1 << 20
"""Characters of one text; what is longer is looked at up to here."""
LONGEST_LINE: Final = 1 << 16
"""The same of a command line."""

#: Bounded wherever something must follow, so that no text takes longer than a look at each of its characters.
#: What only a service's own tokens look like; the names are those that its documents use.
_TOKENS: Final = tuple(
    (kind, re.compile(form))
    for kind, form in (
        ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a GitHub token", r"\bgh[pousr]_[0-9A-Za-z]{36}\b|\bgithub_pat_[0-9A-Za-z_]{60,}"),
        ("a GitLab token", r"\bgl(?:pat|dt|rt|ptt)-[0-9A-Za-z_-]{20,}"),
        ("a Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
        ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{20,}"),
        ("an npm token", r"\bnpm_[0-9A-Za-z]{36}\b"),
        ("a PyPI token", r"\bpypi-AgE[0-9A-Za-z_-]{40,}"),
        ("a Docker Hub token", r"\bdckr_(?:pat|oat)_[0-9A-Za-z_-]{20,}"),
        ("a SendGrid key", r"\bSG\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{30,}"),
        ("a Hugging Face token", r"\bhf_[A-Za-z]{34}\b"),
        ("a Vault token", r"\bhvs\.[0-9A-Za-z_-]{24,}"),
        ("an age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
        ("a JSON web token", r"\beyJ[0-9A-Za-z_-]{10,500}\.eyJ[0-9A-Za-z_-]{10,4000}\.[0-9A-Za-z_-]{20,}"),
        (
            "a password in an address",
            r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"$<>{}]{1,60}:[^\s/@'\"$<>{}]{3,200}@[\w.-]+",
        ),
    )
)
_ARMOURED: Final = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*(?:\\n)?(?:[A-Za-z-]+: [^\n]*\n)*\s*[0-9A-Za-z+/=\s\\]{64}"
)
#: `NAME=value` anywhere; `--name value` behind dashes alone, since prose has such words too.
_ASSIGNED: Final = (
    re.compile(r"""(?:^|[\s;&|'"-])([A-Za-z][A-Za-z0-9_.-]{1,60})=["']?([^\s"';&|]+)"""),
    re.compile(r"""(?:^|\s)--?([A-Za-z][A-Za-z0-9_.-]{1,60}) ["']?([^\s"';&|-][^\s"';&|]*)"""),
)
_WORDS: Final = frozenset(
    (
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "pass",
        "secret",
        "secrets",
        "token",
        "apikey",
        "credential",
        "credentials",
    )
)
#: Before `key`: then it is one to keep.
_KEYS: Final = frozenset({"api", "access", "private", "secret", "signing", "encryption", "session", "master", "auth"})
#: A last word that says the value is not the secret itself.
_ABOUT: Final = frozenset(
    ("file", "path", "dir", "url", "uri", "name", "id", "ttl", "header", "length", "type", "issuer", "expiry", "version")
)  # fmt: skip
_PLACEHOLDER: Final = re.compile(r"[/~.$<%{*]|true$|false$|none$|null$|no$|yes$|x+$|\d{1,5}$", re.IGNORECASE)
#: Files that programs keep credentials in, by their names.
_FILES: Final = re.compile(
    r"(\.netrc|_netrc|\.git-credentials|\.pypirc|\.dockercfg|\.vault-token|\.htpasswd|.+\.(p12|pfx|kdbx|ppk|jks|tfstate))",
    re.IGNORECASE,
)


def in_text(text: str) -> tuple[str, ...]:
    """Kinds of tokens in a text, each once: `a GitHub token`."""
    text = text[:LONGEST]
    found = [kind for kind, form in _TOKENS if form.search(text)]
    if ARMOUR in text.encode("utf-8", "replace") and armoured(text.encode("utf-8", "replace")):
        found.append("a private key")
    return tuple(found)


def assigned(name: str, value: str) -> str:
    """What the variable or label `name` gives away when it has this value; empty: nothing that can be seen."""
    kinds = in_text(value)
    if kinds:
        return kinds[0]
    return f"a value for {name}" if _is_telling(name) and _is_random(value) else ""


def in_words(text: str) -> tuple[str, ...]:
    """The same of a command line or a line of a build's history: tokens, and `NAME=value`, `--name value` for telling names."""
    text = text[:LONGEST_LINE]
    pairs = ((match[1], match[2]) for form in _ASSIGNED for match in form.finditer(text))
    named = [f"a value for {name}" for name, value in pairs if _is_telling(name) and _is_random(value)]
    return tuple(dict.fromkeys((*in_text(text), *named)))


def armoured(data: bytes) -> bool:
    """Whether a PEM private key with a body is in `data`; a parser's own word for the armour is none."""
    return _ARMOURED.search(data) is not None


def file_kind(name: str) -> str:
    """What a file called so usually holds: `credentials`; empty for others."""
    return "a file that credentials go by" if _FILES.fullmatch(name) else ""


def _is_telling(name: str) -> bool:
    parts = [part for part in re.split(r"[_.-]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()) if part]
    if not parts or parts[-1] in _ABOUT or {"public", "gpg", "pgp"}.intersection(parts):
        return False
    keys = any(part in _KEYS and after == "key" for part, after in itertools.pairwise(parts))
    return keys or bool(_WORDS.intersection(parts))


def _is_random(value: str) -> bool:
    """Neither a placeholder nor a reference; six characters of which not all are the same."""
    if len(value) < 6 or _PLACEHOLDER.match(value):
        return False
    counts = Counter(value)
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return entropy >= 2.0
