"""`wigwag doctor` and `wigwag bugreport`: what is wrong here, and what mends it.

A look disturbs nobody: it changes nothing, holds no lock that a server needs, and
works while one runs.

    checks = [Check("disk", "problem", "it is full", "du -xah . | sort -h | tail")]
    print(summary(checks), [check.remedy for check in checks if check.is_problem])

Facts come from `wigwag.server` and `wigwag.client`; what they mean is decided here:
`_server`, `_folder`, `_certificate`, `_database`, `_limits`, `_ports` and `_profile`,
each a list of `Check`. `_canary` sends a message; `_bugreport` packs it all.
"""

from wigwag.doctor._check import Check as Check
from wigwag.doctor._check import summary as summary
from wigwag.doctor._options import ServerOptions as ServerOptions

__all__ = ["Check", "ServerOptions", "summary"]
