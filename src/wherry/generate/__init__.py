"""An Application in, files out: Dockerfiles, compose, Kubernetes, Makefile, CI and Go packages. Touches nothing.

Each writer is a function `files(application, choice) -> tuple[File, ...]`; nothing of the repository is pasted as text, each
word passes the quoting of its format.
"""
