"""A repository in, a Project out: modules, mains, cgo, embeds, ports, routes, git state. Starts nothing that the
repository chose.
"""

from wherry.analyze.holdings import holdings, names
from wherry.analyze.layout import Layout, locate
from wherry.analyze.project import Reading, analyze, read
from wherry.analyze.request import Request

__all__ = ["Layout", "Reading", "Request", "analyze", "holdings", "locate", "names", "read"]
