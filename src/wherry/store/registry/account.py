"""Who somebody is to a registry. A value; touches nothing."""

from __future__ import annotations

import base64
from typing import Literal

from wherry.kit.secret import Secret
from wherry.kit.value import Value

Kind = Literal["password", "identity", "registry"]


class Credentials(Value, frozen=True, kw_only=True):
    """A name and password; or an identity token, to be changed for others; or a registry token, sent as it is."""

    user: str = ""
    secret: Secret
    kind: Kind = "password"
    source: str = ""
    """Where they were found, for people: a file or a helper."""

    def basic(self) -> str:
        """The Authorization header's value (RFC 7617)."""
        pair = f"{self.user}:{self.secret.reveal()}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    def __str__(self) -> str:
        """`ada (from /home/ada/.docker/config.json)`."""
        who = self.user or {"identity": "an identity token", "registry": "a registry token"}.get(self.kind, "somebody")
        return f"{who} (from {self.source})" if self.source else who
