"""The machine itself: the real processes, sockets, environment, clock and scratch folders behind `kit.ports`."""
