"""What an application does: system calls, one by one, to files, ports and hosts."""
