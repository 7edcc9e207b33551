"""A repository in, a Project out: modules, mains, cgo, embeds, ports, routes, git state. Starts nothing that the
repository chose.
"""
