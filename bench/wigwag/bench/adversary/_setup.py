"""Gets a target ready: the attacker's own accounts, each from an address of its own."""

from wigwag.bench.adversary._attack import Target
from wigwag.bench.adversary._people import Account, People
from wigwag.bench.adversary._sources import Sources
from wigwag.bench.adversary._wire import Wire

# Second byte of the loopback addresses: who is who in a log.
SETUP_NET = 200
HONEST_NET = 210
ATTACKER_NET = 100


def aim(host: str, port: int, *, accounts: int, sources: Sources) -> Target:
    """Register the attacker's accounts, on a server with open registration.

    Args:
        host: The server's address.
        port: Its port.
        accounts: How many the attacker has.
        sources: Where the attacks come from.
    """
    # The bound on registrations is by address: set-up isn't what is measured.
    quiet = Target(host, port, Sources(SETUP_NET), People(()))
    own = tuple(Account() for _ in range(accounts))
    for account in own:
        with Wire.hello(quiet) as wire:
            wire.register(account)
    return Target(host, port, sources, People(own))


def honest_target(host: str, port: int) -> Target:
    """Return a server as an honest device sees it: each from an address of its own."""
    return Target(host, port, Sources(HONEST_NET), People(()))
