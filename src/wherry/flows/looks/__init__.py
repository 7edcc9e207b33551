"""What is looked at for a proof, a file each: a Scene in, fields of `Observed` out. Each look starts its own containers."""

from wherry.flows.looks.contents import contents
from wherry.flows.looks.running import running
from wherry.flows.looks.scene import Look, Scene
from wherry.flows.looks.stopping import stopping

#: The longest first, since several are done at a time.
LOOKS = (
    Look(gives=("drain",), look=stopping),
    Look(gives=("contents",), look=contents),
    Look(gives=("start", "identity", "routes", "sockets"), look=running),
)

__all__ = ["LOOKS", "Look", "Scene"]
