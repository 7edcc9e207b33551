"""An Application in, files out: Dockerfiles, compose, Kubernetes, Makefile, CI and Go packages. Touches nothing.

A writer is a row of `table.py`: a function `files(applications, choice) -> tuple[File, ...]`, and beside it `uses`, the commands
that go on from them. Nothing of the repository is pasted as text, each word passes the quoting of its format.
"""
