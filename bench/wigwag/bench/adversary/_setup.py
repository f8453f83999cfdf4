"""Gets a target ready: the attacker's own accounts, each from an address of its own."""

from wigwag.bench.adversary._attack import Target
from wigwag.bench.adversary._people import Account, People
from wigwag.bench.adversary._sources import Sources
from wigwag.bench.adversary._wire import Wire

# Second byte of the loopback addresses: who is who in a log.
ATTACKER_NET = 100
# Of one process: an address that registers too many is turned away.
_SETUP = Sources(200)
_HONEST = Sources(210)


def aim(host: str, port: int, *, accounts: int, sources: Sources) -> Target:
    """Register the attacker's accounts, on a server with open registration.

    Args:
        host: The server's address.
        port: Its port.
        accounts: How many the attacker has.
        sources: Where the attacks come from.
    """
    # The bound on registrations is by address: set-up isn't what is measured.
    quiet = Target(host, port, _SETUP, People(()))
    own = tuple(Account() for _ in range(accounts))
    for account in own:
        with Wire.hello(quiet) as wire:
            wire.register(account)
    return Target(host, port, sources, People(own))


def honest_target(host: str, port: int) -> Target:
    """Return a server as an honest device sees it: each from an address of its own."""
    return Target(host, port, _HONEST, People(()))
