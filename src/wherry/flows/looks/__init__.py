"""What is looked at for a proof, a file each: a Scene in, fields of `Observed` out. Each look starts its own containers."""

from wherry.flows.looks.contents import contents
from wherry.flows.looks.exercise import exercise
from wherry.flows.looks.inside import inside
from wherry.flows.looks.links import links
from wherry.flows.looks.running import running
from wherry.flows.looks.scene import Look, Scene
from wherry.flows.looks.stopping import stopping
from wherry.flows.looks.strangers import emulated, stranger
from wherry.flows.looks.tester import Tester
from wherry.flows.looks.trials import cpu, memory, pids
from wherry.flows.looks.writing import writing

#: What the others need not wait for is found out first, then the longest first: several are done at a time.
LOOKS = (
    Look(gives=("start", "identity", "routes", "sockets"), look=running),
    Look(gives=("exercise",), look=exercise),
    Look(gives=("drain",), look=stopping),
    Look(gives=("emulated",), look=emulated),
    Look(gives=("cpu",), look=cpu),
    Look(gives=("contents",), look=contents),
    Look(gives=("refused",), look=writing),
    Look(gives=("memory",), look=memory),
    Look(gives=("pids",), look=pids),
    Look(gives=("writes", "surroundings"), look=inside),
    Look(gives=("stranger",), look=stranger),
    Look(gives=("links",), look=links),
)

__all__ = ["LOOKS", "Look", "Scene", "Tester"]
