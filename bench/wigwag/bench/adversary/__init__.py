"""Attacks on a real server, and two honest devices that must not notice.

    for row in ROWS:
        row.check(target)                    # once; raises for another answer

    tally = attack.go_on(target, seconds=5)  # again and again, or a flood

To add a bad input, write a function in the file of its level and a `Row` in its table.
To add a flood, make a `Flood`. Both are then run by the tests and by
`wigwag bench adversary`.
"""

from wigwag.bench.adversary._attack import ALERT as ALERT
from wigwag.bench.adversary._attack import CPU_SHARE_MAX as CPU_SHARE_MAX
from wigwag.bench.adversary._attack import SERVED as SERVED
from wigwag.bench.adversary._attack import SILENCE as SILENCE
from wigwag.bench.adversary._attack import Attack as Attack
from wigwag.bench.adversary._attack import Flood as Flood
from wigwag.bench.adversary._attack import Row as Row
from wigwag.bench.adversary._attack import Seen as Seen
from wigwag.bench.adversary._attack import Tally as Tally
from wigwag.bench.adversary._attack import Target as Target
from wigwag.bench.adversary._attack import Told as Told
from wigwag.bench.adversary._attack import TurnedAwayError as TurnedAwayError
from wigwag.bench.adversary._attack import UnexpectedError as UnexpectedError
from wigwag.bench.adversary._attack import ends_with as ends_with
from wigwag.bench.adversary._attack import refused_with as refused_with
from wigwag.bench.adversary._catalogue import ATTACKS as ATTACKS
from wigwag.bench.adversary._catalogue import DESIGN_ROWS as DESIGN_ROWS
from wigwag.bench.adversary._catalogue import NOT_APPLICABLE as NOT_APPLICABLE
from wigwag.bench.adversary._catalogue import ROWS as ROWS
from wigwag.bench.adversary._honest import Block as Block
from wigwag.bench.adversary._honest import Harm as Harm
from wigwag.bench.adversary._honest import HonestPairs as HonestPairs
from wigwag.bench.adversary._people import Account as Account
from wigwag.bench.adversary._people import People as People
from wigwag.bench.adversary._report import Report as Report
from wigwag.bench.adversary._report import shown as shown
from wigwag.bench.adversary._runner import run_attacks as run_attacks
from wigwag.bench.adversary._setup import aim as aim
from wigwag.bench.adversary._setup import honest_target as honest_target
from wigwag.bench.adversary._sources import Sources as Sources
from wigwag.bench.adversary._tcp import client_context as client_context
from wigwag.bench.adversary._tcp import open_tcp as open_tcp
from wigwag.bench.adversary._wire import Wire as Wire
from wigwag.bench.adversary.floods import FLOODS as FLOODS

__all__ = [
    "ALERT",
    "ATTACKS",
    "CPU_SHARE_MAX",
    "DESIGN_ROWS",
    "FLOODS",
    "NOT_APPLICABLE",
    "ROWS",
    "SERVED",
    "SILENCE",
    "Account",
    "Attack",
    "Block",
    "Flood",
    "Harm",
    "HonestPairs",
    "People",
    "Report",
    "Row",
    "Seen",
    "Sources",
    "Tally",
    "Target",
    "Told",
    "TurnedAwayError",
    "UnexpectedError",
    "Wire",
    "aim",
    "client_context",
    "ends_with",
    "honest_target",
    "open_tcp",
    "refused_with",
    "run_attacks",
    "shown",
]
