"""The machine itself: the real processes, sockets, environment and clock behind `kit.ports`."""
