"""Dockerfiles. Applications in, a Dockerfile each out; touches nothing.

A variant is a row of `variants.py`: a base and the stages of the file, each of which is a function from a draft to its text. All
that they use is known to the BuildKit of Docker 20.10. The program in the image is byte for byte that of `wherry build`, since
toolchain, flags, variables and commit are the same; but for what a C compiler makes, and for `hardened`.
"""
