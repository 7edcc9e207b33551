"""What need not be done again: blobs, records, kept binaries, the no-op index. Nothing here is needed for a right result."""
