"""The static ceiling: a Go binary in, the system calls that its code can make out."""
