"""How registries are reached, as the user's own `registries.toml` says; also its JSON Schema and reference page. Touches nothing.

Never from a repository: whoever writes one could have passwords sent to another host.
"""

from __future__ import annotations

from typing import Annotated

from wherry.kit.ports import Trust
from wherry.kit.value import Value
from wherry.model.settings import doc

FILE = "registries.toml"
SECONDS = 30.0


class RegistrySettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One registry, by the host that stands in image names."""

    mirrors: Annotated[
        tuple[str, ...],
        doc(
            "Hosts, or hosts with a path, that are asked first when something is pulled, in order; the registry itself is last.",
            None,
            ["mirror.example", "harbor.example/hub"],
        ),
    ] = ()
    plain_http: Annotated[
        bool | None,
        doc(
            "Whether it is asked without TLS. Not said: only on this machine, and there not when certificates are named.",
            None,
        ),
    ] = None
    ca: Annotated[str, doc("PEM file of more authorities to believe.", None, "~/certificates/ca.pem")] = ""
    client_certificate: Annotated[str, doc("PEM file of the certificate to show.", None, "client.cert")] = ""
    client_key: Annotated[str, doc("PEM file of its key, without a password.", None, "client.key")] = ""
    token_hosts: Annotated[
        tuple[str, ...],
        doc("Hosts of its token server that may be told the password, beside its own.", None, ["gitlab.example"]),
    ] = ()
    timeout: Annotated[str | None, doc("Longest silence before it counts as gone.", None, "2m")] = None


class RegistriesSettings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Everything that can be said of registries; each key may be left out."""

    timeout: Annotated[str | None, doc("Longest silence of any registry.", "30s", "1m")] = None
    registry: Annotated[
        dict[str, RegistrySettings], doc('Single registries: `[registry."registry.example:5000"]`.')
    ] = {}


class Mirror(Value, frozen=True, kw_only=True):
    """Where a registry's repositories are kept too: `host`, below `path` (or at the same place)."""

    host: str
    path: str = ""


class Rule(Value, frozen=True, kw_only=True):
    """What was said of one registry."""

    host: str
    mirrors: tuple[Mirror, ...] = ()
    trust: Trust = Trust()
    protected: bool = False
    """It is asked with TLS, be it on this machine."""
    token_hosts: tuple[str, ...] = ()
    timeout: float = SECONDS


class Registries(Value, frozen=True, kw_only=True):
    """What was said of all of them."""

    rules: tuple[Rule, ...] = ()
    timeout: float = SECONDS

    def of(self, host: str) -> Rule:
        """The rule for exactly this host and port."""
        name = host.lower()
        return next((one for one in self.rules if one.host == name), Rule(host=name, timeout=self.timeout))

    @property
    def plain(self) -> tuple[str, ...]:
        """The hosts that may be asked without TLS."""
        return tuple(one.host for one in self.rules if one.trust.plain)

    @property
    def protected(self) -> tuple[str, ...]:
        """The hosts that are asked with TLS wherever they are."""
        return tuple(one.host for one in self.rules if one.protected)
