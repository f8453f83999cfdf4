"""A soak with chaos: the real server, real people, real faults; see `__main__`."""
