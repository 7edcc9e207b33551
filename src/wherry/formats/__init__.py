"""Other people's files as values: bytes in, values out."""
