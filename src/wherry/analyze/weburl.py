"""The web address of a git remote, without credentials. A remote's address in, https://... or nothing out; touches
nothing.
"""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2000


def web_address(remote: str) -> str:
    """`git@github.com:o/r.git`, `ssh://git@h:22/o/r`, `https://user:token@h/o/r.git` as `https://h/o/r`; empty for
    files and the like.
    """
    if (
        not remote
        or len(remote) > LONGEST
        or not remote.isprintable()
        or any(character.isspace() for character in remote)
    ):
        return ""
    if "://" not in remote:
        host, colon, path = remote.partition(":")
        host = host.rpartition("@")[2]
        return _https(host, path) if colon and "/" not in host and not path.startswith("//") else ""
    try:
        parts = urlsplit(remote)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http", "ssh", "git", "git+ssh"):
        return ""
    return _https(f"{host}:{port}" if port and parts.scheme in ("https", "http") else host, parts.path)


def _https(host: str, path: str) -> str:
    path = path.strip("/").removesuffix(".git")
    plain = host and all(character.isalnum() or character in ".-:" for character in host)
    return f"https://{host}/{path}" if plain and path and ".." not in path.split("/") else ""
