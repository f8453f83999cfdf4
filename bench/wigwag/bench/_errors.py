"""What can go wrong with a measurement."""


class BenchError(Exception):
    """The server, a load process or the set-up failed; the message says how."""
