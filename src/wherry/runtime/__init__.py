"""Containers: a Container value to a running one, and what is seen of it."""
