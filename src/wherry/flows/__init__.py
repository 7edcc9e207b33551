"""The stories: one a file, each reading like a table of contents. The only callers of rooms."""
