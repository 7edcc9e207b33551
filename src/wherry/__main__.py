"""`python -m wherry`: the same as the `wherry` command."""

from wherry.cli.fast import leave

leave()
