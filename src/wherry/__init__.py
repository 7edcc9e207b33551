"""Wherry: from a Go repository to a small, safe, reproducible container image."""

__version__ = "0.1.0"
