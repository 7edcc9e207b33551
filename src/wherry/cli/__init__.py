"""The command line: argv in, text and an exit code out. Policy is elsewhere."""
