"""The OCI specifications as values: image-spec 1.1 and what Docker's schema 2 differs in."""
