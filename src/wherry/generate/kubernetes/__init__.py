"""Kubernetes: objects for the `restricted` level, as plain YAML, a kustomize base with overlays or a Helm chart. Applications in,
files below `deploy/` out; touches nothing.

After Kubernetes 1.30 to 1.37. Every form is made from the same objects, so that none can say what another does not.
"""
