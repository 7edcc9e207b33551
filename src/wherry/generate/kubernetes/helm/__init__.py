"""A Helm chart of the same objects. An application in, files below `chart/` out; touches nothing."""

from wherry.generate.kubernetes.helm.chart import chart

__all__ = ["chart"]
