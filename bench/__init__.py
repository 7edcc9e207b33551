"""Rivals side by side: wherry, ko, Docker's BuildKit, buildah and bare `go build`, on one machine in one run.

`bench/run` measures and writes RESULTS.md and results.json; every figure in the README comes from there.
"""
