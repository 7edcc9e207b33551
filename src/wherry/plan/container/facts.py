"""What a decision about a container is made from. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.container import Owned, Rootless, User
from wherry.model.plan import Health, Pairs
from wherry.oci.config import RunConfig
from wherry.oci.platform import Platform


class Facts(Value, frozen=True, kw_only=True):
    """All that a decision about a container is made from, beside the options."""

    image: str
    """What people are told: name:tag@digest, or a package."""
    title: str
    """The container's name unless somebody gives one."""
    platform: Platform
    config: RunConfig
    user: User
    """Who the image or the options say, in numbers."""
    home: str = "/"
    """Where its /etc/passwd says that the user is at home."""
    owned: tuple[Owned, ...] = ()
    closed: str = ""
    """A path of the image that the user may only use as its owner; empty when there is none."""
    health: Health | None = None
    """Known from the plan; else read from the config."""
    processors: int = 1
    memory: int = 0
    """Bytes of this machine."""
    id_base: int = 0
    """Where the ids of a user namespace begin; 0: none is possible here, for the reason in `no_user_namespace`."""
    no_user_namespace: str = ""
    rootless: Rootless | None = None
    """None: root starts it."""
    variables: Pairs = ()
    """This process's environment, for `-e NAME`."""
    files: Pairs = ()
    """The contents of environment files, by name."""
    folder: str = "/"
    """Where the user stands, for paths in options."""

    @property
    def group(self) -> str | None:
        """The control group above the container's; None: it can have none, and so no limits."""
        return self.rootless.group if self.rootless else ""
