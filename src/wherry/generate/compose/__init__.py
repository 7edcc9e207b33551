"""Compose files. Applications in, `compose.yaml` and its two siblings out; touches nothing.

After the Compose Specification of 2026 (compose-spec@170098b): no `version`, one document, what Docker Compose 2.32 knows.
"""
