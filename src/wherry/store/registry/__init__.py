"""The registry client (OCI distribution-spec 1.1)."""
